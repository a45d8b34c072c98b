import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type postgres from "postgres";
import { expect, inject, it, onTestFinished } from "vitest";
import { hashTracerToken, newTracerToken } from "../../functions/monkai-api/domain/tracer-token.ts";
import { SCHEMA_VERSION } from "../../functions/monkai-api/store/store.ts";
import { migrate } from "../../scripts/stack/migrate.ts";
import { startRest } from "../../scripts/stack/rest.ts";
import { appInProcess } from "../support/app.ts";
import { callAll } from "../support/database.ts";
import { ROOT } from "../support/dev.ts";
import { inDatabase, withDatabase } from "../support/empty-database.ts";
import { Client } from "../support/tenant.ts";
import { runTool } from "../support/tools.ts";

const FOLDER = join(ROOT, "supabase/migrations");
const files = (await readdir(FOLDER)).sort();

/** A folder with the first migrations alone. */
async function firstMigrations(number: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "trace-migrations-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const file of files.slice(0, number)) await cp(join(FOLDER, file), join(folder, file));
  return folder;
}

/** The schema as Postgres holds it, and what has been applied. */
async function schema(sql: postgres.Sql) {
  return {
    columns: await sql`
      select table_name, column_name, data_type, column_default, is_nullable from information_schema.columns
      where table_schema = 'public' order by 1, 2`,
    constraints: await sql`
      select conname, pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace order by 1, 2`,
    indexes: await sql`select indexdef from pg_indexes where schemaname = 'public' order by 1`,
    functions: await sql`
      select oid::regprocedure::text, md5(pg_get_functiondef(oid)) from pg_proc
      where pronamespace = 'public'::regnamespace order by 1`,
    history: await sql`select version, name from supabase_migrations.schema_migrations order by 1`,
  };
}

it("applied to an empty database they make a schema; applied again they change nothing", async () => {
  await withDatabase(async (url, sql) => {
    await migrate(url, FOLDER);
    const made = await schema(sql);
    expect(made.history.map(({ version, name }) => `${version}_${name}.sql`)).toEqual(files);
    expect(made.columns.length).toBeGreaterThan(50);
    await migrate(url, FOLDER);
    expect(await schema(sql)).toEqual(made);
  });
});

const ITEMS = [
  {
    type: "llm",
    agent: "bot",
    model: "m",
    input_tokens: 1,
    content: { input: { prompt: "said then" } },
    result: {},
  },
  { type: "log", level: "warn", resource_id: "r", content: { message: "logged then" }, result: {} },
].map((item, index) => ({ index, session_id: "old", namespace: "shop", ...item }));

/** All rows of all tables, as they are stored. */
async function rowsOf(sql: postgres.Sql): Promise<Map<string, object[]>> {
  const tables = await sql`select tablename from pg_tables where schemaname = 'public'`;
  const rows = new Map<string, object[]>();
  for (const { tablename } of tables) {
    const stored = await sql`select to_jsonb(one) as one from public.${sql(tablename)} one`;
    rows.set(
      tablename,
      stored.map(({ one }) => one),
    );
  }
  return rows;
}

/** What clients of an older version have left: a token, rules, a trace, a log entry, a record, and a key. */
async function fill(sql: postgres.Sql): Promise<string> {
  const token = newTracerToken();
  const token_hash = await hashTracerToken(token);
  const caller = { request_id: "then", token_hash, bucket: "traces", limit: 600 };
  const rules = { toggles: { email: true }, custom: [] };
  const record = {
    index: 0,
    type: "message",
    namespace: "shop",
    agent: "bot",
    content: { msg: "uploaded then" },
  };
  const stored = { ...caller, anonymization_version: 1 };
  await callAll(sql, "create_tracer_token", [{ tenant: "then", token_hash }]);
  const answers = [
    ...(await callAll(sql, "put_anonymization_rules", [{ ...caller, rules }])),
    ...(await callAll(sql, "record_traces", [
      { ...stored, items: ITEMS, idempotency: { key: "k", hash: "h" } },
    ])),
    ...(await callAll(sql, "upload_items", [{ ...stored, items: [record] }])),
  ];
  expect(answers.filter(({ data }) => !data)).toEqual([]);
  const bound = {
    tenant: "then",
    token_hash: "0".repeat(64),
    namespaces: ["shop"],
    expires_at: "2099-01-01T00:00:00Z",
  };
  await callAll(sql, "create_tracer_token", [bound]);
  await sql`update public.tenants set rate_limits = '{"rules": 7}'`;
  const session = { namespace: "shop", user_id: "u", metadata: { said: "then" } };
  await callAll(sql, "create_session", [{ ...caller, session }]);
  return token;
}

