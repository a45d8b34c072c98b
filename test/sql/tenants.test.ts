import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { callAll, newCaller, otherToken, waitUntilBlocked } from "../support/database.ts";

const sql = postgres(inject("databaseUrl"), { onnotice: () => {} });
afterAll(() => sql.end());

const ITEM = { session_id: "s", namespace: "n", content: { message: "m" } };

/** A tenant with a session `s` in the namespace `n`, and a record, a log, a span and a step of the trace `t` in it. */
async function newTenant() {
  const caller = await newCaller();
  const items = [
    { kind: "llm" },
    { kind: "log", level: "info" },
    { kind: "agent", otel_trace_id: "o", span_id: "1" },
    { kind: "tool", trace_id: "t", parent_trace_id: "p" },
  ].map((item, index) => ({ ...ITEM, ...item, index }));
  const [answer] = await callAll(sql, "record_steps", [
    { ...caller, items, idempotency: { key: "k", hash: "h" } },
  ]);
  const message = { ...ITEM, index: 0, kind: "message", content: { msg: "m" } };
  await callAll(sql, "upload_steps", [{ ...caller, items: [message] }]);
  const [namespace] = await sql`select id from public.namespaces where tenant_id = ${answer.tenant_id}`;
  return { caller, id: answer.tenant_id as string, namespaceId: namespace?.id as string };
}

describe("tenant isolation in the database", () => {
  it("sessions of one tenant cannot stand in another's namespace", async () => {
    const [one, two] = [await newTenant(), await newTenant()];
    const trespass = sql`
      insert into public.sessions (tenant_id, namespace_id, id) values (${one.id}, ${two.namespaceId}, 'x')`;
    await expect(trespass).rejects.toMatchObject({
      constraint_name: "session_namespace_belongs_to_its_tenant",
    });
  });

  it("the request functions answer with the caller's own rows alone, though another's have the same names", async () => {
    const [one] = [await newTenant(), await newTenant()];
    const ask = async (name: string, more: object) =>
      (await callAll(sql, name, [{ ...one.caller, ...more }]))[0];
    const query = { namespace: "n", limit: 1000, offset: 0 };
    const records = await ask("query_steps", { query: { ...query, list: "records" } });
    const logs = await ask("query_steps", { query: { ...query, list: "logs" } });
    expect([records.data.count, records.data.rows.length]).toEqual([3, 3]);
    expect([logs.data.count, logs.data.rows.length]).toEqual([1, 1]);
    const traces = await ask("list_traces", { query: { limit: 10, offset: 0 } });
    expect([traces.data.total, traces.data.traces.length]).toEqual([4, 4]);
    const tree = await ask("get_trace_tree", { trace_id: "t" });
    expect(
      tree.data.traces.map(({ id, step_count }: { id: string; step_count: number }) => [id, step_count]),
    ).toEqual([
      ["p", 0],
      ["t", 1],
    ]);
    const file = await ask("export_file", { query: { file_id: "file_o", limit: 10, bytes: 100_000 } });
    expect(file.data.rows).toHaveLength(1);
  });

  it.each(["get_trace", "get_trace_tree", "purge_trace_content"])(
    "%s knows no trace of another tenant",
    async (name) => {
      const [one, two] = [await newTenant(), await newTenant()];
      const [known] = await callAll(sql, "list_traces", [
        { ...two.caller, query: { session_id: "s", limit: 10, offset: 0 } },
      ]);
      const theirs = known.data.traces
        .map(({ id }: { id: string }) => id)
        .find((id: string) => id.startsWith("agt_"));
      const [answer] = await callAll(sql, name, [{ ...one.caller, trace_id: theirs }]);
      expect(answer.error.code).toBe("not_found");
      const kept = await sql`select from public.steps where tenant_id = ${two.id} and content is null`;
      expect(kept).toHaveLength(0);
    },
  );

  it("the same span of two tenants is stored for each", async () => {
    const [one, two] = [await newTenant(), await newTenant()];
    const spans = await sql`
      select tenant_id from public.steps where tenant_id in (${one.id}, ${two.id}) and span_id = '1'`;
    expect(spans.map(({ tenant_id }) => tenant_id).sort()).toEqual([one.id, two.id].sort());
  });

  it("a token of one tenant cannot be registered for another; again for its own changes nothing", async () => {
    const { caller } = await newTenant();
    const [owner] = await sql`
      select tenants.name from public.tenants join public.tracer_tokens on tenants.id = tracer_tokens.tenant_id
      where token_hash = ${caller.token_hash}`;
    const register = (tenant: string) =>
      callAll(sql, "create_tracer_token", [{ tenant, token_hash: caller.token_hash }]);
    expect(await register(`tenant-${crypto.randomUUID()}`)).toMatchObject([
      { error: { code: "token_taken" } },
    ]);
    await callAll(sql, "revoke_tracer_token", [{ token_hash: caller.token_hash }]);
    expect(await register(owner?.name)).toMatchObject([{ tenant: owner?.name, active: false }]);
  });

  it("deleting a tenant deletes all that is its own, and nothing else", async () => {
    const [gone, stays] = [await newTenant(), await newTenant()];
    const put = { rules: { toggles: {}, custom: [] }, anonymization_version: 0 };
    for (const { caller, id } of [gone, stays]) {
      await callAll(sql, "purge_trace_content", [{ ...caller, bucket: "query", trace_id: "t" }]);
      await callAll(sql, "erase_session", [{ ...caller, session_id: "t" }]);
      const step = { ...ITEM, index: 0, kind: "llm" };
      await callAll(sql, "record_steps", [
        { ...caller, items: [step, { ...step, index: 1, session_id: "t" }] },
      ]);
      await sql`delete from public.steps where tenant_id = ${id} and session_id = 't'`;
      const score = { index: 0, trace_id: "t", name: "n", value: 1, content: {} };
      await callAll(sql, "record_scores", [{ ...caller, items: [score] }]);
      await callAll(sql, "put_anonymization_rules", [{ ...caller, ...put }]);
      await callAll(sql, "put_model_prices", [{ ...caller, prices: [] }]);
      const rules = { content_days: 1, days: null, namespaces: {} };
      await callAll(sql, "put_retention", [{ ...caller, rules }]);
      await sql`insert into public.data_keys (tenant_id, number) values (${id}, 1)`;
      await sql`
        insert into public.forgotten_content (tenant_id, namespace_id, last_id)
        select ${id}, min(id), gen_random_uuid() from public.namespaces where tenant_id = ${id}`;
    }
    const tables = await sql`
      select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'tenant_id' and table_name <> 'monkai_idempotency_keys'`;
    expect(tables.length).toBeGreaterThan(10);
    const owners = async (table: string) => {
      const rows = await sql`
        select distinct tenant_id from public.${sql(table)} where tenant_id in (${gone.id}, ${stays.id})`;
      return [table, rows.map(({ tenant_id }) => tenant_id).sort()];
    };
    for (const { name } of tables) expect(await owners(name)).toEqual([name, [gone.id, stays.id].sort()]);
    await sql`delete from public.tenants where id = ${gone.id}`;
    for (const { name } of tables) expect(await owners(name)).toEqual([name, [stays.id]]);
  });
});

