import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { otherToken } from "../support/database.ts";
import { drawnDatabase, drawnWithIds } from "./trees/drawing.ts";
import { randomOf } from "./trees/history.ts";
import { violations } from "./trees/invariants.ts";
import { ask, type Caller, listTraces, newTenant, send } from "./trees/sender.ts";
import type { Step } from "./trees/steps.ts";

const sql = postgres(inject("databaseUrl"), { max: 4, onnotice: () => {} });
afterAll(() => sql.end());

const plain: Step = {
  key: "1",
  kind: "llm",
  namespace: "n",
  session: "s",
  agent: "a",
  handoffs: [],
  time: 5,
};
const page = { limit: 100, offset: 0 };

async function boundTo(caller: Caller, namespaces: string[]): Promise<Caller> {
  return { ...caller, token_hash: await otherToken(sql, caller, namespaces) };
}

const rebuild = ({ tenant }: Caller) => sql`select public.rebuild(${sql.json({ tenant })})`;

/** The ids that a token is shown, of a list of traces. */
const idsOf = (traces: { id: string }[]) => traces.map(({ id }) => id).sort();

describe("taking content away", () => {
  it("leaves the trees as they are, and a rebuild makes the same again", async () => {
    const caller = await newTenant(sql);
    const handoffs = [{ from: "a", to: "b" }];
    const message: Step = { ...plain, key: "m", kind: "message", handoffs, time: 7 };
    await send(sql, caller, [plain, { ...plain, key: "h", kind: "handoff", handoffs, time: 6 }]);
    await send(sql, caller, [message]);
    await send(sql, caller, [{ ...plain, key: "t", traceId: "t", parentId: "p" }]);
    await listTraces(sql, caller);
    const before = [await drawnDatabase(sql, caller.tenantId), await drawnWithIds(sql, caller.tenantId)];
    const [root] = (
      await ask(sql, caller, "list_traces", { query: { ...page, session_id: "s", agent: "a" } })
    ).data.traces.filter(
      ({ parent_trace_id }: { parent_trace_id: string | null }) => parent_trace_id === null,
    );
    for (const trace_id of ["p", root.id]) {
      const { data } = await ask(sql, caller, "purge_trace_content", { trace_id });
      expect(data.content_redacted_at).not.toBeNull();
    }
    const said = await sql`
      select resource_id from public.steps
      where tenant_id = ${caller.tenantId} and (content is not null or error is not null)`;
    expect([...said]).toEqual([]);
    await rebuild(caller);
    expect([await drawnDatabase(sql, caller.tenantId), await drawnWithIds(sql, caller.tenantId)]).toEqual(
      before,
    );
    const { data } = await ask(sql, caller, "get_trace", { trace_id: "t" });
    expect(data.content_redacted_at).not.toBeNull();
  });

  it("a bound token takes away only what is in its namespaces", async () => {
    const caller = await newTenant(sql);
    await send(sql, caller, [
      { ...plain, traceId: "top" },
      { ...plain, key: "2", namespace: "m", session: "t", traceId: "low", parentId: "top" },
    ]);
    const bound = await boundTo(caller, ["n"]);
    expect((await ask(sql, bound, "purge_trace_content", { trace_id: "low" })).error.code).toBe("not_found");
    await ask(sql, bound, "purge_trace_content", { trace_id: "top" });
    const kept =
      await sql`select resource_id from public.steps where tenant_id = ${caller.tenantId} and content is not null`;
    expect(kept.map(({ resource_id }) => resource_id)).toEqual(["2"]);
  });
});

describe("a derived trace's id that a client says as trace_id", () => {
  it("both add up in one trace; it stays for the client's steps when the session has it no more", async () => {
    const caller = await newTenant(sql);
    await send(sql, caller, [plain, { ...plain, key: "2", agent: "b", time: 6 }]);
    const { data } = await ask(sql, caller, "list_traces", { query: { ...page, agent: "b" } });
    const [{ id }] = data.traces;
    await send(sql, caller, [{ ...plain, key: "3", agent: "c", session: "other", traceId: id, time: 9 }]);
    await send(sql, caller, [{ ...plain, key: "4", agent: "d", traceId: "child", parentId: id, time: 9 }]);
    const one = (await ask(sql, caller, "get_trace", { trace_id: id })).data;
    expect([one.agent, one.session_id, one.step_count, one.parent_trace_id === null]).toEqual([
      "b",
      "s",
      2,
      false,
    ]);

    // A late step: `b` was there first, and is the root. What `a` opened is another trace.
    await send(sql, caller, [{ ...plain, key: "0", agent: "b", time: 1 }]);
    const left = (await ask(sql, caller, "get_trace", { trace_id: id })).data;
    expect([left.agent, left.session_id, left.step_count, left.parent_trace_id]).toEqual([
      "c",
      "other",
      1,
      null,
    ]);
    const child = (await ask(sql, caller, "get_trace", { trace_id: "child" })).data;
    expect(child.parent_trace_id).toBe(id);
    expect(await violations(sql, caller.tenantId)).toEqual({});
    const folded = await drawnWithIds(sql, caller.tenantId);
    await rebuild(caller);
    expect(await drawnWithIds(sql, caller.tenantId)).toEqual(folded);

    // Without its step it is known as a parent alone, and without that one not at all.
    await sql`delete from public.steps where tenant_id = ${caller.tenantId} and resource_id = '3'`;
    const placeholder = (await ask(sql, caller, "get_trace", { trace_id: id })).data;
    expect([placeholder.agent, placeholder.step_count, placeholder.file_id]).toEqual(["n", 0, null]);
    await sql`delete from public.steps where tenant_id = ${caller.tenantId} and resource_id = '4'`;
    expect((await ask(sql, caller, "get_trace", { trace_id: id })).error.code).toBe("not_found");
    expect(await violations(sql, caller.tenantId)).toEqual({});
  });
});

