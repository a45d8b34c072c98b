import type { ChildProcess } from "node:child_process";
import { assetsFolder, bundleForWorkerd, WORKER_ENTRY } from "./bundle.ts";
import { loopback } from "./ports.ts";
import type { Server } from "./rest.ts";
import { restartWhenEnded } from "./restart.ts";
import { listeningPort, prepareWorker, spawnWorkerd, type WorkerdOutput } from "./workerd.ts";

/** How to start the Worker. */
export interface WorkerOptions extends WorkerdOutput {
  supabaseUrl: string;
  serviceKey: string;
  /** A free one when left out. */
  port?: number;
  /** How long it waits for the database; its own default when left out. */
  timeoutSeconds?: number;
  /** As `CONTENT_KEYS` has them. */
  contentKeys?: string;
  /** Gets each workerd process as it starts: workerd outlives a parent that is killed with -9. */
  adopt(child: ChildProcess): void;
}

/**
 * Bundles the API's entry for Cloudflare Workers and runs it in workerd, Cloudflare's own runtime: again, at the same
 * place, whenever that ends.
 */
export async function startWorker(options: WorkerOptions): Promise<Server> {
  const worker = prepareWorker({
    code: bundleForWorkerd(WORKER_ENTRY),
    bindings: {
      SUPABASE_URL: options.supabaseUrl,
      SUPABASE_SERVICE_ROLE_KEY: options.serviceKey,
      ...(options.timeoutSeconds ? { DATABASE_TIMEOUT_SECONDS: `${options.timeoutSeconds}` } : {}),
      ...(options.contentKeys === undefined ? {} : { CONTENT_KEYS: options.contentKeys }),
    },
    assets: assetsFolder(),
  });
  const run = (port: number) => {
    const child = spawnWorkerd(worker, port, options);
    child.once("spawn", () => options.adopt(child));
    return child;
  };
  const first = run(options.port ?? 0);
  const port = await listeningPort(first);
  return { url: `http://${loopback}:${port}`, stop: restartWhenEnded(first, () => run(port)) };
}