describe("who deletes a session or a namespace", () => {
  it("deletes with a namespace what its steps have used, of those that were forgotten, too", async () => {
    const { caller, id } = await newTenant();
    await callAll(sql, "record_steps", [{ ...caller, items: [{ ...ITEM, index: 0, kind: "llm" }] }]);
    await callAll(sql, "erase_session", [{ ...caller, session_id: "s" }]);
    const used = () => sql`select distinct grain from public.usage where tenant_id = ${id}`;
    expect(await used()).toHaveLength(6);
    await sql`delete from public.namespaces where tenant_id = ${id}`;
    expect(await used()).toEqual([]);
  });

  it.each([
    ["sessions", "id = 's'"],
    ["namespaces", "name = 'n'"],
  ])(
    "%s: waits for the steps that are being stored there, and deletes them too",
    async (table, condition) => {
      const { caller, id } = await newTenant();
      const token_hash = await otherToken(sql, caller);
      let deletion: Promise<unknown> | undefined;
      await sql.begin(async (writer) => {
        const payload = { ...caller, token_hash, items: [{ ...ITEM, index: 0, kind: "llm" }] };
        await writer`select public.record_steps(${sql.json(payload)})`;
        deletion =
          sql`delete from public.${sql(table)} where tenant_id = ${id} and ${sql.unsafe(condition)}`.execute();
        await waitUntilBlocked(sql, "delete from");
      });
      await deletion;
      const steps = await sql`select from public.steps where tenant_id = ${id} and session_id = 's'`;
      expect(steps).toHaveLength(0);
      const [answer] = await callAll(sql, "list_traces", [{ ...caller, query: { limit: 10, offset: 0 } }]);
      expect(answer.data.total).toBe(0);
    },
  );

  it("steps whose namespace is just being deleted wait, and then open it anew", async () => {
    const { caller, id } = await newTenant();
    let late: ReturnType<typeof callAll> | undefined;
    await sql.begin(async (deleter) => {
      await deleter`delete from public.namespaces where tenant_id = ${id} and name = 'n'`;
      late = callAll(sql, "record_steps", [{ ...caller, items: [{ ...ITEM, index: 0, kind: "llm" }] }]);
      await waitUntilBlocked(sql, "record_steps");
    });
    expect((await late)?.[0].data.refused).toEqual([]);
    const [answer] = await callAll(sql, "list_traces", [{ ...caller, query: { limit: 10, offset: 0 } }]);
    expect([answer.data.total, answer.data.traces[0].step_count]).toEqual([1, 1]);
  });
});
