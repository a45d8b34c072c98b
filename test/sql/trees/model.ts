import type { Step } from "./steps.ts";

/** A step, and when it happened, in microseconds. */
export type Happened = Step & { happened: number };

export interface Trace {
  /** What clients call it, where they gave it a name. */
  id?: string;
  namespace: string;
  session?: string | undefined;
  agent: string;
  parent?: Trace | undefined;
  opened: number;
  /** The keys of its steps. */
  steps: string[];
  /** What is found out of those that are spans. */
  marks: Map<string, string>;
  /** Whether later steps of its session that name no agent belong to it. */
  isActive: boolean;
  isPlaceholder: boolean;
}

/** The rules by which traces arise from steps, told a second time and as simply as can be. */
export function tracesOf(steps: Happened[]): Trace[] {
  const trees = Map.groupBy(steps, treeOf);
  trees.delete(undefined);
  const derived = [...trees.values()].flatMap((tree) =>
    tree[0]?.otelTraceId ? tracesOfSpans(tree) : tracesOfSession(tree),
  );
  return withClaimedTraces(derived, steps);
}

/** What is derived together. */
function treeOf({ key, kind, namespace, session, traceId, parentId, otelTraceId }: Step): string | undefined {
  if (otelTraceId) return `spans of ${otelTraceId}`;
  if (traceId || parentId) return undefined;
  if (session) return `session ${namespace} ${session}`;
  return kind === "log" ? undefined : `alone ${key}`;
}

const agentOf = ({ agent, namespace }: Step) => agent ?? namespace;

function opened(step: Happened, agent: string, parent?: Trace): Trace {
  const { namespace, session, happened } = step;
  const nothing = { steps: [], marks: new Map(), isActive: false, isPlaceholder: false };
  return { namespace, session, agent, parent, opened: happened, ...nothing };
}

function tracesOfSession(steps: Happened[]): Trace[] {
  const traces: Trace[] = [];
  const latest = new Map<string, Trace>();
  let active: Trace | undefined;
  const open = (step: Happened, agent: string, parent?: Trace) => {
    const trace = opened(step, agent, parent);
    traces.push(trace);
    latest.set(agent, trace);
    return trace;
  };
  const traceOf = (step: Happened, agent?: string) => {
    const trace =
      (agent === undefined ? active : latest.get(agent)) ?? open(step, agent ?? step.namespace, traces[0]);
    active ??= trace;
    return trace;
  };
  const handOver = (step: Happened) => {
    for (const { from, to } of step.handoffs) {
      const parent = traceOf(step, from);
      const above = pathTo(active).slice(0, 100);
      active = above.find(({ agent }) => agent === to) ?? open(step, to, parent);
    }
  };

  for (const step of inOrder(steps, factsOfSessionStep)) {
    if (step.kind === "message") handOver(step);
    traceOf(step, step.agent).steps.push(step.key);
    if (step.kind !== "message") handOver(step);
  }
  if (active) active.isActive = steps[0]?.session !== undefined;
  return traces;
}

/** What orders the steps of a session: the time, and what they say, but never their arrival. */
const factsOfSessionStep = (step: Happened): Fact[] => [
  step.happened,
  step.handoffs.length === 0,
  step.kind,
  agentOf(step),
  step.agent !== undefined,
  step.handoffs.length,
  ...step.handoffs.flatMap(({ from, to }) => [to, from]),
];

/** A trace, its parent, and so on up to the root. */
function pathTo(trace: Trace | undefined): Trace[] {
  const path: Trace[] = [];
  for (let at = trace; at; at = at.parent) path.push(at);
  return path;
}

