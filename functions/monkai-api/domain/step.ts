import type { JsonObject } from "./json.ts";

/** What kinds of steps clients send by name. A message is an uploaded record. */
export type StepKind = "llm" | "tool" | "handoff" | "message" | "log";

/** And those that only OpenTelemetry tells of: an agent's whole part in an execution, and any other span. */
export type SpanKind = "agent" | "span";

/** How a step ended, as its sender says. Not told is neither of them. */
export const STEP_STATUSES = ["ok", "error"] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/** What went wrong in a step. It is content: it may quote what was said. */
export interface StepError {
  type?: string;
  message: string;
}

/** The columns of a step that have the same name where it is sent, where it is stored and where it is read back. */
export interface StepColumns {
  namespace?: string;
  session_id?: string;
  trace_id?: string;
  agent?: string;
  status?: StepStatus;
  error?: StepError;
  /** RFC 3339 in UTC. */
  started_at?: string;
  latency_ms?: number;
  model?: string;
  input_tokens?: number;
  output_tokens?: number;
  process_tokens?: number;
  memory_tokens?: number;
  total_tokens?: number;
  /** Those of the input that came from a cache, as they were told: see `tokenDetails`. */
  cached_input_tokens?: number;
  /** Those of the output that were spent on thinking. */
  reasoning_tokens?: number;
  level?: string;
  resource_id?: string;
}

const COLUMNS: Record<keyof StepColumns, true> = {
  namespace: true,
  session_id: true,
  trace_id: true,
  agent: true,
  status: true,
  error: true,
  started_at: true,
  latency_ms: true,
  model: true,
  input_tokens: true,
  output_tokens: true,
  process_tokens: true,
  memory_tokens: true,
  total_tokens: true,
  cached_input_tokens: true,
  reasoning_tokens: true,
  level: true,
  resource_id: true,
};

/** A step to be stored: its columns, and `content`, which is all else that its sender says of it. */
export interface NewStep extends StepColumns {
  kind: StepKind;
  /** The parent of the trace, where the sender knows its own tree. */
  parent_trace_id?: string;
  /** The tool that was called, or the agent that takes over. */
  name?: string;
  /** When it ended. RFC 3339 in UTC; absent: when it arrives. */
  occurred_at?: string;
  /** The user whom the step itself tells. */
  user_id?: string;
  content: JsonObject;
}

/** What a log record tells of the model call that is its span. */
export interface MessageOfCall {
  side: "input" | "output";
  message: unknown;
}

/** A step as it is read back. `content` is null once it was taken away. */
export type StepRow = { [Column in keyof StepColumns]-?: StepColumns[Column] | null } & {
  id: string;
  kind: StepKind | SpanKind;
  /** Whether it came as OpenTelemetry, or as OpenAI's agents send it. */
  is_span: boolean;
  /** The user whom it tells; of a span, or else its tree. What clients sent otherwise is in the content, too. */
  user_id: string | null;
  /** What log records tell of a model call that is a span: a list for each record. */
  messages: MessageOfCall[][] | null;
  name: string | null;
  namespace: string;
  occurred_at: string;
  started_at: string;
  content: JsonObject | null;
};

/** A step of a trace, with its place in it. */
export type NumberedRow = StepRow & { step_number: number };

/** A step as lists show it, without what was said. */
export interface SkeletonRow {
  id: string;
  trace_id: string;
  step_number: number;
  kind: StepKind | SpanKind;
  agent: string | null;
  name: string | null;
  started_at: string;
  duration_ms: number | null;
  time_told: boolean;
  status: StepStatus | null;
  error: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  /** Money as a decimal text. Null: no price is known, or it costs nothing by itself. */
  cost: { amount: string; currency: string } | null;
  to_trace_id: string | null;
  bytes: number;
  preview: string | null;
}

/** Where a text was found in a step: what it was found in, and the characters around it. */
export interface StepMatch {
  field: string;
  before: string;
  found: string;
  after: string;
}

/** A step that a search has found. A log entry that belongs to no trace has no place in one. */
export type FoundRow = Omit<SkeletonRow, "trace_id" | "step_number"> & {
  trace_id: string | null;
  step_number: number | null;
  session_id: string | null;
  namespace: string;
  match?: StepMatch;
};

/** The id of a step: what the ids of its request begin with, and its index there in five hexadecimal digits. */
export function stepId(ids: string, index: number): string {
  return ids + index.toString(16).padStart(5, "0");
}

/** Parts what was sent into the columns of a step and its content, which is all that has no column. */
export function partedByColumn(sent: object): { columns: StepColumns; content: JsonObject } {
  const members = Object.entries(sent);
  return {
    columns: Object.fromEntries(members.filter(([name]) => Object.hasOwn(COLUMNS, name))),
    content: Object.fromEntries(members.filter(([name]) => !Object.hasOwn(COLUMNS, name))),
  };
}
