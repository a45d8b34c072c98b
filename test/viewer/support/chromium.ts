/** Debian's, unless told otherwise. */
export const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";

/** No sandbox: tests may run as root, and look at nothing but this machine. */
export const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