function tracesOfSpans(steps: Happened[]): Trace[] {
  const spans = inOrder(steps, factsOfSpan);
  const parents = parentsOf(spans);
  const first = spans.find(({ parentSpanId }) => !parentSpanId);
  const opener = (first ?? spans[0]) as Happened;
  const known = new Map<Happened, Trace>();
  const firstSession = spans.find(({ session }) => session)?.session;
  const sessionOf = (span: Happened | undefined): string | undefined =>
    span && (span.session ?? sessionOf(parents.get(span)));
  const openedBy = (span: Happened, parent?: Trace): Trace => ({
    ...opened(span, agentOfSpan(span), parent),
    session: sessionOf(span) ?? firstSession ?? span.otelTraceId,
  });
  const root = { ...openedBy(opener), opened: spans[0]?.happened ?? 0 };
  root.id = `${opener.otelTraceId}`;
  const traces = [root];

  const traceOf = (span: Happened | undefined): Trace => {
    if (!span || (span === first && span.kind === "agent")) return root;
    const trace = known.get(span) ?? traceBelow(span, traceOf(parents.get(span)));
    known.set(span, trace);
    return trace;
  };
  const traceBelow = (span: Happened, parent: Trace): Trace => {
    if (span.kind !== "agent") return parent;
    const trace = { ...openedBy(span, parent), id: `${span.otelTraceId}-${span.spanId}` };
    traces.push(trace);
    return trace;
  };
  const places = new Map(spans.map((span) => [span, traceOf(span)]));
  handOverBeside(
    spans,
    places,
    new Map([...known].filter(([span, trace]) => trace.id?.endsWith(`-${span.spanId}`))),
  );
  const marks = marksOf(spans, parents, (span) => sessionOf(span) ?? firstSession ?? `${span.otelTraceId}`);
  for (const [span, trace] of places) {
    trace.steps.push(span.key);
    trace.marks.set(span.key, marks(span));
  }
  return traces;
}

/** An agent that is handed over to, and is the next of its name to begin beside the one that hands over, is below it. */
function handOverBeside(spans: Happened[], places: Map<Happened, Trace>, opened: Map<Happened, Trace>): void {
  const parents = new Map([...opened.values()].map((trace) => [trace, trace.parent]));
  const openers = new Map([...opened].map(([span, trace]) => [trace, spans.indexOf(span)]));
  const waiting: { beside: Trace | undefined; to: string; giver: Trace }[] = [];
  for (const [number, span] of spans.entries()) {
    const trace = opened.get(span);
    const isSame =
      (beside: Trace | undefined, to: string) => (one: { beside: Trace | undefined; to: string }) =>
        one.beside === beside && one.to === to;
    if (trace) {
      const last = waiting.findLast(isSame(parents.get(trace), trace.agent));
      if (last) trace.parent = last.giver;
      while (waiting.some(isSame(parents.get(trace), trace.agent))) {
        waiting.splice(waiting.findIndex(isSame(parents.get(trace), trace.agent)), 1);
      }
    }
    const giver = places.get(span) as Trace;
    const hasBegun = (openers.get(giver) ?? -1) < number;
    if (span.kind !== "handoff" || !hasBegun || !parents.has(giver)) continue;
    for (const { to } of span.handoffs) waiting.push({ beside: parents.get(giver), to, giver });
  }
}

/** Of each span: its session, its user, whether it is a wrapper, and its tokens. */
function marksOf(
  spans: Happened[],
  parents: Map<Happened, Happened | undefined>,
  sessionOf: (span: Happened) => string,
): (span: Happened) => string {
  const firstUser = spans.find(({ user }) => user)?.user ?? "";
  const userOf = (span: Happened | undefined): string | undefined =>
    span && (span.user ?? userOf(parents.get(span)));
  const isBelow = (span: Happened | undefined, above: Happened): boolean =>
    span !== undefined && (span === above || isBelow(parents.get(span), above));
  const turnAround = (span: Happened | undefined): Happened | undefined =>
    !span || span.role === "task" ? undefined : span.role === "turn" ? span : turnAround(parents.get(span));
  const tokensOf = (call: Happened): number | undefined => {
    const turn = turnAround(call);
    const first = spans.find(
      (span) => span.kind === "llm" && span.tokens === undefined && turnAround(span) === turn,
    );
    if (call.tokens !== undefined || !turn || first !== call || turn.tokens === undefined) return call.tokens;
    const tasks = spans.filter((span) => span.role === "task" && turnAround(parents.get(span)) === turn);
    return turn.tokens - tasks.reduce((sum, { tokens = 0 }) => sum + tokens, 0);
  };
  const isWrapper = (span: Happened) =>
    span.kind === "llm" && spans.some((one) => one.kind === "llm" && isBelow(parents.get(one), span));
  return (span) => {
    const tokens = span.kind === "llm" ? tokensOf(span) : span.tokens;
    return `[${sessionOf(span)} ${userOf(span) ?? firstUser} ${isWrapper(span)} ${tokens ?? ""}]`;
  };
}

