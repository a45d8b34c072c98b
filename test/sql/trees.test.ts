import postgres from "postgres";
import { afterAll, describe, expect, inject, it } from "vitest";
import { callAll, fromManyTokens, newCaller } from "../support/database.ts";

const CONNECTIONS = 20;
const sql = postgres(inject("databaseUrl"), { max: CONNECTIONS, onnotice: () => {} });
afterAll(() => sql.end());

interface Handoff {
  from: string;
  to: string;
}

/** A step as a client sends it. */
interface Step {
  type: "llm" | "log" | "handoff" | "message";
  namespace: string;
  session?: string;
  agent?: string;
  handoffs: Handoff[];
  traceId?: string;
  parentId?: string;
}

/** Steps that are sent together: all of them records to upload, or none. */
type Request = Step[];

interface Trace {
  publicId?: string | undefined;
  namespace: string;
  session?: string | undefined;
  agent: string;
  parent?: Trace | undefined;
  steps: number;
  placeholder: boolean;
  /** The number of the request that opened or filled it, and how many were opened before it. */
  born: [number, number];
}

/** The rules by which traces arise, told a second time and as simply as can be. */
class Model {
  readonly traces: Trace[] = [];
  readonly active = new Map<string, Trace>();

  /** The trace of each step; null: refused; undefined: it belongs to none. */
  receive(request: Request, time: number): (Trace | null | undefined)[] {
    return request.map((step, index) => {
      if (step.type === "log" && !step.session && !step.traceId && !step.parentId) return undefined;
      const scope = `${step.namespace} ${step.session ?? `alone ${time} ${index}`}`;
      const trace = step.traceId || step.parentId ? this.#named(step, time) : this.#placed(step, scope, time);
      if (!trace) return null;
      trace.steps += 1;
      if (!this.active.has(scope) && step.session && trace.session === step.session)
        this.active.set(scope, trace);
      return trace;
    });
  }

  #placed(step: Step, scope: string, time: number): Trace {
    const isRecord = step.type === "message";
    const own = isRecord ? undefined : this.#traceOf(step, step.agent, scope, time);
    for (const { from, to } of step.handoffs) {
      const parent = this.#traceOf(step, from, scope, time);
      const known = this.#pathTo(this.active.get(scope)).find(
        ({ agent, session }) => agent === to && session === step.session,
      );
      this.active.set(scope, known ?? this.#open(step, to, parent, time));
    }
    return own ?? this.#traceOf(step, step.agent, scope, time);
  }

  #traceOf(step: Step, agent: string | undefined, scope: string, time: number): Trace {
    const active = this.active.get(scope);
    if (active && agent === undefined) return active;
    const root = this.#pathTo(active).at(-1);
    const latest = this.traces.findLast((trace) => {
      if (trace.agent !== agent || trace.namespace !== step.namespace) return false;
      return step.session ? trace.session === step.session : root && this.#pathTo(trace).includes(root);
    });
    const trace = latest ?? this.#open(step, agent ?? step.namespace, root, time);
    if (!active) this.active.set(scope, trace);
    return trace;
  }

  #named({ traceId, parentId, ...step }: Step, time: number): Trace | undefined {
    const find = (id?: string) => (id ? this.traces.find(({ publicId }) => publicId === id) : undefined);
    const agent = step.agent ?? step.namespace;
    const known = find(traceId);
    let parent = find(parentId);
    for (const trace of [known, parent]) if (trace && trace.namespace !== step.namespace) return undefined;
    if (known?.parent && parentId && known.parent !== parent) return undefined;
    if (parentId && parentId === traceId) return undefined;
    if (known && parent && this.#pathTo(parent).includes(known)) return undefined;

    if (parentId && !parent) {
      parent = this.#open({ namespace: step.namespace }, step.namespace, undefined, time, parentId);
      parent.placeholder = true;
    }
    const trace =
      known ??
      (traceId
        ? undefined
        : this.traces.findLast(
            (child) => child.parent === parent && child.agent === agent && child.session === step.session,
          )) ??
      this.#open(step, agent, parent, time, traceId);
    trace.parent ??= parent;
    if (traceId && trace.placeholder) {
      Object.assign(trace, { agent, session: step.session, placeholder: false });
      trace.born[0] = time;
    }
    return trace;
  }

  #open(step: Partial<Step>, agent: string, parent: Trace | undefined, time: number, id?: string): Trace {
    const opened = { publicId: id, agent, parent, steps: 0, placeholder: false };
    const born: [number, number] = [time, this.traces.length];
    this.traces.push({ ...opened, namespace: `${step.namespace}`, session: step.session, born });
    return this.traces.at(-1) as Trace;
  }

  /** A trace, its parent, and so on up to the root. */
  #pathTo(trace: Trace | undefined): Trace[] {
    const path: Trace[] = [];
    for (let at = trace; at; at = at.parent) path.push(at);
    return path;
  }
}

