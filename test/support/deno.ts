import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freePort } from "../../scripts/stack/ports.ts";
import { waitUntil } from "../../scripts/stack/processes.ts";
import type { Server } from "../../scripts/stack/rest.ts";
import type { WorkerOptions } from "../../scripts/stack/worker.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Runs the entry file of Supabase Edge Functions in Deno, as it is deployed. */
export async function startDeno({ supabaseUrl, serviceKey, adopt }: WorkerOptions): Promise<Server> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const deno = spawn(
    "node_modules/.bin/deno",
    [
      "run",
      "--node-modules-dir=manual",
      "--allow-net",
      "--allow-env",
      "--allow-read=functions/monkai-api/assets",
      "functions/monkai-api/index.ts",
    ],
    {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
      env: {
        ...process.env,
        SUPABASE_URL: supabaseUrl,
        SUPABASE_SERVICE_ROLE_KEY: serviceKey,
        DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`,
        DENO_NO_UPDATE_CHECK: "1",
      },
    },
  );
  adopt(deno);

  const exited = once(deno, "exit");
  const settled = await waitUntil(async () => deno.exitCode !== null || isUp(url), 30_000);
  if (deno.exitCode !== null) throw new Error(`Deno ended with ${deno.exitCode} before it answered.`);
  if (!settled) throw new Error("Deno did not answer within 30 seconds.");
  return {
    url,
    async stop() {
      deno.kill();
      await exited;
    },
  };
}

async function isUp(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    (response) => response.ok,
    () => false,
  );
}
