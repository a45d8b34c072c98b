import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { DAY, sendAgo, setRules } from "./trees/aged.ts";
import { randomHistory, randomOf, split } from "./trees/history.ts";
import { ask, type Caller, listTraces, newTenant, send } from "./trees/sender.ts";
import type { Step } from "./trees/steps.ts";

const sql = postgres(inject("databaseUrl"), { max: 2, onnotice: () => {} });
afterAll(() => sql.end());

/** A history of which most requests have arrived 3 days ago and more, others just now: in the same sessions, traces and spans. */
async function partlyDue(seed: number): Promise<Caller> {
  const caller = await newTenant(sql);
  const random = randomOf(seed);
  for (const request of split(random, randomHistory(random, 80, false))) {
    if (random.chance(0.9)) await sendAgo(sql, caller, request, random.pick([3, 7, 9]) * DAY);
    else await send(sql, caller, request);
    if (random.chance(0.3)) await listTraces(sql, caller);
  }
  await listTraces(sql, caller);
  return caller;
}

const idsOf = async ({ tenantId }: Caller): Promise<string[]> =>
  (await sql`select id from public.steps where tenant_id = ${tenantId} order by 1`).map(({ id }) => id);

const sessionsOf = async ({ tenantId }: Caller): Promise<string[]> =>
  (await sql`select id from public.sessions where tenant_id = ${tenantId} order by 1`).map(({ id }) => id);

/** The steps that each way of reading shows, by its name, with their names, and whether it shows what they say. */
async function shownSteps(caller: Caller, ids: string[]): Promise<Record<string, string[]>> {
  const shown: Record<string, string[]> = {};
  const read = async (what: string, name: string, query: Record<string, postgres.JSONValue>) => {
    const { data } = await ask(sql, caller, name, { query });
    const steps: Record<string, unknown>[] = data?.rows ?? data?.steps ?? [];
    shown[what] = steps
      .map(
        ({ id, name, content, preview, error }) =>
          `${id} ${name} ${(content ?? preview ?? error) ? "says something" : ""}`,
      )
      .sort();
  };
  const everything = { start_date: "2000-01-01T00:00:00Z", limit: 1000 };
  for (const namespace of ["m", "n"])
    for (const list of ["records", "logs"]) {
      await read(`query ${namespace} ${list}`, "query_steps", { list, namespace, limit: 1000, offset: 0 });
      await read(`export ${namespace} ${list}`, "export_steps", { list, namespace, limit: 1000, bytes: 1e7 });
    }
  await read("search", "search_steps", everything);
  await read("search for a text", "search_steps", { ...everything, text: "a" });
  await read("by id", "get_steps", { ids, max_bytes: 1000 });
  for (const session_id of await sessionsOf(caller)) {
    await read(`session ${session_id}`, "list_session_steps", { session_id, limit: 1000 });
    await read(`search in ${session_id}`, "search_steps", { ...everything, session_id });
  }
  for (const trace of (await ask(sql, caller, "list_traces", { query: { limit: 1000, offset: 0 } })).data
    .traces) {
    await read(`trace ${trace.id}`, "list_trace_steps", { trace_id: trace.id, scope: "trace", limit: 1000 });
    await read(`file ${trace.id}`, "export_file", { file_id: `file_${trace.id}`, limit: 1000, bytes: 1e7 });
  }
  return shown;
}

type Rules = [
  seed: number,
  rule: { [days: string]: number },
  namespaces: { [name: string]: { [days: string]: number } },
];

/** For all namespaces, for one of them, and for each its own: the steps of a trace may be in both. */
const rulesBy = (name: "days" | "content_days", first: number): Rules[] => [
  [first, { [name]: 1 }, {}],
  [first + 1, {}, { n: { [name]: 1 } }],
  [first + 2, { [name]: 5 }, { n: { [name]: 1 } }],
  [first + 3, { [name]: 1 }, { n: { [name]: 5 } }],
];

async function forgetAll(caller: Caller): Promise<void> {
  for (let left = true; left; ) {
    await sql`select public.forget_due()`;
    left = (await ask(sql, caller, "get_retention", {})).data.catching_up;
  }
}

