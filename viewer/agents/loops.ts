import type { Run, Skeleton } from "../run/run.ts";

/** The same tool, called with the same arguments again and again. */
export interface Loop {
  agent: string;
  tool: string;
  steps: Skeleton[];
}

/** So many calls running make a loop. */
const FEWEST = 3;

/** Calls of one tool in a trace with no other tool in between: what is a loop if their arguments are the same. */
export function candidatesOf(run: Run): Skeleton[][] {
  const calls = run.steps.filter(({ type }) => type === "tool_call");
  return [...Map.groupBy(calls, ({ trace_id }) => trace_id).values()].flatMap((inTrace) =>
    runsOf(inTrace, ({ name }) => name ?? ""),
  );
}

/** `argumentsOf` has the arguments of each step as text, by the step's id. A step without known arguments is never part of a loop. */
export function loopsAmong(candidates: Skeleton[][], argumentsOf: Map<string, string>): Loop[] {
  return candidates
    .flatMap((steps) => runsOf(steps, ({ id }) => argumentsOf.get(id) ?? id))
    .map((steps) => {
      const { agent, name } = steps[0] as Skeleton;
      return { agent: agent ?? "no agent", tool: name ?? "a tool", steps };
    });
}

/** JSON with the members of objects in one order: what is equal gives equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, member) =>
    member && typeof member === "object" && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([one], [other]) => (one < other ? -1 : 1)))
      : member,
  );
}

function runsOf(steps: Skeleton[], keyOf: (step: Skeleton) => string): Skeleton[][] {
  const runs: Skeleton[][] = [];
  for (const step of steps) {
    const last = runs.at(-1);
    if (last && keyOf(last[0] as Skeleton) === keyOf(step)) last.push(step);
    else runs.push([step]);
  }
  return runs.filter(({ length }) => length >= FEWEST);
}