const factsOfSpan = (span: Happened): Fact[] => [
  span.happened,
  span.spanId,
  span.parentSpanId,
  span.kind,
  agentOf(span),
  span.agent !== undefined,
  span.name,
  span.namespace,
  span.session,
];

function agentOfSpan(span: Step): string {
  return span.agent ?? (span.kind === "agent" ? span.name : undefined) ?? span.namespace;
}

/** The parent of each span; of a cycle, the link is left out that closes it when one goes up from the earliest span. */
function parentsOf(spans: Happened[]): Map<Happened, Happened | undefined> {
  const byId = new Map(spans.filter(({ spanId }) => spanId).map((span) => [span.spanId, span]));
  const parents = new Map(spans.map((span) => [span, byId.get(span.parentSpanId)]));
  for (const span of spans) {
    const path: Happened[] = [];
    for (let at: Happened | undefined = span; at; at = parents.get(at)) {
      if (path.includes(at)) {
        parents.set(path.at(-1) as Happened, undefined);
        break;
      }
      path.push(at);
    }
  }
  return parents;
}

/** The traces that clients name, beside those that are there anyway: what names one of these adds to it. */
function withClaimedTraces(derived: Trace[], steps: Happened[]): Trace[] {
  const claiming = steps.filter(
    ({ otelTraceId, traceId, parentId }) => !otelTraceId && (traceId || parentId),
  );
  const byId = new Map(derived.filter(({ id }) => id).map((trace) => [trace.id, trace]));
  const claims = new Map<Trace, Happened>();
  const added: Trace[] = [];

  for (const [id, own] of Map.groupBy(claiming, claimedId)) {
    const claim = inOrder(own, ({ happened, parentId }) => [happened, parentId]).find(
      ({ parentId }) => parentId,
    );
    let trace = byId.get(id);
    if (!trace) {
      const first = inOrder(own, (step) => [step.happened, agentOf(step), step.namespace, step.session])[0];
      trace = opened(first as Happened, agentOf(first as Happened));
      if (first?.traceId) trace.id = id;
      byId.set(id, trace);
      added.push(trace);
      if (claim) claims.set(trace, claim);
    }
    trace.steps.push(...own.map(({ key }) => key));
  }
  for (const child of inOrder(claiming, ({ happened, namespace }) => [happened, namespace])) {
    const id = child.parentId;
    if (!id || byId.has(id)) continue;
    const placeholder = { ...opened(child, child.namespace), id, session: undefined, isPlaceholder: true };
    byId.set(id, placeholder);
    added.push(placeholder);
  }
  for (const [trace, { parentId }] of claims) trace.parent = byId.get(parentId);
  breakCycles(claims);
  return [...derived, ...added];
}

const claimedId = (step: Step) =>
  step.traceId ?? `${step.parentId} ${step.namespace} ${agentOf(step)} ${step.session}`;

/** In a cycle, the claim that was made latest is ignored. */
function breakCycles(claims: Map<Trace, Happened>): void {
  for (const trace of claims.keys()) {
    const cycle = new Set<Trace>();
    for (let at: Trace | undefined = trace; at && !cycle.has(at); at = at.parent) cycle.add(at);
    const [closing] = [...cycle].slice(-1);
    if (!closing?.parent || closing.parent !== trace) continue;
    const latest = inOrder([...cycle], (member) => [claims.get(member)?.happened, member.id]).at(-1);
    if (latest) latest.parent = undefined;
  }
}

type Fact = string | number | boolean | undefined;

/** Sorted by facts, the first of them first; what is absent comes last. */
function inOrder<Item>(items: Item[], factsOf: (item: Item) => Fact[]): Item[] {
  const sorted = items.map((item) => ({ item, facts: factsOf(item) }));
  sorted.sort((one, other) => {
    const place = one.facts.findIndex((fact, index) => fact !== other.facts[index]);
    if (place < 0) return 0;
    const [fact, another] = [one.facts[place], other.facts[place]];
    if (fact === undefined || another === undefined) return fact === undefined ? 1 : -1;
    return fact < another ? -1 : 1;
  });
  return sorted.map(({ item }) => item);
}
