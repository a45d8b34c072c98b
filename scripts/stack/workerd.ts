import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type Config, serializeConfig } from "miniflare";
import { compatibilityDate } from "./bundle.ts";
import { loopback } from "./ports.ts";
import { endProcess } from "./processes.ts";

/** A worker to run in workerd alone, without Miniflare's own workers in front of it. */
export interface WorkerFiles {
  /** The module that answers requests. */
  code: string;
  bindings?: Record<string, string>;
  /** A folder, whose files the worker reads by its binding ASSETS. */
  assets?: string;
  /** The module that answers whatever the first one fetches. Left out: the servers on this machine do. */
  upstream?: string;
}

/** What `workerd serve` reads on its stdin. */
export type PreparedWorker = Buffer;

/** Where something is written: to this process's own output, to an open file, or nowhere. */
type Output = "inherit" | number | "ignore";

/** This process's own output is where both go when left out. */
export interface WorkerdOutput {
  /** Where the worker's log goes. */
  log?: Output;
  /** Where its warnings and errors go, and workerd's. */
  problems?: Output;
}

/** A running workerd. */
export interface Workerd {
  port: number;
  stop(): Promise<void>;
}

// The one that Miniflare brings along, in the version that it writes the configuration for.
const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
const { default: binary } = fromMiniflare("workerd") as { default: string };

/** Turns a worker into what `spawnWorkerd` can start as often as it likes. It is in no file: bindings may be secret. */
export function prepareWorker({ code, bindings = {}, assets, upstream }: WorkerFiles): PreparedWorker {
  const texts = Object.entries(bindings).map(([name, text]) => ({ name, text }));
  const files = assets ? [{ name: "ASSETS", service: { name: "assets" } }] : [];
  const worker = (source: string) => ({
    modules: [{ name: "worker.js", esModule: source }],
    compatibilityDate: compatibilityDate(),
  });
  const outbound = upstream ? { worker: worker(upstream) } : { network: { allow: ["local"] } };
  const services: Config["services"] = [
    {
      name: "main",
      worker: {
        ...worker(code),
        bindings: [...texts, ...files],
        globalOutbound: { name: "outbound" },
      },
    },
    { name: "outbound", ...outbound },
  ];
  if (assets) services.push({ name: "assets", disk: { path: assets } });
  const sockets: Config["sockets"] = [{ name: "http", http: {}, service: { name: "main" } }];
  return serializeConfig({ services, sockets });
}

/** Starts workerd on a port, 0 being a free one. `listeningPort` says when it listens, and where. */
export function spawnWorkerd(
  worker: PreparedWorker,
  port: number,
  { log = "inherit", problems = "inherit" }: WorkerdOutput = {},
): ChildProcess {
  const options = ["--binary", `--socket-addr=http=${loopback}:${port}`, "--control-fd=3"];
  // In a process group of its own: Ctrl-C in the terminal is for the parent, which stops it in its turn.
  const child = spawn(binary, ["serve", ...options, "-"], {
    detached: true,
    windowsHide: true,
    stdio: ["pipe", log, problems, "pipe"],
    // As on Cloudflare.
    env: { ...process.env, TZ: "UTC" },
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  // One that ends before it has read everything says why itself, and never listens.
  child.stdin?.on("error", () => {}).end(worker);
  return child;
}

/** Waits until workerd listens. Throws when it ends before that. */
export async function listeningPort({ stdio }: ChildProcess): Promise<number> {
  for await (const line of createInterface({ input: stdio[3] as Readable })) {
    const { event, port } = JSON.parse(line) as { event: string; port: number };
    if (event === "listen") return port;
  }
  throw new Error("workerd did not start.");
}

/** Runs a worker on a free port, without its log; it listens as soon as this returns. */
export async function startWorkerd(worker: PreparedWorker): Promise<Workerd> {
  // The log is written as it would be, but nobody reads it.
  const child = spawnWorkerd(worker, 0, { log: "ignore" });
  return { port: await listeningPort(child), stop: () => endProcess(child) };
}
