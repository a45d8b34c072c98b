import type { WholeStep } from "../api/types.ts";

/** Members that the comparison leaves out: ids and times, which always differ, and what has a column of its own. */
const FACTS = new Set([
  ...[
    "id",
    "trace_id",
    "session_id",
    "namespace",
    "step_number",
    "type",
    "trace_type",
    "agent",
    "model",
    "tool_name",
  ],
  ...[
    "inserted_at",
    "started_at",
    "timestamp",
    "latency_ms",
    "user_id",
    "anonymization_version",
    "truncated",
    "left_out",
  ],
  ...[
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "process_tokens",
  ],
]);

/** What was said in a step, as text of many lines: JSON, in which texts keep their lines. */
export function saidIn(step: WholeStep | undefined): string {
  if (!step) return "";
  // A step that was traced has its messages again as those of a record.
  const isTraced = step.input !== undefined || step.output !== undefined || step.arguments !== undefined;
  const said = Object.entries(step).filter(([name]) => !FACTS.has(name) && !(isTraced && name === "msg"));
  return said.map(([name, value]) => `${name}:\n${inLines(value)}\n`).join("");
}

function inLines(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value, null, 2).replaceAll("\\n", "\n");
}
