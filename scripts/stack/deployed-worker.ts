import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));
const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");

/** The script that wrangler uploads to an environment of wrangler.toml; "" is the one without a name. */
export async function deployedWorker(environment = ""): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "agent-trace-worker-"));
  try {
    const options = ["--dry-run", "--env", environment, "--outdir", folder];
    await promisify(execFile)(process.execPath, [wrangler, "deploy", ...options], {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    return await readFile(join(folder, "worker.js"), "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