/** mulberry32: the same sequence for the same seed. */
function randomOf(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  return {
    below,
    chance: (part: number) => next() < part,
    pick: (letters: string) => letters.charAt(below(letters.length)),
  };
}

type Random = ReturnType<typeof randomOf>;

const AGENTS = "abcdn";

/** `plain`: without handoffs and ids, so that the order does not matter. */
function randomStep(random: Random, type: Step["type"], plain: boolean): Step {
  // Sessions have the names of places in a batch, and an agent the name of its namespace: neither may be mixed up.
  const session = random.chance(type === "llm" || type === "handoff" ? 1 : 0.8)
    ? random.pick("0123")
    : undefined;
  const namespace = random.chance(0.85) ? "n" : "m";
  const step: Step = { type, namespace, handoffs: [], ...(session ? { session } : {}) };
  const handoff = () => ({ from: random.pick(AGENTS), to: random.pick(AGENTS) });
  if (type === "message") {
    return {
      ...step,
      agent: random.pick(AGENTS),
      handoffs: Array.from({ length: plain ? 0 : random.below(3) }, handoff),
    };
  }
  if (type === "handoff") step.handoffs = [handoff()];
  const agent = step.handoffs[0]?.from ?? (random.chance(0.5) ? random.pick(AGENTS) : undefined);
  if (agent !== undefined) step.agent = agent;
  if (plain) return step;
  if (random.chance(0.15)) step.traceId = `t${random.below(9)}`;
  if (random.chance(0.15)) step.parentId = `t${random.below(9)}`;
  return step;
}

function randomRequest(random: Random): Request {
  const isUpload = random.chance(0.25);
  // These are placed all at once.
  const plain = random.chance(0.5);
  const type = () =>
    isUpload ? "message" : ((["llm", "log", "handoff"] as const)[random.below(plain ? 2 : 3)] ?? "llm");
  const steps: Request = [];
  for (let left = 1 + random.below(8); left > 0; left -= 1) {
    const last = steps.at(-1);
    // The same again is placed by a shortcut.
    steps.push(last && random.chance(0.25) ? last : randomStep(random, type(), plain));
  }
  return steps;
}

/** The function of a request, and its items as the API would send them. */
function itemsOf(request: Request, time: number): { name: string; items: postgres.JSONValue[] } {
  const items = request.map((step, index) => ({
    index,
    type: step.type,
    namespace: step.namespace,
    session_id: step.session ?? null,
    agent: step.agent ?? null,
    level: "info",
    occurred_at: new Date(Date.UTC(2026, 0, 1) + time * 1000).toISOString(),
    trace_id: step.traceId ?? null,
    parent_trace_id: step.parentId ?? null,
    content: {
      msg: `${time} ${index}`,
      transfers: step.handoffs.map(({ from, to }) => ({ from, to })),
      from_agent: step.handoffs[0]?.from ?? null,
      to_agent: step.handoffs[0]?.to ?? null,
    },
    result: {},
  }));
  return { name: request[0]?.type === "message" ? "upload_items" : "record_traces", items };
}

const newSender = async () => ({ ...(await newCaller()), limit: 1_000_000 });

