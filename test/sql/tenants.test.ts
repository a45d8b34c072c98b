import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { callAll, newCaller } from "../support/database.ts";

const sql = postgres(inject("databaseUrl"), { onnotice: () => {} });
afterAll(() => sql.end());

/** A tenant with a session `s` in the namespace `n`, and a record and a log in it. */
async function newTenant() {
  const caller = await newCaller();
  const item = { session_id: "s", namespace: "n", content: { message: "m" }, result: {} };
  const [answer] = await callAll(sql, "record_traces", [
    {
      ...caller,
      items: [
        { index: 0, type: "llm", ...item },
        { index: 1, type: "log", level: "info", ...item },
      ],
    },
  ]);
  const [namespace] = await sql`select id from public.namespaces where tenant_id = ${answer.tenant_id}`;
  return { caller, id: answer.tenant_id as string, namespaceId: namespace?.id as string };
}

describe("tenant isolation in the database", () => {
  it.each([
    ["records", "record_namespace_belongs_to_its_tenant", sql`type, agent`, sql`'llm', 'a'`],
    ["logs", "log_namespace_belongs_to_its_tenant", sql`level`, sql`'info'`],
    ["sessions", "session_namespace_belongs_to_its_tenant", sql`id`, sql`'x'`],
    ["agents", "agent_namespace_belongs_to_its_tenant", sql`name`, sql`'x'`],
    ["traces", "trace_namespace_belongs_to_its_tenant", sql`id, tree_id, agent_id`, sql`-1, -1, -1`],
  ])(
    "%s of one tenant cannot stand in another's namespace: %s",
    async (table, constraint, columns, values) => {
      const [one, two] = [await newTenant(), await newTenant()];
      const trespass = sql`
      insert into public.${sql(table)} (tenant_id, namespace_id, ${columns})
      values (${one.id}, ${two.namespaceId}, ${values})`;
      await expect(trespass).rejects.toMatchObject({ constraint_name: constraint });
    },
  );

  it.each([
    ["records", "record_session_belongs_to_its_tenant", sql`type, agent`, sql`'llm', 'a'`],
    ["logs", "log_session_belongs_to_its_tenant", sql`level`, sql`'info'`],
    ["traces", "trace_session_belongs_to_its_tenant", sql`id, tree_id, agent_id`, sql`-1, -1, -1`],
  ])("%s of one tenant cannot stand in another's session: %s", async (table, constraint, columns, values) => {
    const one = await newTenant();
    const trespass = sql`
      insert into public.${sql(table)} (tenant_id, namespace_id, session_id, ${columns})
      values (${one.id}, ${one.namespaceId}, 'a session of somebody else', ${values})`;
    await expect(trespass).rejects.toMatchObject({ constraint_name: constraint });
  });

  it.each([
    ["records", "record_trace_belongs_to_its_tenant", sql`type, agent`, sql`'llm', 'a'`],
    ["logs", "log_trace_belongs_to_its_tenant", sql`level`, sql`'info'`],
  ])(
    "%s of one tenant cannot be steps of another's trace: %s",
    async (table, constraint, columns, values) => {
      const [one, two] = [await newTenant(), await newTenant()];
      const trespass = sql`
      insert into public.${sql(table)} (tenant_id, namespace_id, trace_id, ${columns})
      values (${one.id}, ${one.namespaceId}, (select id from public.traces where tenant_id = ${two.id}), ${values})`;
      await expect(trespass).rejects.toMatchObject({ constraint_name: constraint });
    },
  );

  it("a trace cannot be of another tenant's agent", async () => {
    const [one, two] = [await newTenant(), await newTenant()];
    const trespass = sql`
      insert into public.traces (id, tenant_id, namespace_id, agent_id, tree_id)
      select -1, ${one.id}, ${one.namespaceId}, agents.id, -1 from public.agents where agents.tenant_id = ${two.id}`;
    await expect(trespass).rejects.toMatchObject({ constraint_name: "trace_agent_belongs_to_its_namespace" });
  });

  it("a trace cannot have a parent in another tree, namespace or tenant", async () => {
    const [one, two] = [await newTenant(), await newTenant()];
    const trespass = sql`
      insert into public.traces (tenant_id, namespace_id, agent_id, parent_id, tree_id)
      select ${one.id}, ${one.namespaceId}, agents.id, traces.id, traces.id
      from public.agents, public.traces where agents.tenant_id = ${one.id} and traces.tenant_id = ${two.id}`;
    await expect(trespass).rejects.toMatchObject({
      constraint_name: "trace_is_in_the_tree_and_namespace_of_its_parent",
    });
  });

  it("the request functions answer with the caller's own rows alone", async () => {
    const [one] = [await newTenant(), await newTenant()];
    const query = { namespace: "n", limit: 1000, offset: 0 };
    const [records] = await callAll(sql, "query_records", [{ ...one.caller, query }]);
    const [logs] = await callAll(sql, "query_logs", [{ ...one.caller, query }]);
    expect([records.data.count, records.data.rows.length]).toEqual([1, 1]);
    expect([logs.data.count, logs.data.rows.length]).toEqual([1, 1]);
  });

  it("a token of one tenant cannot be registered for another; again for its own changes nothing", async () => {
    const { caller } = await newTenant();
    const [owner] = await sql`
      select tenants.name from public.tenants join public.tracer_tokens on tenants.id = tracer_tokens.tenant_id
      where token_hash = ${caller.token_hash}`;
    const register = (tenant: string) =>
      callAll(sql, "create_tracer_token", [{ tenant, token_hash: caller.token_hash }]);
    await expect(register(`tenant-${crypto.randomUUID()}`)).rejects.toThrow("another tenant");
    await callAll(sql, "revoke_tracer_token", [{ token_hash: caller.token_hash }]);
    expect(await register(owner?.name)).toMatchObject([{ tenant: owner?.name, active: false }]);
  });

  it("deleting a tenant deletes all that is its own, and nothing else", async () => {
    const [gone, stays] = [await newTenant(), await newTenant()];
    const put = { rules: { toggles: {}, custom: [] }, anonymization_version: 0 };
    for (const { caller } of [gone, stays])
      await callAll(sql, "put_anonymization_rules", [{ ...caller, ...put }]);
    const tables = [
      "tracer_tokens",
      "namespaces",
      "agents",
      "sessions",
      "traces",
      "records",
      "logs",
      "anonymization_rules",
    ];
    await sql`delete from public.tenants where id = ${gone.id}`;
    for (const table of tables) {
      const rows = await sql`
        select tenant_id from public.${sql(table)} where tenant_id in (${gone.id}, ${stays.id})`;
      expect([table, rows.map(({ tenant_id }) => tenant_id)]).toEqual([table, [stays.id]]);
    }
  });
});
