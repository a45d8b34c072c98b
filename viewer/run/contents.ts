import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getSteps } from "../api/operations.ts";
import { asProblem, mayPass, type Problem } from "../api/problem.ts";
import type { WholeStep } from "../api/types.ts";
import { whenVisible } from "../state/visible.ts";
import type { Skeleton } from "./run.ts";

/** What the API gives at once. */
const BATCH = 50;
/** Milliseconds: what is scrolled past is not asked for. */
const PAUSE = 80;
const PAUSE_AFTER_FAILURE = 3_000;

export interface Contents {
  /** What was said in a step, as far as it is there by now. */
  of: (step: Skeleton) => WholeStep | undefined;
  problem: Problem | undefined;
}

/** Reads what was said in these steps, in batches. What is read once stays, until a step's content changes. */
export function useContents(wanted: Skeleton[]): Contents {
  const known = useSignal(new Map<string, WholeStep>());
  const problem = useSignal<Problem | undefined>(undefined);
  const missing = wanted.filter((step) => step.bytes > 0 && !known.value.has(keyOf(step))).slice(0, BATCH);
  const about = missing.map(keyOf).join(",");
  useEffect(() => {
    if (about === "") return;
    const stopped = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const read = async () => {
      try {
        const ids = missing.map(({ id }) => id).join(",");
        const { steps } = await getSteps({ ids }, stopped.signal);
        const found = new Map(steps.map((step) => [step.id, step]));
        const all = new Map(known.peek());
        // What is not there any more is not asked for again.
        for (const step of missing)
          all.set(keyOf(step), found.get(step.id) ?? { id: step.id, type: step.type });
        problem.value = undefined;
        known.value = all;
      } catch (thrown) {
        const why = asProblem(thrown);
        if (stopped.signal.aborted || !why) return;
        problem.value = why;
        if (mayPass(why)) {
          timer = setTimeout(whenVisible, why.retryAfter ?? PAUSE_AFTER_FAILURE, read, stopped.signal);
        }
      }
    };
    timer = setTimeout(read, PAUSE);
    return () => {
      stopped.abort();
      clearTimeout(timer);
    };
  }, [about]);
  return { of: (step) => known.value.get(keyOf(step)), problem: problem.value };
}

/** The content of a step changes when it is taken away. */
function keyOf({ id, bytes }: Skeleton): string {
  return `${id} ${bytes}`;
}