/** The trees as one would draw them by hand: `n/s/agent:steps`, the active trace with *, a placeholder with ?. */
function drawn<Id>(
  traces: { id: Id; parent: Id | null; label: string; order: [number, number] }[],
): string[] {
  const children = Map.groupBy(
    traces.toSorted((one, two) => one.order[0] - two.order[0] || one.order[1] - two.order[1]),
    ({ parent }) => parent,
  );
  const draw = ({ id, label }: { id: Id; label: string }): string =>
    `${label}(${(children.get(id) ?? []).map(draw).join(" ")})`;
  return (children.get(null) ?? []).map(draw).sort();
}

function drawnModel({ traces, active }: Model): string[] {
  const actives = new Set(active.values());
  return drawn(
    traces.map((trace) => {
      const marks = `${trace.session && actives.has(trace) ? "*" : ""}${trace.placeholder ? "?" : ""}`;
      const label = `${trace.namespace}/${trace.session ?? ""}/${trace.agent}:${trace.steps}${marks}`;
      return { id: trace, parent: trace.parent ?? null, label, order: trace.born };
    }),
  );
}

async function drawnDatabase(tenantId: string): Promise<string[]> {
  const rows = await sql`
    select traces.id::int, parent_id::int as parent, extract(epoch from traces.created_at)::int as time,
           namespaces.name || '/' || coalesce(session_id, '') || '/' || agents.name || ':' || step_count
             || case when is_active then '*' else '' end || case when is_placeholder then '?' else '' end as label
    from public.traces
    join public.agents on agents.id = agent_id join public.namespaces on namespaces.id = traces.namespace_id
    where traces.tenant_id = ${tenantId}`;
  return drawn(rows.map(({ id, parent, label, time }) => ({ id, parent, label, order: [time, id] })));
}

/** How often each thing that must hold in every tree does not. */
async function violations(tenantId: string): Promise<Record<string, number>> {
  const [counted] = await sql`
    with recursive trace as (
      select * from public.traces where tenant_id = ${tenantId}
    ), step as (
      select trace_id, step_number, tenant_id, namespace_id from public.records where tenant_id = ${tenantId}
      union all
      select trace_id, step_number, tenant_id, namespace_id from public.logs where tenant_id = ${tenantId}
    ), stored as (
      select trace_id, count(*) as steps, count(distinct step_number) as numbers, max(step_number) as highest
      from step where trace_id is not null group by trace_id
    ), below as (
      select id from trace where parent_id is null
      union all
      select trace.id from below join trace on trace.parent_id = below.id
    )
    select
      (select count(*)::int from trace left join stored on stored.trace_id = trace.id
       where trace.step_count <> coalesce(stored.steps, 0)) as step_count_is_not_the_steps,
      (select count(*)::int from stored where numbers <> steps or highest <> steps) as step_numbers_have_gaps,
      (select count(*)::int from step join public.traces on traces.id = trace_id
       where (traces.tenant_id, traces.namespace_id) <> (step.tenant_id, step.namespace_id)) as steps_elsewhere,
      (select count(*)::int from trace join public.traces parent on parent.id = trace.parent_id
       where (parent.tenant_id, parent.namespace_id, parent.tree_id)
         <> (trace.tenant_id, trace.namespace_id, trace.tree_id)) as not_in_the_tree_of_the_parent,
      (select count(*)::int from trace where (parent_id is null) <> (tree_id = id)) as root_is_not_the_tree,
      (select count(*)::int from trace) - (select count(*)::int from below) as not_below_a_root,
      (select count(*)::int from trace where is_active and session_id is null) as active_without_session,
      (select count(*)::int from (
         select from trace where session_id is not null group by namespace_id, session_id
         having count(*) filter (where is_active) <> 1) as wrong) as sessions_without_one_active_trace`;
  return Object.fromEntries(Object.entries(counted ?? {}).filter(([, number]) => number !== 0));
}

