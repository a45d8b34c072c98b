import { readFile } from "node:fs/promises";
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
export async function compatibilityDate(): Promise<string> {
  const text = await readFile(new URL("../../wrangler.toml", import.meta.url), "utf8");
  const [, date] = /^compatibility_date\s*=\s*"([\d-]+)"/m.exec(text) ?? [];
  if (!date) throw new Error("wrangler.toml has no compatibility_date");
  return date;
}
