import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { compatibilityDate } from "../stack/bundle.ts";
import { loopback } from "../stack/ports.ts";

/** A worker to run in workerd alone, without miniflare's own workers in front of it. */
export interface WorkerFiles {
  /** The module that answers requests. */
  code: string;
  bindings?: Record<string, string>;
  /** The module that answers whatever the first one fetches. Left out: nothing does. */
  upstream?: string;
}

export interface PreparedWorker {
  folder: string;
  remove(): Promise<void>;
}

export interface Workerd {
  port: number;
  stop(): Promise<void>;
}

// The one that miniflare brings along: other sections run the Worker in it.
const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
const { default: binary } = fromMiniflare("workerd") as { default: string };

/** Writes down a worker so that `startWorkerd` can start it as often as it likes. */
export async function prepareWorker(
  files: WorkerFiles,
): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "agent-trace-workerd-"));
  await writeFile(join(folder, "main.js"), files.code);
  if (files.upstream) await writeFile(join(folder, "upstream.js"), files.upstream);
  await writeFile(join(folder, "config.capnp"), configOf(files, compatibilityDate()));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Starts what `prepareWorker` has written; it listens as soon as this returns. */
export async function startWorkerd({ folder }: PreparedWorker): Promise<Workerd> {
  const child = spawn(binary, ["serve", "config.capnp", "--control-fd=3"], {
    cwd: folder,
    // Not its log: it is written as it would be, but nobody reads it.
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const ended = once(child, "exit");
  return {
    port: await portOf(child),
    async stop() {
      kill();
      await ended;
      process.off("exit", kill);
    },
  };
}

async function portOf({ stdio }: ChildProcess): Promise<number> {
  for await (const line of createInterface({ input: stdio[3] as Readable })) {
    const { event, port } = JSON.parse(line) as { event: string; port: number };
    if (event === "listen") return port;
  }
  throw new Error("workerd did not start.");
}

function configOf({ bindings = {}, upstream }: WorkerFiles, date: string): string {
  const texts = Object.entries(bindings).map(([name, text]) => `(name = "${name}", text = "${text}")`);
  const outbound = upstream ? 'globalOutbound = "upstream",' : "";
  const worker = (file: string, more: string) => `(
    modules = [(name = "${file}", esModule = embed "${file}")],
    compatibilityDate = "${date}", ${more}
  )`;
  return `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = ${worker("main.js", `${outbound} bindings = [${texts.join(", ")}]`)}),
    ${upstream ? `(name = "upstream", worker = ${worker("upstream.js", "")}),` : ""}
  ],
  sockets = [(name = "http", address = "${loopback}:0", http = (), service = "main")]
);
`;
}
