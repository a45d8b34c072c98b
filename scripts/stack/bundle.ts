import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The API's entry for Cloudflare Workers. */
export const WORKER_ENTRY = "functions/monkai-api/worker.ts";

/** Bundles an entry (its path from the repository's root) for workerd, into one module. */
export function bundleForWorkerd(entry: string): string {
  // Synchronous, because the other `build` leaves a process of esbuild running.
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    alias: aliases(),
    write: false,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    mainFields: ["browser", "module", "main"],
    conditions: ["workerd", "worker", "browser"],
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

/** The date in wrangler.toml, whose workerd the Worker runs as. */
export function compatibilityDate(): string {
  return wranglerSetting(/^compatibility_date = "([\d-]+)"/m);
}

/** The folder that wrangler.toml names for the binding ASSETS. */
export function assetsFolder(): string {
  return root + wranglerSetting(/^\[assets\]\ndirectory = "(.+)"/m);
}

/** What wrangler.toml puts in the place of packages. */
function aliases(): Record<string, string> {
  const lines = wranglerSetting(/^\[alias\]\n((?:.+\n)+)/m).matchAll(/^"?([^"\s]+)"? = "(.+)"$/gm);
  return Object.fromEntries([...lines].map(([, name, path]) => [name, path]));
}

function wranglerSetting(form: RegExp): string {
  const [, value] = form.exec(readFileSync(`${root}wrangler.toml`, "utf8")) ?? [];
  if (!value) throw new Error(`wrangler.toml has no ${form}`);
  return value;
}
