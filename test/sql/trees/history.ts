import type { Request, Step } from "./steps.ts";

/** mulberry32: the same sequence for the same seed. */
export function randomOf(seed: number) {
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
    pick: <Item>(items: readonly Item[]) => items[below(items.length)] as Item,
    shuffled: <Item>(items: readonly Item[]): Item[] =>
      items
        .map((item) => ({ item, place: next() }))
        .sort((one, other) => one.place - other.place)
        .map(({ item }) => item),
  };
}

export type Random = ReturnType<typeof randomOf>;

// Sessions have the names of places in a batch, and an agent the name of its namespace: neither may be mixed up.
const AGENTS = ["a", "b", "c", "n"];
const SESSIONS = ["0", "1", "2"];
const NAMES = ["t0", "t1", "t2", "t3", "o0", "o1", "o0-s1"];
const SPANS = 8;

/** Steps of all kinds, many of them at the same moment; `told`: whether their senders tell the time. */
export function randomHistory(random: Random, length: number, told: boolean): Step[] {
  const spans = new Set<string>();
  return Array.from({ length }, (_, number) => {
    const key = `${number}`;
    const step = random.chance(0.3) ? randomSpan(random, key, spans) : randomPlainStep(random, key);
    return told ? { ...step, ...randomTime(random) } : step;
  });
}

function randomTime(random: Random): Pick<Step, "time" | "told"> {
  return { time: random.below(12), told: random.pick(["start", "end", "both"] as const) };
}

function randomPlainStep(random: Random, key: string): Step {
  const kind = random.pick(["llm", "tool", "log", "handoff", "handoff", "message"] as const);
  const handoff = () => ({ from: random.pick(AGENTS), to: random.pick(AGENTS) });
  const handoffs = {
    handoff: () => [handoff()],
    message: () => Array.from({ length: random.below(3) }, handoff),
  };
  const step: Step = {
    key,
    kind,
    namespace: random.chance(0.85) ? "n" : "m",
    handoffs: kind === "handoff" || kind === "message" ? handoffs[kind]() : [],
  };
  if (random.chance(0.85)) step.session = random.pick(SESSIONS);
  const agent = kind === "handoff" ? step.handoffs[0]?.from : random.pick([...AGENTS, undefined]);
  if (agent !== undefined) step.agent = agent;
  if (kind === "message") return step;
  if (random.chance(0.2)) step.traceId = random.pick(NAMES);
  if (random.chance(0.2)) step.parentId = random.pick(NAMES);
  return step;
}

/** A span that is not in `known` yet, or a log entry among spans. Parents may be missing, may come later, or go in a circle. */
function randomSpan(random: Random, key: string, known: Set<string>): Step {
  const otelTraceId = random.pick(["o0", "o1"]);
  const spanId = `s${random.below(SPANS)}`;
  const isLog = known.has(`${otelTraceId} ${spanId}`);
  const step: Step = {
    key,
    kind: isLog
      ? "log"
      : random.pick(["agent", "agent", "llm", "llm", "tool", "span", "span", "handoff"] as const),
    namespace: random.chance(0.9) ? "n" : "m",
    handoffs: [],
    otelTraceId,
  };
  if (!isLog) step.spanId = spanId;
  known.add(`${otelTraceId} ${spanId}`);
  if (random.chance(0.8)) step.parentSpanId = `s${random.below(SPANS + 1)}`;
  if (random.chance(0.3)) step.session = random.pick(SESSIONS);
  if (random.chance(0.3)) step.user = random.pick(["u", "v"]);
  if (step.kind === "handoff") step.handoffs = [{ from: random.pick(AGENTS), to: random.pick(AGENTS) }];
  if (step.kind === "span" && random.chance(0.6)) step.role = random.pick(["turn", "task"] as const);
  if (step.role || (step.kind === "llm" && random.chance(0.4))) step.tokens = random.below(100);
  if (random.chance(0.4)) step.agent = random.pick(AGENTS);
  if (random.chance(0.5)) step.name = random.pick(["a", "z"]);
  return step;
}

/** The steps of a history in requests, in order: messages and other steps are never sent together. */
export function split(random: Random, steps: Step[], most = 6): Request[] {
  const requests: Request[] = [];
  for (const step of steps) {
    const last = requests.at(-1);
    const fits = last && last.length < most && (last[0]?.kind === "message") === (step.kind === "message");
    if (fits && random.chance(0.7)) last.push(step);
    else requests.push([step]);
  }
  return requests;
}

/** Steps in the order of time that only add to trees that are there: known sessions, known agents, no handoff, no name. */
export function cheapHistory(random: Random, length: number): Step[] {
  return Array.from({ length }, (_, number) => {
    // At first each session gets its agents; and now and then something comes that is no cheap step.
    const agent = number < 12 ? AGENTS[number % 4] : random.pick([...AGENTS, undefined]);
    const session = number < 12 ? SESSIONS[number % 3] : random.pick(SESSIONS);
    const isHandoff = random.chance(0.01);
    const step: Step = {
      key: `${number}`,
      kind: isHandoff ? "handoff" : random.pick(["llm", "tool", "log", "message"] as const),
      namespace: "n",
      session: `${session}`,
      handoffs: isHandoff ? [{ from: "a", to: random.pick(AGENTS) }] : [],
      // Two of them often happen at one moment.
      time: number - (number % 2),
      told: "start",
    };
    if (isHandoff) step.agent = "a";
    else if (agent !== undefined) step.agent = agent;
    return step;
  });
}
