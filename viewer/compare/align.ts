import { agentOf, type Run, type Skeleton } from "../run/run.ts";

/** A step of one run and what answers to it in the other. Undefined: it is missing there. */
export interface Pair {
  key: string;
  a: Skeleton | undefined;
  b: Skeleton | undefined;
}

/**
 * Puts the steps of two runs side by side: the first search of the researcher beside the first one of the other run's. They
 * stay in the order of `a`; what only `b` has comes after what it followed there.
 */
export function pairsOf(a: Run, b: Run): Pair[] {
  const others = new Map(keyed(b.steps));
  const own = keyed(a.steps);
  const known = new Set(own.map(([key]) => key));
  const following = Map.groupBy(onlyIn(others, known), ({ after }) => after);
  const pairs: Pair[] = [];
  const add = (after: string) => {
    for (const { key, step } of following.get(after) ?? []) pairs.push({ key, a: undefined, b: step });
  };
  add("");
  for (const [key, step] of own) {
    pairs.push({ key, a: step, b: others.get(key) });
    if (others.has(key)) add(key);
  }
  return pairs;
}

/** Steps of which the other run has no equal, each with the last step before it that has one. */
function onlyIn(others: Map<string, Skeleton>, known: Set<string>) {
  let after = "";
  const only: { key: string; step: Skeleton; after: string }[] = [];
  for (const [key, step] of others) {
    if (known.has(key)) after = key;
    else only.push({ key, step, after });
  }
  return only;
}

/** Each step by its agent, its type, its name, and how many of those there were before it. */
function keyed(steps: Skeleton[]): [string, Skeleton][] {
  const seen = new Map<string, number>();
  return steps.map((step) => {
    const kind = JSON.stringify([agentOf(step), step.type, step.name]);
    const before = seen.get(kind) ?? 0;
    seen.set(kind, before + 1);
    return [`${kind} ${before}`, step];
  });
}
