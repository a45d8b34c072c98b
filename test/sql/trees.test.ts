import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { fromManyTokens, otherToken, waitUntilBlocked } from "../support/database.ts";
import { drawnDatabase, drawnModel, drawnWithIds } from "./trees/drawing.ts";
import { cheapHistory, type Random, randomHistory, randomOf, split } from "./trees/history.ts";
import { violations } from "./trees/invariants.ts";
import { type Happened, type Trace, tracesOf } from "./trees/model.ts";
import { ask, type Caller, listTraces, newTenant, send } from "./trees/sender.ts";
import type { Request, Step } from "./trees/steps.ts";

const CONNECTIONS = 6;
const sql = postgres(inject("databaseUrl"), { max: 2 * CONNECTIONS, onnotice: () => {} });
afterAll(() => sql.end());

/** The history as it was stored: each step once, a step without a time at the moment when it arrived. */
async function storedHistory({ tenantId }: Caller, history: Step[]): Promise<Happened[]> {
  const rows = await sql`
    select resource_id, (extract(epoch from coalesce(started_at, occurred_at)) * 1000000)::bigint as happened
    from public.steps where tenant_id = ${tenantId}`;
  const happened = new Map(rows.map((row) => [row.resource_id, Number(row.happened)]));
  expect([rows.length, happened.size]).toEqual([history.length, history.length]);
  return history.map((step) => ({ ...step, happened: happened.get(step.key) as number }));
}

/** The trees are those of the model, and a rebuild makes the same, in whatever time zone. */
async function expectTreesOfModel(caller: Caller, history: Step[]): Promise<void> {
  const { tenant, tenantId } = caller;
  await listTraces(sql, caller);
  const expected = drawnModel(tracesOf(await storedHistory(caller, history)));
  expect(await drawnDatabase(sql, tenantId)).toEqual(expected);
  expect(await violations(sql, tenantId)).toEqual({});
  const folded = await drawnWithIds(sql, tenantId);
  await sql.begin(async (elsewhere) => {
    await elsewhere`set local time zone 'Asia/Tokyo'`;
    await elsewhere`select public.rebuild(${sql.json({ tenant })})`;
  });
  expect(await drawnDatabase(sql, tenantId)).toEqual(expected);
  expect(await drawnWithIds(sql, tenantId)).toEqual(folded);
  expect(await violations(sql, tenantId)).toEqual({});
}

/** What anyone may do meanwhile without changing any tree: read, fold a part, take content away, look for wrong counts. */
async function interfere(random: Random, caller: Caller): Promise<void> {
  const { tenantId } = caller;
  const done = random.below(10);
  if (done < 4) await listTraces(sql, caller);
  else if (done < 6) await sql`select internal.fold(${tenantId}, ${1 + random.below(3)})`;
  else if (done < 7)
    await ask(sql, caller, "purge_trace_content", { trace_id: random.pick(["t0", "t1", "o0", "o1"]) });
  else expect(await violations(sql, tenantId)).toEqual({});
}

/** Sends the requests over several connections at once, some of them twice, and does other things in between. */
async function sendInParallel(random: Random, callers: Caller[], requests: Request[]): Promise<void> {
  const queue = requests.map((request, number) => ({ request, key: `${crypto.randomUUID()} ${number}` }));
  const retried = queue.filter(() => random.chance(0.3));
  const waiting = [...queue, ...random.shuffled(retried)];
  await Promise.all(
    callers.map(async (caller) => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { request, key } = next;
        await send(sql, caller, request, request.every(({ spanId }) => spanId) ? undefined : key);
        if (random.chance(0.4)) await interfere(random, caller);
      }
    }),
  );
}

/** Deletes all steps by plain `delete`, so that the next order begins with nothing. */
async function deleteSteps(caller: Caller): Promise<void> {
  const { tenantId } = caller;
  await sql`delete from public.steps where tenant_id = ${tenantId}`;
  await sql`delete from public.record_fingerprints where tenant_id = ${tenantId}`;
  expect(await listTraces(sql, caller)).toBe(0);
  expect(await drawnDatabase(sql, tenantId)).toEqual([]);
}

const seeds = (first: number, count: number) =>
  Array.from({ length: process.env.LONG_TESTS ? 10 * count : count }, (_, index) => first + index);

const plain: Step = { key: "1", kind: "llm", namespace: "n", session: "s", agent: "a", handoffs: [] };

