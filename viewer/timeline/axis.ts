import { endOf, type Skeleton, startOf } from "../run/run.ts";

/**
 * A piece of the time axis. `time`: as it went by. `gap`: nothing happened; it is folded unless it was opened. `untold`: a
 * moment at which several steps came that did not tell their times: they lie in their order, and the axis stands still.
 */
export interface Stretch {
  kind: "time" | "gap" | "untold";
  /** Milliseconds. */
  from: number;
  to: number;
  isOpen: boolean;
  /** Of a gap: which one it is, for the fragment. Of a moment: how many steps it has. */
  number: number;
}

export interface Axis {
  start: number;
  end: number;
  stretches: Stretch[];
  /** Where steps that did not tell their times are: in which moment, and in which place there. */
  slots: Map<string, { moment: number; place: number }>;
  stepCount: number;
}

interface Moment {
  at: number;
  steps: Skeleton[];
}

/** Milliseconds. A shorter gap is not folded. */
const SHORTEST_GAP = 1_000;
const MOST_GAPS = 40;

export function axisOf(steps: Skeleton[], openGaps: Set<number>): Axis {
  const { moments, timed } = apart(steps);
  const spans = [
    ...timed.map((step) => [startOf(step), endOf(step)] as const),
    ...moments.map(({ at }) => [at, at] as const),
  ].sort((one, other) => one[0] - other[0]);
  const start = spans[0]?.[0] ?? 0;
  const end = spans.reduce((last, [, to]) => Math.max(last, to), start);
  const gaps = foldedGaps(spans).map((gap, number): Stretch => {
    return { kind: "gap", ...gap, isOpen: openGaps.has(number), number };
  });
  const stops = moments.map(({ at, steps }): Stretch => {
    return { kind: "untold", from: at, to: at, isOpen: false, number: steps.length };
  });
  const cuts = [...gaps, ...stops].sort((one, other) => one.from - other.from || one.to - other.to);
  const stretches = withTime(cuts, start, end);
  const slots: Axis["slots"] = new Map();
  const held = stretches.flatMap(({ kind }, index) => (kind === "untold" ? [index] : []));
  moments.forEach((moment, index) => {
    const stretch = held[index] as number;
    for (const [place, { id }] of moment.steps.entries()) slots.set(id, { moment: stretch, place });
  });
  return { start, end, stretches, slots, stepCount: steps.length };
}

/** Steps that came together without their times, as a batch does; and those that have a time of their own. */
function apart(steps: Skeleton[]): { moments: Moment[]; timed: Skeleton[] } {
  const groups = new Map<number, Skeleton[]>();
  const timed: Skeleton[] = [];
  for (const step of steps) {
    if (step.time_told) {
      timed.push(step);
      continue;
    }
    // What came at once ends at once, but for a fraction of a millisecond that was cut off.
    const at = endOf(step);
    const group = groups.get(at) ?? groups.get(at - 1) ?? groups.get(at + 1);
    if (group) group.push(step);
    else groups.set(at, [step]);
  }
  const moments: Moment[] = [];
  for (const [at, group] of groups) {
    if (group.length > 1) moments.push({ at, steps: group });
    else timed.push(...group);
  }
  return { moments: moments.sort((one, other) => one.at - other.at), timed };
}

/**
 * The times in which nothing happened that are longer than half of all the rest together. Where there are too many of them,
 * the shorter ones count as the rest.
 */
function foldedGaps(spans: (readonly [number, number])[]): { from: number; to: number }[] {
  const gaps: { from: number; to: number }[] = [];
  let busy = 0;
  let last = spans[0]?.[0] ?? 0;
  for (const [from, to] of spans) {
    if (from > last) gaps.push({ from: last, to: from });
    busy += Math.max(0, to - Math.max(from, last));
    last = Math.max(last, to);
  }
  const shortestFirst = gaps.toSorted((one, other) => lengthOf(one) - lengthOf(other));
  let rest = busy;
  for (const [index, gap] of shortestFirst.entries()) {
    const isLong = lengthOf(gap) > Math.max(SHORTEST_GAP, rest / 2);
    if (isLong && gaps.length - index <= MOST_GAPS) {
      return shortestFirst.slice(index).sort((one, other) => one.from - other.from);
    }
    rest += lengthOf(gap);
  }
  return [];
}

function withTime(cuts: Stretch[], start: number, end: number): Stretch[] {
  const stretches: Stretch[] = [];
  let from = start;
  const pass = (to: number) => {
    if (to > from) stretches.push({ kind: "time", from, to, isOpen: true, number: 0 });
  };
  for (const cut of cuts) {
    pass(cut.from);
    stretches.push(cut);
    from = Math.max(from, cut.to);
  }
  pass(end);
  return stretches;
}

function lengthOf({ from, to }: { from: number; to: number }): number {
  return to - from;
}
