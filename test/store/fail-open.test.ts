import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashTracerToken } from "../../functions/monkai-api/domain/tracer-token.ts";
import { type Database, startDatabase } from "../../scripts/stack/database.ts";
import { type Server, startRest } from "../../scripts/stack/rest.ts";
import { callFunction } from "../../scripts/stack/rpc.ts";
import { appInProcess, type InProcessApp } from "../support/app.ts";
import { Client } from "../support/tenant.ts";

/** What is broken, and how: in a database of this file's own, which nobody else needs. */
const BROKEN: [name: string, sql: string, warning: string][] = [
  ["the table monkai_rate_limits is dropped", "drop table public.monkai_rate_limits", "Rate limiting is off"],
  [
    "monkai_increment_rate_limit raises",
    `create or replace function public.monkai_increment_rate_limit(token_id uuid, bucket text) returns integer
     language plpgsql as $$ begin raise exception 'broken'; end $$`,
    "Rate limiting is off",
  ],
  [
    "monkai_increment_rate_limit is dropped",
    "drop function public.monkai_increment_rate_limit",
    "Rate limiting is off",
  ],
  [
    "the table monkai_idempotency_keys is dropped",
    "drop table public.monkai_idempotency_keys",
    "Idempotency is off",
  ],
  [
    "claim_idempotency_key raises",
    `create or replace function internal.claim_idempotency_key(tenant_id uuid, key text, request_hash text, request_id text)
     returns jsonb language plpgsql as $$ begin raise exception 'broken'; end $$`,
    "Idempotency is off",
  ],
];

const serviceKey = "sb_secret_of_this_test";
let database: Database;
let rest: Server;
let sql: postgres.Sql;
let app: InProcessApp;

beforeAll(async () => {
  database = await startDatabase({ ephemeral: true });
  rest = await startRest({ databaseUrl: database.authenticatorUrl, serviceKey });
  app = appInProcess(rest.url, serviceKey);
  sql = postgres(database.postgresUrl, { onnotice: () => {} });
});

afterAll(async () => {
  await sql.end();
  await rest.stop();
  await database.stop();
});

async function newClient(): Promise<Client> {
  const token = `tk_${crypto.randomUUID()}`;
  const token_hash = await hashTracerToken(token);
  await callFunction({ url: rest.url, serviceKey }, "create_tracer_token", { tenant: token, token_hash });
  return new Client(app.api, token);
}

describe("cache failures fail open: the request proceeds, with a warning logged server-side", () => {
  it.each(BROKEN)("%s", async (_, breaking, warning) => {
    const client = await newClient();
    const restore = await breakBy(breaking);
    try {
      for (const id of ["one", "two"]) {
        app.problems.length = 0;
        app.calls = 0;
        const headers = { "Idempotency-Key": "k", "X-Request-ID": id };
        const trace = { session_id: "s", namespace: "n", input: { prompt: "my secret" } };
        const answer = await client.post("/v1/traces/llm", trace, headers);
        expect([answer.status, answer.body.success]).toEqual([200, true]);
        expect(app.calls).toBe(1);
        expect(app.problems[0]).toMatchObject({
          level: "warn",
          message: expect.stringContaining(warning),
          request_id: id,
        });
        expect(JSON.stringify(app.problems)).not.toContain("my secret");
      }
      const limited = warning.startsWith("Rate") ? null : "597";
      const query = await client.post("/v1/record_query", { namespace: "n", query: {} });
      expect(query.status).toBe(200);
      expect(query.body.count).toBe(warning.startsWith("Rate") ? 1 : 2);
      const last = await client.post("/v1/traces/llm", { session_id: "s", namespace: "n" });
      expect(last.headers.get("x-ratelimit-remaining")).toBe(limited);
    } finally {
      await restore();
    }
  });
});

describe("a batch that breaks half-way", () => {
  it("is 500 internal_error, none of it is stored, and what was said is not logged", async () => {
    const client = await newClient();
    await sql.unsafe(`
      create function public.explode() returns trigger language plpgsql as $$
      begin raise exception 'the value is odd' using errcode = '42000', detail = new.content; end $$;
      create trigger explode before insert on public.steps for each row when (new.kind = 'log')
      execute function public.explode()`);
    app.problems.length = 0;
    const answer = await client.post("/v1/traces/batch", {
      traces: [
        { type: "llm", session_id: "s", namespace: "n" },
        { type: "log", session_id: "s", namespace: "n", message: "my secret" },
      ],
    });
    await sql.unsafe("drop function public.explode cascade");
    expect([answer.status, answer.body.error.code]).toEqual([500, "internal_error"]);
    expect(answer.body.error.message).not.toContain("odd");
    expect(app.problems).toMatchObject([
      { level: "error", cause: expect.stringContaining("the value is odd") },
    ]);
    expect(JSON.stringify(app)).not.toContain("my secret");
    expect((await client.post("/v1/record_query", { namespace: "n", query: {} })).body.count).toBe(0);
  });
});

/** Breaks the database, and gives what mends it. A table is moved out of the way, which is gone for all who call it. */
async function breakBy(statement: string): Promise<() => Promise<void>> {
  const table = /drop table public\.(\w+)/.exec(statement)?.[1];
  if (table) {
    await sql.unsafe(`alter table public.${table} rename to kept`);
    return async () => void (await sql.unsafe(`alter table public.kept rename to ${table}`));
  }
  const [definitions] = await sql`
    select string_agg(pg_get_functiondef(oid), ';') as functions from pg_proc
    where proname in ('monkai_increment_rate_limit', 'claim_idempotency_key')`;
  await sql.unsafe(statement);
  return async () => void (await sql.unsafe(definitions?.functions));
}