it("a request moves a bounded number of traces; what is beyond is refused, and the rest is stored", async () => {
  const step = { type: "llm", namespace: "n", content: {}, result: {} };
  const caller = { ...(await newSender()), single: false };
  const children = ["c0", "c1"].map((trace_id, index) => ({
    ...step,
    index,
    session_id: trace_id,
    trace_id,
  }));
  const [{ error }] = await callAll(sql, "record_traces", [{ ...caller, items: children }]);
  expect(error).toBeUndefined();
  const items = children.map((child) => ({ ...child, parent_trace_id: "p" }));
  await sql.begin(async (one) => {
    await one`select set_config('trace_api.moved_traces', '19999', true)`;
    const [row] = await one`select public.record_traces(${sql.json({ ...caller, items })}) as answer`;
    expect(row?.answer.data.results).toMatchObject([
      { status: "ok" },
      {
        status: "error",
        error: { code: "invalid_payload", message: expect.stringContaining("too many traces") },
      },
    ]);
  });
});

describe("random runs", () => {
  it.each(Array.from({ length: 80 }, (_, index) => index + 1))(
    "make the trees that the rules make: %i",
    async (seed) => {
      const random = randomOf(seed);
      const caller = await newSender();
      const model = new Model();
      const traceOfId = new Map<string, Trace>();
      let tenantId = "";
      for (let time = 1; time <= 10; time += 1) {
        const request = randomRequest(random);
        const { name, items } = itemsOf(request, time);
        const [answer] = await callAll(sql, name, [{ ...caller, items }]);
        expect(answer.error).toBeUndefined();
        tenantId = answer.tenant_id;

        const expected = model.receive(request, time);
        for (const [index, { status, result }] of (answer.data.results ?? []).entries()) {
          const trace = expected[index];
          expect([time, index, status]).toEqual([time, index, trace === null ? "error" : "ok"]);
          expect([time, index, result?.trace_id === undefined]).toEqual([time, index, !trace]);
          if (!trace) continue;
          expect(traceOfId.get(result.trace_id) ?? trace).toBe(trace);
          traceOfId.set(result.trace_id, trace);
        }
        expect(await drawnDatabase(tenantId)).toEqual(drawnModel(model));
      }
      expect(await violations(tenantId)).toEqual({});
    },
  );

  it("from twenty connections at once, purges among them, keep every invariant", async () => {
    const caller = await newSender();
    const callers = await fromManyTokens(sql, caller, CONNECTIONS);
    await Promise.all(callers.map(() => sql`select pg_sleep(0.05)`));
    const answers = await Promise.all(
      callers.map(async (racer, index) => {
        const random = randomOf(1000 + index);
        let answer: { tenant_id: string; error?: unknown } | undefined;
        for (let time = 1; time <= 12; time += 1) {
          const { name, items } = itemsOf(randomRequest(random), time * CONNECTIONS + index);
          [answer] = await callAll(sql, name, [{ ...racer, items }]);
          expect(answer?.error).toBeUndefined();
          const purge = { ...racer, trace_id: `t${random.below(9)}` };
          if (random.chance(0.2)) await callAll(sql, "purge_trace_content", [purge]);
        }
        return answer;
      }),
    );
    expect(await violations(`${answers[0]?.tenant_id}`)).toEqual({});
  });

  it("named traces and parents in opposite orders, from twenty connections, do not deadlock", async () => {
    const caller = await newSender();
    const callers = await fromManyTokens(sql, caller, CONNECTIONS);
    await Promise.all(callers.map(() => sql`select pg_sleep(0.05)`));
    const places = Array.from({ length: 20 }, (_, place) => place);
    const answers = await Promise.all(
      callers.map(async (racer, index) => {
        const request = (index % 2 ? places : places.toReversed()).map((place) => {
          const ids = index % 4 < 2 ? { traceId: `t${place}` } : { parentId: `t${place}` };
          return { type: "llm" as const, namespace: "n", session: `s${index}`, handoffs: [], ...ids };
        });
        const [answer] = await callAll(sql, "record_traces", [{ ...racer, ...itemsOf(request, index) }]);
        return answer;
      }),
    );
    expect(await violations(answers[0].tenant_id)).toEqual({});
  });
});
