import postgres from "postgres";
import { afterAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { startRest } from "../../scripts/stack/rest.ts";

const sql = postgres(inject("databaseUrl"), { onnotice: () => {} });
afterAll(() => sql.end());

const SCHEMAS = sql`'public'::regnamespace, 'internal'::regnamespace`;
const strangers = ["anon", "authenticated"];

describe("the whole schema is locked", () => {
  it("row level security is on for every table, and no policy opens one", async () => {
    const tables = await sql`
      select relname, relrowsecurity from pg_class
      where relnamespace in (${SCHEMAS}) and relkind in ('r', 'p')`;
    expect(tables.length).toBeGreaterThan(0);
    expect(tables.filter(({ relrowsecurity }) => !relrowsecurity)).toEqual([]);
    expect(await sql`select policyname from pg_policies where schemaname in ('public', 'internal')`).toEqual(
      [],
    );
  });

  it("anon and authenticated have no privilege on any table, view or sequence", async () => {
    const granted = await sql`
      select stranger, relname, privilege
      from pg_class, unnest(${strangers}::text[]) stranger,
           unnest(case relkind when 'S' then array['usage', 'select', 'update']
                  else array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger', 'maintain'] end) privilege
      where relnamespace in (${SCHEMAS}) and relkind in ('r', 'p', 'v', 'm', 'S')
        and case relkind when 'S' then has_sequence_privilege(stranger, oid, privilege)
            else has_table_privilege(stranger, oid, privilege)
              or (privilege in ('select', 'insert', 'update', 'references')
                  and has_any_column_privilege(stranger, oid, privilege)) end`;
    expect(granted).toEqual([]);
  });

  it("anon and authenticated may execute no function, and service_role may", async () => {
    const functions = await sql`
      select proname, array(select role from unnest(${[...strangers, "service_role"]}::text[]) role
                            where has_function_privilege(role, oid, 'execute')) as executed_by
      from pg_proc where pronamespace in (${SCHEMAS})`;
    expect(functions.length).toBeGreaterThan(0);
    expect(functions.filter(({ executed_by }) => String(executed_by) !== "service_role")).toEqual([]);
  });

  it("nobody but service_role may use the schema internal, which the REST layer does not expose, or its types", async () => {
    const roles = [...strangers, "service_role"];
    const [schema] = await sql`
      select array(select role from unnest(${roles}::text[]) role
                   where has_schema_privilege(role, 'internal', 'usage')) as used_by`;
    expect(schema?.used_by).toEqual(["service_role"]);
    const types = await sql`
      select typname, array(select role from unnest(${roles}::text[]) role
                            where has_type_privilege(role, pg_type.oid, 'usage')) as used_by
      from pg_type join pg_class on pg_class.oid = typrelid and relkind = 'c' where typnamespace = 'internal'::regnamespace`;
    expect(types.length).toBeGreaterThan(0);
    expect(types.filter(({ used_by }) => String(used_by) !== "service_role")).toEqual([]);
    const response = await fetch(`${inject("restUrl")}/rest/v1/rpc/fold`, {
      method: "POST",
      headers: {
        apikey: inject("serviceKey"),
        "Content-Type": "application/json",
        "Content-Profile": "internal",
      },
      body: JSON.stringify({ tenant_id: crypto.randomUUID() }),
    });
    expect(response.ok).toBe(false);
  });

  it("what the API calls is in public, and each of these takes a payload, but for three", async () => {
    const others = await sql`
      select proname from pg_proc
      where pronamespace = 'public'::regnamespace and proargnames is distinct from '{payload}' order by proname`;
    expect(others.map(({ proname }) => proname)).toEqual([
      "check_ready",
      "monkai_increment_rate_limit",
      "schema_version",
    ]);
  });

  it("every function runs with an empty search_path and as its caller, but for the counter", async () => {
    const loose = await sql`
      select proname, proconfig, prosecdef from pg_proc
      where pronamespace in (${SCHEMAS})
        and (prosecdef <> (pg_proc.oid::regproc = 'public.monkai_increment_rate_limit'::regproc) or not coalesce(proconfig @> array['search_path=""'], false))`;
    expect(loose).toEqual([]);
  });

  it("every table carries tenant_id, but tenants and the counts of a token", async () => {
    const without = await sql`
      select relname from pg_class
      where relnamespace in (${SCHEMAS}) and relkind in ('r', 'p') and not exists (
        select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant_id' and not attisdropped)
      order by relname`;
    expect(without.map(({ relname }) => relname)).toEqual([
      "monkai_rate_limits",
      "refilled_limits",
      "tenants",
    ]);
  });
});

describe("the REST layer", () => {
  it("refuses the tables and functions to a caller without the service key", async () => {
    // Of the test's own: it prints what Postgres refuses.
    const rest = await startRest({
      databaseUrl: inject("authenticatorUrl"),
      serviceKey: inject("serviceKey"),
    });
    onTestFinished(() => rest.stop());
    const call = (path: string, body?: object) =>
      fetch(`${rest.url}/rest/v1/${path}`, {
        method: body ? "POST" : "GET",
        headers: { apikey: "sb_publishable_unused", "Content-Type": "application/json" },
        body: body && JSON.stringify(body),
      });
    expect((await call("tracer_tokens?select=*")).status).toBe(401);
    expect((await call("rpc/list_tracer_tokens", { payload: {} })).status).toBe(401);
  });
});
