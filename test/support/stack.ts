import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildPages } from "../../scripts/pages-build.ts";
import { startDatabase } from "../../scripts/stack/database.ts";
import { startRest } from "../../scripts/stack/rest.ts";
import { startWorker } from "../../scripts/stack/worker.ts";
import { startDeno } from "./deno.ts";
import { startProxyOnEdge } from "./proxy.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The owner of the schema: what a test may do behind the API's back. */
    databaseUrl: string;
    /** Whom a REST layer of a test's own logs in as. */
    authenticatorUrl: string;
    restUrl: string;
    serviceKey: string;
    workerdUrl: string;
    /** The file with what the API in workerd logs. */
    workerdLog: string;
    denoUrl: string;
    /** The proxy in front of workerd; the API is below its `/trace`. */
    proxyUrl: string;
  }
}

/** Starts what all tests share: one real Postgres, its REST layer, and the API in workerd and in Deno. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  buildPages();
  const serviceKey = `sb_secret_${randomBytes(24).toString("hex")}`;
  const database = await startDatabase({ ephemeral: true });
  const rest = await startRest({ databaseUrl: database.authenticatorUrl, serviceKey });
  const upstream = { supabaseUrl: rest.url, serviceKey, adopt: database.adopt };
  const folder = await mkdtemp(join(tmpdir(), "trace-test-"));
  const workerdLog = join(folder, "workerd.log");
  const log = openSync(workerdLog, "a");
  const denoLog = openSync(join(folder, "deno.log"), "a");
  const [workerd, deno] = await Promise.all([
    startWorker({ ...upstream, log, problems: log }),
    startDeno({ ...upstream, problems: denoLog }),
  ]);
  const proxy = await startProxyOnEdge(workerd.url);

  project.provide("databaseUrl", database.postgresUrl);
  project.provide("authenticatorUrl", database.authenticatorUrl);
  project.provide("restUrl", rest.url);
  project.provide("serviceKey", serviceKey);
  project.provide("workerdUrl", workerd.url);
  project.provide("workerdLog", workerdLog);
  project.provide("denoUrl", deno.url);
  project.provide("proxyUrl", proxy.url);

  return async () => {
    await proxy.stop();
    await Promise.all([workerd.stop(), deno.stop()]);
    await rest.stop();
    await database.stop();
    closeSync(log);
    closeSync(denoLog);
    await rm(folder, { recursive: true });
  };
}
