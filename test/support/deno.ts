import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../scripts/stack/ports.ts";
import { waitUntil } from "../../scripts/stack/processes.ts";
import type { Server } from "../../scripts/stack/rest.ts";
import type { WorkerOptions } from "../../scripts/stack/worker.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A function as Deno runs it: its files and, from their folder, the path of its entry and of its import map. */
interface EdgeFunction {
  folder: string;
  entry: string;
  importMap: string;
}

/** The function that supabase/config.toml names. */
function configuredFunction(): EdgeFunction {
  const config = readFileSync(join(root, "supabase/config.toml"), "utf8");
  const path = (name: string) => {
    const [, value] = new RegExp(`^${name} = "(.+)"$`, "m").exec(config) ?? [];
    if (!value) throw new Error(`supabase/config.toml has no ${name}`);
    return join("supabase", value);
  };
  return { folder: root, entry: path("entrypoint"), importMap: path("import_map") };
}

/** Runs the entry file of Supabase Edge Functions in Deno, as it is deployed. */
export async function startDeno(
  { supabaseUrl, serviceKey, contentKeys, adopt, problems = "inherit" }: WorkerOptions,
  { folder, entry, importMap } = configuredFunction(),
): Promise<Server> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const deno = spawn(
    join(root, "node_modules/.bin/deno"),
    [
      "run",
      "--config",
      importMap,
      "--node-modules-dir=manual",
      "--allow-net",
      "--allow-env",
      `--allow-read=${dirname(entry)}/assets`,
      entry,
    ],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", problems],
      env: {
        ...process.env,
        SUPABASE_URL: supabaseUrl,
        SUPABASE_SERVICE_ROLE_KEY: serviceKey,
        ...(contentKeys === undefined ? {} : { CONTENT_KEYS: contentKeys }),
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