it("the newest one says which it is, and it is the one that the API asks for", async () => {
  const newest = Number(files.at(-1)?.slice(8, 14));
  await withDatabase(async (url, sql) => {
    await migrate(url, FOLDER);
    const [row] = await sql`select public.schema_version() as number`;
    expect([row?.number, SCHEMA_VERSION]).toEqual([newest, newest]);
  });
});

it.each([
  ["the version before", files.length - 1],
  ["the version before there were traces", files.findIndex((file) => file.endsWith("_traces.sql"))],
])("applied onto %s they keep what was stored, and the API works on with it", async (_, number) => {
  await withDatabase(async (url, sql) => {
    await migrate(url, await firstMigrations(number));
    const token = await fill(sql);
    const then = await rowsOf(sql);
    expect(then.get("monkai_idempotency_keys")).toHaveLength(1);
    await migrate(url, FOLDER);
    const now = await rowsOf(sql);
    for (const [table, rows] of then)
      expect([table, now.get(table)]).toEqual([
        table,
        expect.arrayContaining(rows.map((row) => expect.objectContaining(row))),
      ]);

    const name = new URL(url).pathname.slice(1);
    const databaseUrl = inDatabase(inject("authenticatorUrl"), name);
    const rest = await startRest({ databaseUrl, serviceKey: inject("serviceKey") });
    try {
      await readBack(new Client(appInProcess(rest.url, inject("serviceKey")).api, token));
    } finally {
      await rest.stop();
    }
  });
});

async function readBack(client: Client): Promise<void> {
  const records = await client.post("/v1/record_query", { namespace: "shop", query: {} });
  expect([records.status, records.body.count]).toEqual([200, 2]);
  expect(JSON.stringify(records.body)).toMatch(/uploaded then.*said then|said then.*uploaded then/);
  const logs = await client.post("/v1/logs/query", { namespace: "shop", level: "warn", resource_id: "r" });
  expect([logs.status, logs.body.count, logs.body.logs[0].message]).toEqual([200, 1, "logged then"]);
  const rules = await client.get("/v1/anonymization-rules");
  expect([rules.status, rules.body.version]).toEqual([200, 1]);

  const traced = await client.post("/v1/traces/llm", { session_id: "old", input: { prompt: "a@b.co now" } });
  expect(traced.status).toBe(200);
  const steps = await client.get(`/v1/files/file_${traced.body.trace_id}/download`);
  expect(steps.status).toBe(200);
  expect(JSON.stringify(steps.body)).toContain("[EMAIL] now");
  expect((await client.post("/v1/record_query", { namespace: "shop", query: {} })).body.count).toBe(3);
}

it("Supabase's own linter has no warning, and as to security only that no policy opens the tables", async () => {
  await withDatabase(async (url, sql) => {
    await migrate(url, FOLDER);
    const advisors = "supabase db advisors --type all --level info --output-format json";
    const { results } = JSON.parse(await runTool(`${advisors} --remote='${url}' 2>/dev/null`)) as Advice;
    expect(results.filter(({ level }) => level !== "INFO")).toEqual([]);
    const security = results.filter(({ categories }) => categories.includes("SECURITY"));
    expect(new Set(security.map(({ name }) => name))).toEqual(new Set(["rls_enabled_no_policy"]));
    const tables = await sql`select from pg_tables where schemaname = 'public'`;
    expect(security).toHaveLength(tables.length);
  });
});

/** What the CLI's advisors find: the lints of Splinter, Supabase's linter, in the version that the CLI was built with. */
interface Advice {
  results: { name: string; level: string; categories: string[] }[];
}