describe("placeholders", () => {
  it("a parent that is only named is a trace without steps and file, until its own step comes", async () => {
    const caller = await newTenant(sql);
    await send(sql, caller, [{ ...plain, traceId: "t", parentId: "p" }]);
    const placeholder = (await ask(sql, caller, "get_trace", { trace_id: "p" })).data;
    expect(placeholder).toMatchObject({ agent: "n", session_id: null, step_count: 0, file_id: null });
    expect((await ask(sql, caller, "get_file", { file_id: "file_p" })).error.code).toBe("not_found");
    await send(sql, caller, [{ ...plain, key: "2", agent: "b", traceId: "p" }]);
    const own = (await ask(sql, caller, "get_trace", { trace_id: "p" })).data;
    expect(own).toMatchObject({ agent: "b", session_id: "s", step_count: 1, file_id: "file_p" });
  });
});

describe("a cycle of claimed parents", () => {
  it("is broken at the claim that was made latest; that one holds again when an earlier claim has opened the cycle elsewhere", async () => {
    const caller = await newTenant(sql);
    const parentOf = async (trace_id: string) =>
      (await ask(sql, caller, "get_trace", { trace_id })).data.parent_trace_id;
    await send(sql, caller, [{ ...plain, traceId: "t1", parentId: "t2", time: 5 }]);
    await send(sql, caller, [{ ...plain, key: "2", traceId: "t2", parentId: "t1", time: 6 }]);
    expect([await parentOf("t1"), await parentOf("t2")]).toEqual(["t2", null]);
    await send(sql, caller, [{ ...plain, key: "3", traceId: "t1", parentId: "t3", time: 1 }]);
    expect([await parentOf("t1"), await parentOf("t2")]).toEqual(["t3", "t1"]);
    expect(await violations(sql, caller.tenantId)).toEqual({});
  });
});

describe("a token that is bound to namespaces", () => {
  /** A tree from `n` over `m` to `n` again: top, middle, low. */
  async function mixedTree(): Promise<{ caller: Caller; bound: Caller }> {
    const caller = await newTenant(sql);
    await send(sql, caller, [
      { ...plain, session: "1", traceId: "top" },
      { ...plain, key: "2", session: "2", namespace: "m", traceId: "middle", parentId: "top", time: 6 },
      { ...plain, key: "3", session: "1", traceId: "low", parentId: "middle", time: 7 },
      { ...plain, key: "4", session: "1", traceId: "lowest", parentId: "low", time: 8 },
    ]);
    return { caller, bound: await boundTo(caller, ["n"]) };
  }

  it("lists the traces in these alone, with what it may see above them", async () => {
    const { caller, bound } = await mixedTree();
    const all = (await ask(sql, caller, "list_traces", { query: page })).data;
    expect([all.total, idsOf(all.traces)]).toEqual([4, ["low", "lowest", "middle", "top"]]);
    const seen = (await ask(sql, bound, "list_traces", { query: page })).data;
    expect([seen.total, idsOf(seen.traces)]).toEqual([3, ["low", "lowest", "top"]]);
    const byId = new Map(seen.traces.map((trace: { id: string }) => [trace.id, trace]));
    expect(byId.get("low")).toMatchObject({ parent_trace_id: null, root_trace_id: null });
    expect(byId.get("lowest")).toMatchObject({ parent_trace_id: "low", root_trace_id: "low" });
    const elsewhere = await ask(sql, bound, "list_traces", { query: { ...page, project_id: "m" } });
    expect(elsewhere.error.code).toBe("forbidden");
  });

  it("sees of a tree, and of a file, what is in these alone", async () => {
    const { caller, bound } = await mixedTree();
    const tree = async (token: Caller, trace_id: string) =>
      idsOf((await ask(sql, token, "get_trace_tree", { trace_id })).data.traces);
    expect(await tree(caller, "low")).toEqual(["low", "lowest", "middle", "top"]);
    expect(await tree(bound, "lowest")).toEqual(["low", "lowest"]);
    expect(await tree(bound, "top")).toEqual(["top"]);
    const query = { limit: 10, bytes: 100_000 };
    const foreign = await ask(sql, bound, "export_file", { query: { ...query, file_id: "file_middle" } });
    expect(foreign.error.code).toBe("not_found");
    // Steps of two namespaces that name one trace.
    await send(sql, caller, [{ ...plain, key: "5", namespace: "m", session: "2", traceId: "low", time: 9 }]);
    const { data } = await ask(sql, bound, "export_file", { query: { ...query, file_id: "file_low" } });
    expect(data.rows.map(({ resource_id }: { resource_id: string }) => resource_id)).toEqual(["3"]);
  });

  it("may not name a trace with steps elsewhere: 403, and its other items are stored", async () => {
    const { bound } = await mixedTree();
    const items = ["middle", "low"].map((trace_id, index) => ({
      index,
      kind: "llm",
      session_id: "1",
      namespace: "n",
      trace_id,
      content: {},
    }));
    const { data } = await ask(sql, bound, "record_steps", { items });
    expect(data.refused).toMatchObject([{ index: 0, code: "forbidden" }]);
    const single = await ask(sql, bound, "record_steps", {
      items: [items[0] as postgres.JSONValue],
      single: true,
    });
    expect(single.error.code).toBe("forbidden");
  });
});

