import { endOf, type Skeleton, startOf } from "../run/run.ts";

/** Milliseconds from the start of the first of these steps to the end of the last. Null: nothing is told about it. */
export function timeOf(steps: Skeleton[]): number | null {
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  let isTold = false;
  for (const step of steps) {
    start = Math.min(start, startOf(step));
    end = Math.max(end, endOf(step));
    isTold ||= step.time_told || step.duration_ms !== null;
  }
  // Steps that came at different times tell something by that.
  return isTold || end > start ? end - start : null;
}
