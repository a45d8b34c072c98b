import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { freePort, loopback } from "./ports.ts";
import type { RestOptions, Server } from "./rest.ts";
import { restartWhenEnded } from "./restart.ts";

const script = fileURLToPath(new URL("./rest-process.ts", import.meta.url));

/** Starts the REST layer in a process of its own, and again, at the same place, whenever that process ends. */
export async function superviseRest(options: RestOptions): Promise<Server> {
  const port = options.port ?? (await freePort());
  const start = () => run({ ...options, port });
  const first = start();
  await started(first);
  return { url: `http://${loopback}:${port}`, stop: restartWhenEnded(first, start) };
}

// In a process group of its own: Ctrl-C in the terminal is for the parent, which stops it in its turn.
function run(options: RestOptions): ChildProcess {
  return spawn(process.execPath, [script], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, REST_OPTIONS: JSON.stringify(options) },
  });
}

async function started(child: ChildProcess): Promise<void> {
  const failed = once(child, "exit").then(() => {
    throw new Error("The REST layer did not start.");
  });
  failed.catch(() => {});
  if (child.stdout) await Promise.race([once(child.stdout, "data"), failed]);
}