describe("folds", { timeout: 60_000 }, () => {
  it("wait for each other: a reader that waited for another's fold places its steps by what that one made", async () => {
    const caller = await newTenant(sql);
    const other = { ...caller, token_hash: await otherToken(sql, caller) };
    const steps: Step[] = [
      { ...plain, time: 1 },
      { ...plain, key: "2", kind: "handoff", handoffs: [{ from: "a", to: "b" }], time: 2 },
      { key: "3", kind: "llm", namespace: "n", session: "s", handoffs: [], time: 3 },
    ];
    const [first, second, third] = steps as [Step, Step, Step];
    await send(sql, caller, [first]);
    await listTraces(sql, caller);
    await send(sql, caller, [second]);
    let reader: Promise<number> | undefined;
    await sql.begin(async (folding) => {
      await folding`select internal.fold(${caller.tenantId})`;
      await send(sql, caller, [third]);
      reader = listTraces(sql, other);
      await waitUntilBlocked(sql, "list_traces");
    });
    expect(await reader).toBe(2);
    await expectTreesOfModel(caller, steps);
  });

  it("see the steps as they were when their changes were taken, whatever commits meanwhile", async () => {
    const caller = await newTenant(sql);
    const other = { ...caller, token_hash: await otherToken(sql, caller) };
    await send(sql, caller, [plain]);
    let reader: Promise<number> | undefined;
    await sql.begin(async (holder) => {
      // The fold has begun and waits for the change; only then the next step commits.
      await holder`select from public.changes where tenant_id = ${caller.tenantId} for update`;
      reader = listTraces(sql, other);
      await waitUntilBlocked(sql, "list_traces");
      await send(sql, caller, [{ ...plain, key: "2", agent: "b" }]);
    });
    expect(await reader).toBe(1);
    expect(await violations(sql, caller.tenantId)).toEqual({});
    expect(await listTraces(sql, caller)).toBe(2);
  });

  it("with a limit take the oldest requests, and leave everything right in between", async () => {
    const caller = await newTenant(sql);
    const { tenantId } = caller;
    for (const key of ["1", "2", "3"]) {
      await send(sql, caller, [
        { ...plain, key, time: 9 - Number(key), agent: key },
        { ...plain, key: `${key}b`, session: "t" },
      ]);
    }
    const left: (number | undefined)[] = [];
    for (let requests = 3; requests >= 0; requests -= 1) {
      const [row] =
        await sql`select count(*)::int as requests from public.changes where tenant_id = ${tenantId}`;
      left.push(row?.requests);
      await sql`select internal.fold(${tenantId}, 1)`;
      expect(await violations(sql, tenantId)).toEqual({});
    }
    expect(left).toEqual([3, 2, 1, 0]);
  });
});

describe("the same trees in every order of arrival", { timeout: 60_000 }, () => {
  it.each(seeds(1, 4))("seed %i: shuffled, split anew, repeated, over parallel connections", async (seed) => {
    const random = randomOf(seed);
    const caller = await newTenant(sql);
    const callers = await fromManyTokens(sql, caller, CONNECTIONS);
    const history = randomHistory(random, 20 + random.below(40), true);
    for (const request of split(random, history, 100)) await send(sql, caller, request);
    await expectTreesOfModel(caller, history);
    const trees = await drawnWithIds(sql, caller.tenantId);

    for (let order = 1; order <= 2; order += 1) {
      await deleteSteps(caller);
      await sendInParallel(random, callers, split(random, random.shuffled(history)));
      await expectTreesOfModel(caller, history);
      expect(await drawnWithIds(sql, caller.tenantId)).toEqual(trees);
    }
  });

  it("a late step of the very moment of the root's first step is ordered by what it says", async () => {
    const caller = await newTenant(sql);
    const history: Step[] = [
      { ...plain, key: "1", agent: "b", time: 1 },
      { ...plain, key: "2", kind: "tool", agent: "a", time: 1 },
      { ...plain, key: "3", agent: "a", time: 1 },
    ];
    for (const step of history) {
      await send(sql, caller, [step]);
      await listTraces(sql, caller);
    }
    await expectTreesOfModel(caller, history);
  });

  it("a call without tokens has each sort of its turn's, less those of the tasks in it, which may come late", async () => {
    const caller = await newTenant(sql);
    const span = { namespace: "n", otelTraceId: "o", handoffs: [] };
    const history: Step[] = [
      { ...span, key: "1", kind: "span", role: "turn", spanId: "turn", tokens: 9, time: 1 },
      { ...span, key: "2", kind: "llm", spanId: "call", parentSpanId: "turn", time: 2 },
      {
        ...span,
        key: "3",
        kind: "span",
        role: "task",
        spanId: "task",
        parentSpanId: "turn",
        tokens: 4,
        time: 3,
      },
    ];
    for (const step of history) {
      await send(sql, caller, [step]);
      await listTraces(sql, caller);
    }
    await expectTreesOfModel(caller, history);
  });

  it.each(seeds(1000, 4))("seed %i: steps without a time happen when they arrive", async (seed) => {
    const random = randomOf(seed);
    const caller = await newTenant(sql);
    const callers = await fromManyTokens(sql, caller, CONNECTIONS);
    const history = randomHistory(random, 20 + random.below(40), false);
    await sendInParallel(random, callers, split(random, history));
    await expectTreesOfModel(caller, history);
  });
});

