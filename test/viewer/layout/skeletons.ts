import type { Skeleton } from "../../../viewer/run/run.ts";

let last = 0;

/** A step of no account but for what is said. `start`: milliseconds. */
export function skeleton({ start = 0, ...more }: Partial<Skeleton> & { start?: number } = {}): Skeleton {
  last += 1;
  return {
    id: `step-${last}`,
    trace_id: "trace-1",
    step_number: last,
    type: "tool_call",
    agent: "planner",
    name: "look",
    started_at: new Date(start).toISOString(),
    duration_ms: null,
    time_told: true,
    status: null,
    error: null,
    input_tokens: null,
    output_tokens: null,
    cost: null,
    to_trace_id: null,
    bytes: 10,
    preview: null,
    ...more,
  };
}
