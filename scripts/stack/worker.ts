import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Miniflare, type MiniflareOptions } from "miniflare";
import { bundleForWorkerd, compatibilityDate, WORKER_ENTRY } from "./bundle.ts";
import { loopback } from "./ports.ts";
import type { Server } from "./rest.ts";

/** How to start the Worker. */
export interface WorkerOptions {
  supabaseUrl: string;
  serviceKey: string;
  /** A free one when left out. */
  port?: number;
  /** How long it waits for the database; its own default when left out. */
  timeoutSeconds?: number;
  /** Where the Worker's log goes; this process's own output when left out. */
  log?: Writable;
  /** Where its warnings and errors go too, beside this process's own. */
  problems?: Writable;
  /** Gets each workerd process as it starts: workerd outlives a parent that is killed with -9. */
  adopt(child: ChildProcess): void;
}

const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM"];

/** Bundles the API's entry for Cloudflare Workers and runs it in workerd, Cloudflare's own runtime. */
export async function startWorker(options: WorkerOptions): Promise<Server> {
  const contents = bundleForWorkerd(WORKER_ENTRY);
  const unwatch = watchWorkerd(options.adopt);
  const miniflare = withoutSignalHandlers({
    modules: [{ type: "ESModule", path: "worker.js", contents }],
    compatibilityDate: compatibilityDate(),
    bindings: {
      SUPABASE_URL: options.supabaseUrl,
      SUPABASE_SERVICE_ROLE_KEY: options.serviceKey,
      ...(options.timeoutSeconds ? { DATABASE_TIMEOUT_SECONDS: `${options.timeoutSeconds}` } : {}),
    },
    assets: {
      directory: fileURLToPath(new URL("../../functions/monkai-api/assets", import.meta.url)),
      binding: "ASSETS",
      routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true },
    },
    host: loopback,
    port: options.port ?? 0,
    // Otherwise it asks Cloudflare for a sample of request.cf, and waits for the answer.
    cf: false,
    handleRuntimeStdio(stdout: Readable, stderr: Readable) {
      stdout.pipe(options.log ?? process.stdout, { end: false });
      stderr.pipe(process.stderr, { end: false });
      if (options.problems) stderr.pipe(options.problems, { end: false });
    },
  });
  const stop = async () => {
    await miniflare.dispose();
    unwatch();
  };

  try {
    const url = await miniflare.ready;
    return { url: url.origin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

// Miniflare's own handlers end this process at once, before Postgres and the rest have been stopped.
function withoutSignalHandlers(options: MiniflareOptions): Miniflare {
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
  const miniflare = new Miniflare(options);
  for (const [signal, ours] of before) {
    const added = process.listeners(signal).filter((listener) => !ours.includes(listener));
    for (const listener of added) process.off(signal, listener);
  }
  return miniflare;
}

// Miniflare tells nobody which process it starts, nor that it starts another one after a crash; Node does.
function watchWorkerd(adopt: (child: ChildProcess) => void): () => void {
  const onChild = (message: unknown) => {
    const { process: child } = message as { process: ChildProcess };
    child.once("spawn", () => child.spawnfile.includes("workerd") && adopt(child));
  };
  subscribe("child_process", onChild);
  return () => unsubscribe("child_process", onChild);
}
