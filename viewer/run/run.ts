import type { LinkedTrace, Step } from "../api/types.ts";

/** A step as lists show it: without what was said, but for a preview. */
export type Skeleton = Step;

/** What is read of a session, or of the tree that a trace is in. */
export interface Run {
  kind: "session" | "trace";
  id: string;
  traces: LinkedTrace[];
  /** In the order in which they happened. */
  steps: Skeleton[];
  /** Of all its steps, read or not. */
  count: number;
  isComplete: boolean;
}

export interface Figures {
  steps: number;
  errors: number;
  inputTokens: number;
  outputTokens: number;
  cost: { amount: string | null; currency: string; unpriced_steps: number };
}

/** What is made of a run once, when it is first asked for. */
interface Index {
  byId: Map<string, number>;
  byTrace: Map<string, Skeleton[]>;
  children: Map<string | null, LinkedTrace[]>;
  traces: Map<string, LinkedTrace>;
  previousCalls: Map<string, Skeleton>;
}

const indexes = new WeakMap<Run, Index>();

export function stepsOfTrace(run: Run, traceId: string): Skeleton[] {
  return indexOf(run).byTrace.get(traceId) ?? [];
}

/** The traces below one; of null the roots, and those whose parent is not in sight. */
export function childrenOf(run: Run, traceId: string | null): LinkedTrace[] {
  return indexOf(run).children.get(traceId) ?? [];
}

export function traceOf(run: Run, traceId: string): LinkedTrace | undefined {
  return indexOf(run).traces.get(traceId);
}

/** Where a step is among the others; -1: it is not read. */
export function placeOf(run: Run, stepId: string | undefined): number {
  return stepId === undefined ? -1 : (indexOf(run).byId.get(stepId) ?? -1);
}

export function agentOf(step: Skeleton): string {
  return step.agent ?? "no agent";
}

export function isError(step: Skeleton): boolean {
  return step.status === "error";
}

/** Milliseconds. What did not tell its start began at its end less its latency: the API says so. */
export function startOf(step: Skeleton): number {
  return Date.parse(step.started_at);
}

export function endOf(step: Skeleton): number {
  return startOf(step) + (step.duration_ms ?? 0);
}

/** Where it is among the others: by when it began, where that was told, else by when it arrived. */
function momentOf(step: Skeleton): number {
  return step.time_told ? startOf(step) : endOf(step);
}

/** The same agent's model call before this one. */
export function previousCallOf(run: Run, step: Skeleton): Skeleton | undefined {
  return indexOf(run).previousCalls.get(step.id);
}

/** The model call before this step, of whichever agent. */
export function callBefore(run: Run, step: Skeleton): Skeleton | undefined {
  for (let place = placeOf(run, step.id) - 1; place >= 0; place -= 1) {
    if (run.steps[place]?.type === "llm_call") return run.steps[place];
  }
  return undefined;
}

/** Of a trace where it has one; an agent that is handed the conversation again goes on in another trace. */
function previousCallsOf(steps: Skeleton[]): Map<string, Skeleton> {
  const found = new Map<string, Skeleton>();
  const lastOfTrace = new Map<string, Skeleton>();
  const lastOfAgent = new Map<string, Skeleton>();
  for (const step of steps) {
    if (step.type !== "llm_call") continue;
    const before = lastOfTrace.get(step.trace_id) ?? lastOfAgent.get(agentOf(step));
    if (before) found.set(step.id, before);
    lastOfTrace.set(step.trace_id, step);
    lastOfAgent.set(agentOf(step), step);
  }
  return found;
}

/** The sums of some steps, as the API adds them up. */
export function figuresOf(steps: Skeleton[]): Figures {
  let errors = 0;
  let inputTokens = 0;
  let outputTokens = 0;
  let unpriced = 0;
  let currency: string | undefined;
  // Amounts are decimals of up to ten places: summed as whole numbers, nothing is rounded.
  let amount = 0n;
  for (const step of steps) {
    if (isError(step)) errors += 1;
    inputTokens += step.input_tokens ?? 0;
    outputTokens += step.output_tokens ?? 0;
    if (step.cost?.amount) {
      currency = step.cost.currency;
      amount += scaled(step.cost.amount);
    } else if (mayCost(step)) {
      unpriced += 1;
    }
  }
  const cost = {
    amount: currency === undefined ? null : unscaled(amount),
    currency: currency ?? "USD",
    unpriced_steps: unpriced,
  };
  return { steps: steps.length, errors, inputTokens, outputTokens, cost };
}

/** A page of what has come since: what was there gets its new facts where it is, and what was not comes in its order. */
export function merged(run: Run, page: { traces: LinkedTrace[]; steps: Skeleton[] }): Run {
  if (page.steps.length === 0) return run;
  const { byId } = indexOf(run);
  const added = page.steps.filter(({ id }) => !byId.has(id));
  const changed = renewed(run, page.steps);
  const steps = added.length === 0 ? changed.steps : inOrder(changed.steps, added);
  const traces = new Map(run.traces.map((trace) => [trace.id, trace]));
  for (const trace of page.traces) traces.set(trace.id, trace);
  return { ...changed, traces: [...traces.values()], steps, count: Math.max(run.count, steps.length) };
}

/** The same steps at the same places, with their new facts. */
export function renewed(run: Run, steps: Skeleton[]): Run {
  const { byId } = indexOf(run);
  const known = steps.filter(({ id }) => byId.has(id));
  if (known.length === 0) return run;
  const copy = [...run.steps];
  for (const step of known) copy[byId.get(step.id) as number] = step;
  return { ...run, steps: copy };
}

/** Mostly what has come happened after all that is there, and is put at the end. */
function inOrder(steps: Skeleton[], added: Skeleton[]): Skeleton[] {
  const last = steps.at(-1);
  const all = [...steps, ...added];
  if (!last || added.every((step) => momentOf(step) >= momentOf(last))) return all;
  return all
    .map((step, place) => ({ step, moment: momentOf(step), place }))
    .sort((one, other) => one.moment - other.moment || one.place - other.place)
    .map(({ step }) => step);
}

function indexOf(run: Run): Index {
  const known = indexes.get(run);
  if (known) return known;
  const traces = new Map(run.traces.map((trace) => [trace.id, trace]));
  const previousCalls = previousCallsOf(run.steps);
  const index: Index = { byId: new Map(), byTrace: new Map(), children: new Map(), traces, previousCalls };
  run.steps.forEach((step, place) => {
    index.byId.set(step.id, place);
    append(index.byTrace, step.trace_id, step);
  });
  for (const trace of run.traces) {
    const parent = trace.parent_trace_id !== null && traces.has(trace.parent_trace_id);
    append(index.children, parent ? trace.parent_trace_id : null, trace);
  }
  indexes.set(run, index);
  return index;
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** Model calls, and records with tokens. */
function mayCost(step: Skeleton): boolean {
  if (step.type === "llm_call") return true;
  return step.type === "message" && (step.input_tokens ?? 0) + (step.output_tokens ?? 0) > 0;
}

const PLACES = 20;

function scaled(amount: string): bigint {
  const [whole = "0", fraction = ""] = amount.split(".");
  return BigInt(whole + fraction.slice(0, PLACES).padEnd(PLACES, "0"));
}

function unscaled(amount: bigint): string {
  const digits = `${amount}`.padStart(PLACES + 1, "0");
  return `${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`.replace(/\.?0+$/, "");
}