describe("a chain of thousands of traces", { timeout: 180_000 }, () => {
  const LENGTH = process.env.LONG_TESTS ? 10_000 : 2_000;
  it.each(["top-down", "bottom-up", "shuffled"])("%s, with reads in between", async (order) => {
    const caller = await newTenant(sql);
    const numbers = Array.from({ length: LENGTH }, (_, number) => number);
    const inOrder = {
      "top-down": numbers,
      "bottom-up": numbers.toReversed(),
      shuffled: randomOf(1).shuffled(numbers),
    }[order] as number[];
    const began = Date.now();
    for (let first = 0; first < LENGTH; first += LENGTH / 4) {
      const steps = inOrder.slice(first, first + LENGTH / 4).map((number) => ({
        ...plain,
        key: `${number}`,
        traceId: `t${number}`,
        ...(number > 0 ? { parentId: `t${number - 1}` } : {}),
      }));
      await send(sql, caller, steps);
      await listTraces(sql, caller);
    }
    const { data } = await ask(sql, caller, "get_trace_tree", { trace_id: `t${LENGTH / 2}` });
    expect(data.traces).toHaveLength(LENGTH);
    expect(new Set(data.traces.map(({ root_trace_id }: { root_trace_id: string }) => root_trace_id))).toEqual(
      new Set([null, "t0"]),
    );
    expect(await listTraces(sql, caller)).toBe(LENGTH);
    expect(Date.now() - began).toBeLessThan(120_000);
  });
});

describe("what nobody has read for long", { timeout: 120_000 }, () => {
  const lone = (count: number): Step[] =>
    Array.from({ length: count }, (_, number) => ({ ...plain, key: `${number}`, traceId: `t${number}` }));

  it("is prepared in parts: a read says 503 as long as there is more, and each brings it forward", async () => {
    const caller = await newTenant(sql);
    await send(sql, caller, lone(11_000));
    const statuses = [];
    for (let time = 0; time < 3; time += 1) {
      const [row] = await sql`
        select internal.folded(jsonb_build_object('tenant_id', ${caller.tenantId}::uuid), '0 seconds') as answer`;
      statuses.push(row?.answer.error?.status ?? 200);
    }
    expect(statuses).toEqual([503, 503, 200]);
    expect(await listTraces(sql, caller)).toBe(11_000);
  });

  it("is folded by the schedule, however many tenants have something to fold", async () => {
    const callers = [await newTenant(sql), await newTenant(sql)];
    for (const caller of callers) await send(sql, caller, lone(800));
    const left = async () => {
      const tenants = callers.map(({ tenantId }) => tenantId);
      const [row] =
        await sql`select coalesce(sum(steps), 0)::int as steps from public.changes where tenant_id = any(${tenants}::uuid[])`;
      return row?.steps;
    };
    expect(await left()).toBe(1_600);
    for (let time = 0; time < 200 && (await left()) > 0; time += 1) await sql`select public.fold_all()`;
    expect(await left()).toBe(0);
    for (const { tenantId } of callers) expect(await violations(sql, tenantId)).toEqual({});
  });
});

describe("a rebuild", () => {
  it("does not count as activity of a session", async () => {
    const caller = await newTenant(sql);
    await send(sql, caller, [plain]);
    await listTraces(sql, caller);
    await sql`update public.sessions set last_activity_at = now() - interval '1 day' where tenant_id = ${caller.tenantId}`;
    await rebuild(caller);
    const [session] = await sql`
      select last_activity_at < now() - interval '1 hour' as is_old from public.sessions where tenant_id = ${caller.tenantId}`;
    expect(session?.is_old).toBe(true);
  });
});
