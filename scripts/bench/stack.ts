import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { hashTracerToken, newTracerToken } from "../../functions/monkai-api/domain/tracer-token.ts";
import { RATE_LIMITS } from "../../functions/monkai-api/rate-limits.ts";
import { bundleForWorkerd } from "../stack/bundle.ts";
import { type Database, startDatabase } from "../stack/database.ts";
import { loopback } from "../stack/ports.ts";
import type { Server } from "../stack/rest.ts";
import { superviseRest } from "../stack/rest-supervisor.ts";
import { callFunction, type Project } from "../stack/rpc.ts";
import { startWorker } from "../stack/worker.ts";
import { prepareWorker, startWorkerd } from "../stack/workerd.ts";
import { createBareRows } from "./bare-rows.ts";
import { foldRegularly } from "./schedule.ts";

/** The embedded stack as `npm run dev` starts it, each part in a process of its own, on an empty database; its schedule too. */
export interface Stack {
  database: Database;
  /** The REST layer. */
  project: Project;
  /** The API in workerd. */
  url: string;
  workerdPid: number;
  /** The owner of the schema. */
  sql: postgres.Sql;
  stop(): Promise<void>;
}

/** A tenant whose tokens are limited by nothing, and its first namespace: `bench`. */
export interface Tenant {
  id: string;
  namespaceId: number;
  tokens: string[];
}

const NO_LIMIT = 2 ** 31 - 1;
const BUCKETS = Object.keys(RATE_LIMITS);

export async function startStack(): Promise<Stack> {
  const database = await startDatabase({ ephemeral: true });
  const sql = postgres(database.postgresUrl, { max: 8, onnotice: () => {} });
  // Before the REST layer, which reads the schema once.
  await createBareRows(sql);

  const serviceKey = `sb_secret_${randomBytes(24).toString("hex")}`;
  const rest = await superviseRest({ databaseUrl: database.authenticatorUrl, serviceKey });
  const worker = await startFreshWorker({ database, project: { url: rest.url, serviceKey } });
  const stopFolding = foldRegularly(database);
  return {
    database,
    project: { url: rest.url, serviceKey },
    url: worker.url,
    workerdPid: worker.workerdPid,
    sql,
    async stop() {
      await worker.stop();
      await rest.stop();
      await stopFolding();
      await sql.end({ timeout: 1 });
      await database.stop();
    },
  };
}

/** What one would deploy instead of this API, in workerd as well: one of the workers beside this file. */
export async function startOther({ project }: Stack, worker: string): Promise<Server> {
  const code = bundleForWorkerd(`scripts/bench/workers/${worker}`);
  const bindings = { SUPABASE_URL: project.url, SUPABASE_SERVICE_ROLE_KEY: project.serviceKey };
  const { port, stop } = await startWorkerd(prepareWorker({ code, bindings }));
  return { url: `http://${loopback}:${port}`, stop };
}

/** One more Worker on the same data, which has done nothing yet; one that encrypts, where it has keys for that. */
export async function startFreshWorker(
  { database, project }: Pick<Stack, "database" | "project">,
  contentKeys?: string,
) {
  let workerdPid = 0;
  const { url, stop } = await startWorker({
    // A line for each request, which would bury the result.
    log: "ignore",
    supabaseUrl: project.url,
    serviceKey: project.serviceKey,
    contentKeys,
    adopt(child) {
      database.adopt(child);
      workerdPid = child.pid ?? 0;
    },
  });
  return { url, stop, workerdPid };
}

export async function newTenant({ project, sql }: Stack, name: string, tokenCount: number): Promise<Tenant> {
  const tokens = Array.from({ length: tokenCount }, newTracerToken);
  for (const token of tokens) {
    const token_hash = await hashTracerToken(token);
    await callFunction(project, "create_tracer_token", { tenant: name, token_hash, name: "bench" });
  }
  const limits = Object.fromEntries(BUCKETS.map((bucket) => [bucket, NO_LIMIT]));
  const [tenant] = await sql<[{ id: string }]>`
    update public.tenants set rate_limits = ${sql.json(limits)} where name = ${name} returning id`;
  const [namespace] = await sql<[{ id: number }]>`
    insert into public.namespaces (tenant_id, name) values (${tenant.id}, 'bench') returning id`;
  return { id: tenant.id, namespaceId: namespace.id, tokens };
}