/** Reads of which each is the first one after something was stored, and what the model says that they give. */
const READS = {
  list_traces: async (caller: Caller, traces: Trace[]) =>
    expect(await listTraces(sql, caller)).toBe(traces.length),
  query_steps: async (caller: Caller, _: Trace[], stored: Step[]) => {
    const query = { list: "logs", namespace: "n", limit: 1000, offset: 0 };
    const { data } = await ask(sql, caller, "query_steps", { query });
    const logs = stored.filter(({ kind, namespace }) => kind === "log" && namespace === "n");
    expect([data.count, data.rows.length]).toEqual([logs.length, logs.length]);
  },
  "query_steps for the trace of a step": async (caller: Caller, traces: Trace[], stored: Step[]) => {
    const { key, kind, namespace } = stored.at(-1) as Step;
    const list = kind === "log" ? "logs" : "records";
    if (kind === "agent" || kind === "span") return;
    const query = { list, namespace, resource_id: key, limit: 10, offset: 0 };
    const { data } = await ask(sql, caller, "query_steps", { query });
    expect([data.count, data.rows.length, data.rows[0]?.resource_id]).toEqual([1, 1, key]);
    const trace = traces.find(({ steps }) => steps.includes(key));
    if (trace?.id) expect(data.rows[0].trace_id).toBe(trace.id);
    expect(data.rows[0].trace_id === null).toBe(trace === undefined);
  },
  get_trace: (caller: Caller, traces: Trace[]) =>
    eachNamed(traces, async (trace) => {
      const { data } = await ask(sql, caller, "get_trace", { trace_id: `${trace.id}` });
      const { agent, session_id, parent_trace_id, step_count } = data ?? {};
      expect({ agent, session_id, step_count, child: parent_trace_id !== null }).toEqual({
        agent: trace.agent,
        session_id: trace.session ?? null,
        step_count: trace.steps.length,
        child: trace.parent !== undefined,
      });
    }),
  get_trace_tree: (caller: Caller, traces: Trace[]) =>
    eachNamed(traces, async (trace) => {
      const { data } = await ask(sql, caller, "get_trace_tree", { trace_id: `${trace.id}` });
      const tree = traces.filter((other) => rootOf(other) === rootOf(trace));
      expect(data.traces.map(({ agent }: { agent: string }) => agent).sort()).toEqual(
        tree.map(({ agent }) => agent).sort(),
      );
    }),
  export_file: (caller: Caller, traces: Trace[]) =>
    eachNamed(traces, async ({ id, steps }) => {
      const query = { file_id: `file_${id}`, limit: 1000, bytes: 1_000_000 };
      const { data } = await ask(sql, caller, "export_file", { query });
      expect((data?.rows ?? []).map((row: { resource_id: string }) => row.resource_id).sort()).toEqual(
        steps.toSorted(),
      );
    }),
} satisfies Record<string, (caller: Caller, traces: Trace[], stored: Step[]) => Promise<void>>;

async function eachNamed(traces: Trace[], look: (trace: Trace) => Promise<void>): Promise<void> {
  for (const trace of traces.toReversed()) if (trace.id?.length === 2) await look(trace);
}

const rootOf = (trace: Trace): Trace => (trace.parent ? rootOf(trace.parent) : trace);

describe("reads are exact after each acknowledgement", { timeout: 60_000 }, () => {
  it.each(seeds(2000, 4))("seed %i: shuffled steps", async (seed) => {
    const random = randomOf(seed);
    const caller = await newTenant(sql);
    const stored: Step[] = [];
    for (const request of split(random, randomHistory(random, 60, random.chance(0.8)))) {
      await send(sql, caller, request);
      stored.push(...request);
      const traces = tracesOf(await storedHistory(caller, stored));
      await random.pick(Object.values(READS))(caller, traces, stored);
    }
    await expectTreesOfModel(caller, stored);
  });

  it.each(seeds(3000, 2))(
    "seed %i: many steps that only add to trees that are there",
    { timeout: 60_000 },
    async (seed) => {
      const random = randomOf(seed);
      const caller = await newTenant(sql);
      const stored: Step[] = [];
      let folds = 0;
      let cheap = 0;
      for (const request of split(random, cheapHistory(random, 300))) {
        await send(sql, caller, request, random.chance(0.1) ? `${stored.length}` : undefined);
        stored.push(...request);
        if (random.chance(0.6)) continue;
        folds += 1;
        cheap += await settledPart(caller);
        const traces = tracesOf(await storedHistory(caller, stored));
        await READS[
          random.pick(["list_traces", "query_steps", "query_steps for the trace of a step"] as const)
        ](caller, traces, stored);
        expect(await drawnDatabase(sql, caller.tenantId)).toEqual(drawnModel(traces));
        expect(await violations(sql, caller.tenantId)).toEqual({});
      }
      expect(folds).toBeGreaterThan(40);
      expect(cheap / folds).toBeGreaterThan(0.8);
      await expectTreesOfModel(caller, stored);
    },
  );
});

/** Which part of the trees that are to be folded need not be derived anew. */
async function settledPart({ tenantId }: Caller): Promise<number> {
  const [row] = await sql`
    select cardinality(internal.settled_trees(pending.changes))::float8 / (
      select count(distinct change.tree_key) from unnest(pending.changes) as change) as part
    from (
      select internal.changes_of(${tenantId}, array_agg(changes)) as changes from public.changes
      where tenant_id = ${tenantId}
    ) as pending`;
  return row?.part;
}
