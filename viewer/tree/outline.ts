import type { LinkedTrace } from "../api/types.ts";
import {
  childrenOf,
  type Figures,
  figuresOf,
  placeOf,
  type Run,
  type Skeleton,
  stepsOfTrace,
  traceOf,
} from "../run/run.ts";
import { timeOf } from "./time.ts";

/** A trace with its steps and the traces below it, each of them where it happened. */
export interface Branch {
  trace: LinkedTrace;
  /** Its place in the order of creation: the fragment names it so. */
  number: number;
  depth: number;
  parent: Branch | undefined;
  items: (Skeleton | Branch)[];
  figures: Figures;
  /** Failed steps of all traces below it. */
  errorsBelow: number;
  /** From its first own step to its last; null: it has none, or none of them tells its time. */
  milliseconds: number | null;
}

export interface TraceRow {
  kind: "trace";
  key: string;
  depth: number;
  branch: Branch;
  isOpen: boolean;
}

export interface StepRow {
  kind: "step";
  key: string;
  depth: number;
  step: Skeleton;
}

export type OutlineRow = TraceRow | StepRow;

/** What log entries that belong to no trace are put under. */
const NO_TRACE: LinkedTrace = { id: "", parent_trace_id: null, agent: "in no trace" };

/** All branches of a run, parents before what is below them. No recursion: trees may be very deep. */
export function branchesOf(run: Run): Branch[] {
  const numbers = new Map(run.traces.map(({ id }, number) => [id, number]));
  const branches: Branch[] = [];
  const open: [LinkedTrace, Branch | undefined][] = childrenOf(run, null).map((root) => [root, undefined]);
  open.reverse();
  for (let next = open.pop(); next; next = open.pop()) {
    const [trace, parent] = next;
    const steps = stepsOfTrace(run, trace.id);
    const branch = newBranch(trace, numbers.get(trace.id) ?? 0, parent, steps);
    branches.push(branch);
    for (const child of childrenOf(run, trace.id).toReversed()) open.push([child, branch]);
  }
  const children = Map.groupBy(branches, ({ parent }) => parent);
  for (const branch of branches) branch.items = inOrder(run, branch, children.get(branch) ?? []);
  for (const { parent, figures, errorsBelow } of branches.toReversed()) {
    if (parent) parent.errorsBelow += figures.errors + errorsBelow;
  }
  const strays = run.steps.filter(({ trace_id }) => !traceOf(run, trace_id));
  if (strays.length > 0) branches.push(newBranch(NO_TRACE, run.traces.length, undefined, strays));
  return branches;
}

/** The rows that are to be seen: those within a closed trace are not. */
export function rowsOf(branches: Branch[], closed: Set<number>): OutlineRow[] {
  const rows: OutlineRow[] = [];
  const open: [Skeleton | Branch, number][] = branches
    .filter(({ parent }) => !parent)
    .map((root) => [root, 0]);
  open.reverse();
  for (let next = open.pop(); next; next = open.pop()) {
    const [item, depth] = next;
    if (!isBranch(item)) {
      rows.push({ kind: "step", key: item.id, depth, step: item });
      continue;
    }
    const isOpen = !closed.has(item.number);
    rows.push({ kind: "trace", key: `trace ${item.trace.id}`, depth, branch: item, isOpen });
    if (!isOpen) continue;
    for (let index = item.items.length - 1; index >= 0; index -= 1) {
      open.push([item.items[index] as Skeleton | Branch, depth + 1]);
    }
  }
  return rows;
}

/** The numbers of the traces that have to be open for a step to be seen. */
export function numbersAbove(branches: Branch[], step: Skeleton): number[] {
  const numbers: number[] = [];
  let branch = branches.find(({ trace }) => trace.id === step.trace_id);
  for (; branch; branch = branch.parent) numbers.push(branch.number);
  return numbers;
}

function isBranch(item: Skeleton | Branch): item is Branch {
  return "items" in item;
}

function newBranch(
  trace: LinkedTrace,
  number: number,
  parent: Branch | undefined,
  steps: Skeleton[],
): Branch {
  const depth = parent ? parent.depth + 1 : 0;
  const figures = figuresOf(steps);
  return { trace, number, depth, parent, items: steps, figures, errorsBelow: 0, milliseconds: timeOf(steps) };
}

/** A trace follows the handoff that opened it; one that no handoff leads to comes where its first step happened. */
function inOrder(run: Run, branch: Branch, children: Branch[]): (Skeleton | Branch)[] {
  if (children.length === 0) return branch.items;
  const waiting = new Map(children.map((child) => [child.trace.id, child]));
  const opened = new Set(stepsOfTrace(run, branch.trace.id).map(({ to_trace_id }) => to_trace_id));
  const unopened = children
    .filter(({ trace }) => !opened.has(trace.id))
    .map((child) => ({ child, place: firstPlace(run, child) }))
    .sort((one, other) => one.place - other.place);
  const items: (Skeleton | Branch)[] = [];
  for (const step of stepsOfTrace(run, branch.trace.id)) {
    const place = placeOf(run, step.id);
    while (unopened[0] && unopened[0].place < place)
      items.push((unopened.shift() as { child: Branch }).child);
    items.push(step);
    const child = step.to_trace_id === null ? undefined : waiting.get(step.to_trace_id);
    if (!child) continue;
    items.push(child);
    waiting.delete(child.trace.id);
  }
  return [...items, ...unopened.map(({ child }) => child)];
}

function firstPlace(run: Run, { trace }: Branch): number {
  const [first] = stepsOfTrace(run, trace.id);
  return first ? placeOf(run, first.id) : Number.POSITIVE_INFINITY;
}