describe("before what is due is deleted", () => {
  it.each(rulesBy("days", 1))(
    "each way of reading shows all other steps, and none of these (history %i: %j %j)",
    async (seed, rule, namespaces) => {
      const caller = await partlyDue(seed);
      const ids = await idsOf(caller);
      const all = await shownSteps(caller, ids);
      await setRules(sql, caller, rule, namespaces);
      const before = await shownSteps(caller, ids);
      await forgetAll(caller);
      const kept = new Set(await idsOf(caller));
      expect(kept.size).toBeLessThan(ids.length);
      expect(before["by id"]).toHaveLength(kept.size);
      for (const [what, steps] of Object.entries(all)) {
        const left = steps.filter((step) => kept.has(step.split(" ")[0] as string));
        expect([what, before[what] ?? []]).toEqual([what, left]);
      }
    },
  );

  it.each(rulesBy("content_days", 5))(
    "each way of reading shows what it shows once content is gone (history %i: %j %j)",
    async (seed, rule, namespaces) => {
      const caller = await partlyDue(seed);
      const ids = await idsOf(caller);
      const all = await shownSteps(caller, ids);
      await setRules(sql, caller, rule, namespaces);
      const before = await shownSteps(caller, ids);
      expect(before).not.toEqual(all);
      await forgetAll(caller);
      expect(before).toEqual(await shownSteps(caller, ids));
    },
  );

  it.each(rulesBy("days", 9))(
    "sessions and traces are listed of which something is kept (history %i: %j %j)",
    async (seed, rule, namespaces) => {
      const caller = await partlyDue(seed);
      await sendAgo(
        sql,
        caller,
        [{ key: "x", kind: "llm", namespace: "n", session: "gone", handoffs: [] }],
        9 * DAY,
      );
      await listTraces(sql, caller);
      await setRules(sql, caller, rule, namespaces);
      const { data: sessions } = await ask(sql, caller, "list_sessions", { query: { limit: 100 } });
      const { data: traces } = await ask(sql, caller, "list_traces", { query: { limit: 1000, offset: 0 } });
      const seen = await ask(sql, caller, "get_session", { query: { session_id: "gone" } });
      expect(seen.error).toMatchObject({ code: "not_found" });
      const steps = await ask(sql, caller, "list_session_steps", { query: { session_id: "gone", limit: 1 } });
      expect(steps.error).toMatchObject({ code: "not_found" });
      const kept = await sql`
      select steps.tree_key, steps.parent_trace_id, placements.trace_id, coalesce(steps.session_id, placements.session_id) as session_id
      from public.steps left join public.placements on placements.step_id = steps.id
      where steps.tenant_id = ${caller.tenantId} and internal.is_kept(internal.kept(${caller.tenantId}), steps.namespace_id, steps.id)`;
      const shown = new Set<string>(traces.traces.map(({ id }: { id: string }) => id));
      expect(kept.filter(({ trace_id }) => trace_id !== null && !shown.has(trace_id))).toEqual([]);
      // At most those of the same trees, and those that are named.
      const trees = new Set(kept.map(({ tree_key }) => tree_key));
      const named = new Set(kept.map(({ parent_trace_id }) => parent_trace_id));
      const known =
        await sql`select trace_id, tree_key from public.traces where tenant_id = ${caller.tenantId}`;
      const due = known.filter(({ trace_id, tree_key }) => !trees.has(tree_key) && !named.has(trace_id));
      expect(due.length).toBeGreaterThan(0);
      expect(due.filter(({ trace_id }) => shown.has(trace_id))).toEqual([]);
      expect([...new Set(sessions.rows.map((row: { session_id: string }) => row.session_id))].sort()).toEqual(
        [...new Set(kept.map(({ session_id }) => session_id))].filter((id) => id !== null).sort(),
      );
    },
  );

  it.each(rulesBy("days", 13))(
    "traces below one that is due are roots, wherever traces are named (history %i: %j %j)",
    async (seed, rule, namespaces) => {
      const caller = await partlyDue(seed);
      await setRules(sql, caller, rule, namespaces);
      const list = async (query: object) =>
        (await ask(sql, caller, "list_traces", { query: { limit: 1000, offset: 0, ...query } })).data;
      type Trace = { id: string; parent_trace_id: string | null; session_id: string | null };
      const { traces } = await list({});
      const shown = new Set(traces.map(({ id }: Trace) => id));
      const tops = traces.filter((trace: Trace) => trace.parent_trace_id === null);
      const ids = (traces: Trace[]) => traces.map(({ id }) => id);
      const roots = await list({ root_only: "true" });
      expect(ids(roots.traces)).toEqual(ids(tops));
      expect(roots.total).toBeGreaterThanOrEqual(tops.length);
      const pages: Trace[] = [];
      for (
        let page = { traces: tops, total: 1 };
        pages.length < page.total && page.traces.length > 0;
        pages.push(...page.traces)
      ) {
        page = await list({ root_only: "true", limit: 2, offset: pages.length });
      }
      expect(ids(pages)).toEqual(ids(tops));
      for (const session_id of await sessionsOf(caller)) {
        const { data } = await ask(sql, caller, "get_session", { query: { session_id } });
        const own = tops.filter((trace: Trace) => trace.session_id === session_id);
        expect([...(data?.root_trace_ids ?? [])].sort()).toEqual(ids(own).sort());
        const page = (await ask(sql, caller, "list_session_steps", { query: { session_id, limit: 1000 } }))
          .data;
        const named = [
          ...(page?.traces ?? []).flatMap(({ id, parent_trace_id }: Trace) => [id, parent_trace_id]),
          ...(page?.steps ?? []).map(({ to_trace_id }: { to_trace_id: string | null }) => to_trace_id),
        ];
        expect(named.filter((id) => id !== null && !shown.has(id))).toEqual([]);
      }
    },
  );

  it("a trace that is known by its name alone is shown while a step that is kept names it", async () => {
    const caller = await newTenant(sql);
    const step = { kind: "llm" as const, namespace: "n", handoffs: [], parentId: "above" };
    await sendAgo(sql, caller, [{ ...step, key: "old", traceId: "old" }], 9 * DAY);
    await listTraces(sql, caller);
    await send(sql, caller, [{ ...step, key: "new", traceId: "new" }]);
    await listTraces(sql, caller);
    await setRules(sql, caller, { days: 1 });
    const shown = async () => {
      const { data } = await ask(sql, caller, "list_traces", { query: { limit: 10, offset: 0 } });
      return data.traces.map((trace: Record<string, unknown>) => [trace.id, trace.parent_trace_id]);
    };
    const before = await shown();
    expect(before.toSorted()).toEqual([
      ["above", null],
      ["new", "above"],
    ]);
    await forgetAll(caller);
    expect((await shown()).toSorted()).toEqual(before.toSorted());
  });

  it.each([{ content_days: 1 }, { days: 1 }])(
    "a model call that is kept is shown without the messages that others tell of it, where these are due (%j)",
    async (rule) => {
      const caller = await newTenant(sql);
      const span = { namespace: "n", otelTraceId: "o", handoffs: [] };
      const around: Step = { ...span, key: "around", kind: "span", spanId: "around" };
      await sendAgo(
        sql,
        caller,
        [around, { ...span, key: "log", kind: "log", parentSpanId: "call" }],
        9 * DAY,
      );
      await send(sql, caller, [
        { ...span, key: "call", kind: "llm", spanId: "call", parentSpanId: "around" },
      ]);
      await sql`
      update public.steps set content = content || '{"messages_of_call": ["said"], "has_input_of_call": true, "input": "said"}'
      where tenant_id = ${caller.tenantId} and kind <> 'llm'`;
      const [call] =
        await sql`select id from public.steps where tenant_id = ${caller.tenantId} and kind = 'llm'`;
      const messages = async () => {
        const { data } = await ask(sql, caller, "get_steps", { query: { ids: [call?.id], max_bytes: 1000 } });
        return data.steps[0].messages;
      };
      expect(await messages()).toHaveLength(2);
      await setRules(sql, caller, rule);
      expect(await messages()).toEqual([]);
    },
  );

  it.each(rulesBy("days", 17))(
    "of the traces that have steps, none is shown but for a step that is kept, or names it (history %i: %j %j)",
    async (seed, rule, namespaces) => {
      const caller = await partlyDue(seed);
      await sql`select public.rebuild(${sql.json({ tenant: caller.tenant })})`;
      await setRules(sql, caller, rule, namespaces);
      const kept = await sql`
      select placements.trace_id, steps.parent_trace_id
      from public.steps join public.placements on placements.step_id = steps.id
      where steps.tenant_id = ${caller.tenantId}
        and internal.is_kept(internal.kept(${caller.tenantId}), steps.namespace_id, steps.id)`;
      const known = new Set(kept.flatMap(({ trace_id, parent_trace_id }) => [trace_id, parent_trace_id]));
      const { data } = await ask(sql, caller, "list_traces", { query: { limit: 1000, offset: 0 } });
      type Trace = { id: string; step_count: number };
      expect(data.traces.filter(({ id, step_count }: Trace) => step_count > 0 && !known.has(id))).toEqual([]);
    },
  );
});
