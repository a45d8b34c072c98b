// `npm run viewer:pictures`: the pictures of the README, of the demo in the running `npm run dev`.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { CHROMIUM, FLAGS } from "../test/viewer/support/chromium.ts";
import { refuseArguments, runCommand } from "./command-line.ts";
import { ApiClient } from "./demo/client.ts";
import { sendAfternoon } from "./demo/send.ts";
import { findTarget } from "./demo/target.ts";
import { withPalette } from "./pictures/png.ts";

const USAGE = `Usage: npm run viewer:pictures

Writes the pictures of the README into docs/pictures/: the viewer, with the demo of the running \`npm run dev\` of DATA_DIR.
It wants a Chromium: /usr/bin/chromium, or the one that CHROMIUM names.`;

const FOLDER = fileURLToPath(new URL("../docs/pictures/", import.meta.url));
const LARGEST = 150 * 1024;

interface Picture {
  name: string;
  at: string;
  /** What is there when all has been read. */
  ready: string;
}

await runCommand(USAGE, async (args) => {
  refuseArguments(args);
  const target = findTarget({});
  const { afternoon } = await sendAfternoon(new ApiClient(target));
  const session = afternoon.worthALook.failing;
  const step = await failedStep(target, session);
  const pictures: Picture[] = [
    { name: "sessions", at: "#/sessions", ready: ".list-sessions .space > .row" },
    { name: "session", at: `#/sessions/${session}?step=${step}`, ready: ".panel" },
    { name: "usage", at: "#/usage?by=hour&and=model&time_zone=UTC", ready: ".columns rect" },
  ];
  mkdirSync(FOLDER, { recursive: true });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    for (const theme of ["light", "dark"] as const) await take(browser, theme, pictures, target);
  } finally {
    await browser.close();
  }
});

/** The step that the demo asks about: the first that failed. */
async function failedStep({ url, token }: ReturnType<typeof findTarget>, session: string): Promise<string> {
  const response = await fetch(`${url}/v1/sessions/${session}/steps`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const { steps } = (await response.json()) as { steps: { id: string; status: string | null }[] };
  const failed = steps.find(({ status }) => status === "error");
  if (!failed) throw new Error(`No step of ${session} has failed: is this the demo of today?`);
  return failed.id;
}

async function take(
  browser: Browser,
  colorScheme: "light" | "dark",
  pictures: Picture[],
  { url, token }: ReturnType<typeof findTarget>,
): Promise<void> {
  const viewport = { width: 1280, height: 800 };
  const page = await browser.newPage({ viewport, colorScheme, locale: "en-US", timezoneId: "UTC" });
  await page.goto(`${url}/v1/view`);
  await page.getByLabel("Tracer token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  await page.mouse.move(0, 0);
  for (const { name, at, ready } of pictures) {
    await page.evaluate((fragment) => {
      location.hash = fragment;
    }, at);
    await page.locator(ready).first().waitFor();
    await page.waitForFunction(() => !document.body.textContent?.includes("Loading…"));
    const file = `${name}-${colorScheme}.png`;
    const picture = withPalette(await page.screenshot());
    if (picture.length > LARGEST)
      throw new Error(`${file} has ${picture.length} bytes: too many for a README.`);
    writeFileSync(FOLDER + file, picture);
    console.log(`docs/pictures/${file}  ${(picture.length / 1024).toFixed(0)} KiB`);
  }
  await page.close();
}
