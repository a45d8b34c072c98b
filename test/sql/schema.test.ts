import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";

const sql = postgres(inject("databaseUrl"), { onnotice: () => {} });
afterAll(() => sql.end());

const strangers = ["anon", "authenticated"];

describe("the whole schema is locked", () => {
  it("row level security is on for every table, and no policy opens one", async () => {
    const tables = await sql`
      select relname, relrowsecurity from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`;
    expect(tables.length).toBeGreaterThan(0);
    expect(tables.filter(({ relrowsecurity }) => !relrowsecurity)).toEqual([]);
    expect(await sql`select policyname from pg_policies where schemaname = 'public'`).toEqual([]);
  });

  it("anon and authenticated have no privilege on any table, view or sequence", async () => {
    const granted = await sql`
      select stranger, relname, privilege
      from pg_class, unnest(${strangers}::text[]) stranger,
           unnest(case relkind when 'S' then array['usage', 'select', 'update']
                  else array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger', 'maintain'] end) privilege
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')
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
      from pg_proc where pronamespace = 'public'::regnamespace`;
    expect(functions.length).toBeGreaterThan(0);
    expect(functions.filter(({ executed_by }) => String(executed_by) !== "service_role")).toEqual([]);
  });

  it("every function runs with an empty search_path and as its caller, but for the counter", async () => {
    const loose = await sql`
      select proname, proconfig, prosecdef from pg_proc
      where pronamespace = 'public'::regnamespace
        and (prosecdef <> (proname = 'monkai_increment_rate_limit') or not coalesce(proconfig @> array['search_path=""'], false))`;
    expect(loose).toEqual([]);
  });

  it("every table carries tenant_id, but tenants and the counts of a token", async () => {
    const without = await sql`
      select relname from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not exists (
        select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant_id' and not attisdropped)`;
    expect(without.map(({ relname }) => relname)).toEqual(["tenants", "monkai_rate_limits"]);
  });
});

describe("the REST layer", () => {
  it("refuses the tables and functions to a caller without the service key", async () => {
    const call = (path: string, body?: object) =>
      fetch(`${inject("restUrl")}/rest/v1/${path}`, {
        method: body ? "POST" : "GET",
        headers: { apikey: "sb_publishable_unused", "Content-Type": "application/json" },
        body: body && JSON.stringify(body),
      });
    expect((await call("tracer_tokens?select=*")).status).toBe(401);
    expect((await call("rpc/list_tracer_tokens", { payload: {} })).status).toBe(401);
  });
});
