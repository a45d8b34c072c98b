import type { MessageOfCall, NewStep, SpanKind, StepKind } from "../step.ts";

/** What kinds of steps OTLP tells of. An agent's span opens a trace; a span is any other that is kept. */
export type OtlpKind = Exclude<StepKind, "message"> | SpanKind;

/** A step that came as OTLP, as the database stores it. */
export interface OtlpStep extends Omit<NewStep, "kind" | "trace_id" | "parent_trace_id" | "resource_id"> {
  kind: OtlpKind;
  /** 32 digits of lower-case hex; for OpenAI Agents `trace_...` as it is. */
  otel_trace_id?: string;
  /** 16 digits of lower-case hex; for OpenAI Agents what follows `span_`. Absent: a log record's step. */
  span_id?: string;
  parent_span_id?: string;
  /** All that a log record has, and which of those that are equal in this request it is. Repeated, it is the same. */
  fingerprint?: string;
  /** OpenAI Agents' spans that tell the tokens of the calls below them: of one call, or of a whole run. */
  role?: "turn" | "task";
  /** What a log record says of the call whose span is its parent. */
  messages_of_call?: MessageOfCall[];
}

/** What became of a request: its steps, and how many spans or records could not become one, and why. */
export interface OtlpSteps {
  steps: OtlpStep[];
  rejected: number;
  /** Each reason once; the first few. */
  reasons: string[];
}
