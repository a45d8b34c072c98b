import { randomBytes } from "node:crypto";
import { sign } from "hono/jwt";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { type Server, startRest } from "../../scripts/stack/rest.ts";

const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
afterAll(() => sql.end());

const INSUFFICIENT_PRIVILEGE = "42501";

const tables = await sql<{ name: string; column: string }[]>`
  select pg_class.relname as name, attname as column
  from pg_class join pg_attribute on attrelid = pg_class.oid and attname in ('tenant_id', 'name', 'token_id')
  where relnamespace in ('public'::regnamespace, 'internal'::regnamespace) and relkind in ('r', 'p', 'v', 'm')`;
const functions = await sql<{ name: string; call: string; takes_payload: boolean }[]>`
  select proargnames = '{payload}' and pronamespace = 'public'::regnamespace as takes_payload, oid::regprocedure::text as name, format('select %s(%s)', oid::regproc, (
    select string_agg(format('null::%s', type::regtype), ', ') from unnest(proargtypes) as type)) as call
  from pg_proc where pronamespace in ('public'::regnamespace, 'internal'::regnamespace) and prorettype <> 'trigger'::regtype`;

/** What becomes of a statement when a role tries it. */
async function tried(role: string, statement: string): Promise<string> {
  try {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(`set local role ${role}`);
      await transaction.unsafe(statement);
      throw new Error("taken back");
    });
    return "done";
  } catch (error) {
    return (error as { code?: string }).code ?? "done";
  }
}

describe.each(["anon", "authenticated"])("in SQL, %s", (role) => {
  it("can do nothing with any table", async () => {
    expect(tables.length).toBeGreaterThan(10);
    for (const { name, column } of tables) {
      for (const statement of [
        `select * from public.${name}`,
        `insert into public.${name} default values`,
        `update public.${name} set ${column} = null`,
        `delete from public.${name}`,
        `truncate public.${name} cascade`,
        `copy public.${name} to stdout`,
        `alter table public.${name} disable row level security`,
      ])
        expect([statement, await tried(role, statement)]).toEqual([statement, INSUFFICIENT_PRIVILEGE]);
    }
  });

  it("can call no function", async () => {
    expect(functions.length).toBeGreaterThan(80);
    for (const { name, call } of functions)
      expect([name, await tried(role, call)]).toEqual([name, INSUFFICIENT_PRIVILEGE]);
  });

  it("can make nothing in the schemas", async () => {
    for (const schema of ["public", "internal"])
      expect(await tried(role, `create table ${schema}.mine (id integer)`)).toBe(INSUFFICIENT_PRIVILEGE);
  });
});

it("service_role, who is tried in the same way, can", async () => {
  expect(await tried("service_role", "select * from public.steps")).toBe("done");
  expect(await tried("service_role", "select public.check_ready()")).toBe("done");
});

const publishableKey = "sb_publishable_known";
const jwtSecret = randomBytes(32).toString("hex");
const serviceKey = inject("serviceKey");

describe("over the REST layer", () => {
  let rest: Server;

  beforeAll(async () => {
    // It writes each refusal of Postgres on the console, with its stack.
    vi.spyOn(console, "error").mockImplementation(() => {});
    rest = await startRest({
      databaseUrl: inject("authenticatorUrl"),
      serviceKey,
      publishableKey,
      jwtSecret,
    });
  });

  afterAll(async () => {
    await rest.stop();
    vi.restoreAllMocks();
  });

  const jwtOf = (role: string, secret: string) =>
    sign({ role, exp: Math.floor(Date.now() / 1000) + 3600 }, secret);
  const withJwt = (jwt: string) => ({ apikey: publishableKey, Authorization: `Bearer ${jwt}` });

  it.each([
    ["without a key", async () => ({})],
    ["with another's secret key", async () => ({ apikey: `sb_secret_${"0".repeat(48)}` })],
    ["as anon", async () => ({ apikey: publishableKey })],
    ["as authenticated", async () => withJwt(await jwtOf("authenticated", jwtSecret))],
    ["as service_role by a forged JWT", async () => withJwt(await jwtOf("service_role", "forged"))],
    [
      "as service_role by a forged JWT as key",
      async () => ({ apikey: await jwtOf("service_role", "forged") }),
    ],
  ])("%s: no table is read or written, no function is called", async (_, headersOf) => {
    const headers = { ...(await headersOf()), "Content-Type": "application/json" };
    const ask = async (path: string, init: RequestInit) => {
      const response = await fetch(`${rest.url}/rest/v1/${path}`, { ...init, headers });
      return [path, response.status, await response.text()];
    };
    const refused = (path: string) => [
      path,
      expect.toBeOneOf([401, 403]),
      expect.not.stringMatching(/"data"|"id"/),
    ];
    for (const { name, column } of tables) {
      const body = JSON.stringify({ [column]: null });
      const some = `${name}?${column}=is.null`;
      expect(await ask(name, { method: "GET" })).toEqual(refused(name));
      expect(await ask(name, { method: "POST", body })).toEqual(refused(name));
      expect(await ask(some, { method: "PATCH", body })).toEqual(refused(some));
      expect(await ask(some, { method: "DELETE" })).toEqual(refused(some));
    }
    for (const { name } of functions.filter(({ takes_payload }) => takes_payload)) {
      const path = `rpc/${name.replace(/\(.*/, "")}`;
      expect(await ask(path, { method: "POST", body: '{"payload":{}}' })).toEqual(refused(path));
    }
  });

  it("the secret that it would sign JWTs with by itself, which everybody knows, opens nothing", async () => {
    const jwt = await jwtOf("service_role", "unsafe-secret-change-me");
    const headers = { apikey: "sb_publishable_unused", Authorization: `Bearer ${jwt}` };
    const response = await fetch(`${inject("restUrl")}/rest/v1/tenants`, { headers });
    expect(response.status).toBe(401);
  });

  it("with the service key, which is tried in the same way, they are read and called", async () => {
    const headers = { apikey: serviceKey, "Content-Type": "application/json" };
    const init = { method: "POST", body: '{"payload":{}}', headers };
    expect((await fetch(`${rest.url}/rest/v1/tenants?limit=1`, { headers })).status).toBe(200);
    expect((await fetch(`${rest.url}/rest/v1/rpc/list_tracer_tokens`, init)).status).toBe(200);
  });
});
