import type { z } from "zod";
import type { ErrorCode } from "../errors.ts";
import type {
  HandoffTraceResult,
  LlmTraceResult,
  LogTraceResult,
  ToolTraceResult,
} from "../schemas/traces.ts";

/** Shapes of the SQL functions `record_traces` and `upload_items`. */
export type TraceType = "llm" | "tool" | "handoff" | "log";

/** What is stored of a trace, a record or a log entry: its columns, and `content`, all that it says. */
export interface StoredItem {
  index: number;
  type: TraceType | "message";
  session_id?: string;
  namespace?: string;
  /** Where the client knows its own tree. */
  trace_id?: string;
  parent_trace_id?: string;
  agent?: string;
  /** RFC 3339 in UTC. Absent: now. */
  occurred_at?: string;
  latency_ms?: number;
  model?: string;
  input_tokens?: number;
  output_tokens?: number;
  process_tokens?: number;
  memory_tokens?: number;
  total_tokens?: number;
  level?: string;
  resource_id?: string;
  content: Record<string, unknown>;
}

/** A trace to be stored, and what its sender gets back. */
export interface AcceptedItem<Result extends TraceResult = TraceResult> extends StoredItem {
  type: TraceType;
  result: Result;
}

/** A record or log entry of a bulk upload. It always names its namespace. */
export interface UploadedItem extends StoredItem {
  type: "message" | "log";
  namespace: string;
  /** See `MessageHash`. */
  message_hash?: string;
}

/** A trace that was found valid, before it has its place in a request. */
export type ValidItem<Result extends TraceResult = TraceResult> = Omit<AcceptedItem<Result>, "index">;

/** A batch item that validation refused. It is passed on, so that the stored response of a batch is whole. */
export interface RefusedItem {
  index: number;
  type: TraceType;
  error: ItemError;
}

export type TraceItem = AcceptedItem | RefusedItem;

/** What the sender of a trace gets back, but for its trace_id, which the database adds. */
export type LlmResult = Omit<z.infer<typeof LlmTraceResult>, "trace_id">;
export type ToolResult = Omit<z.infer<typeof ToolTraceResult>, "trace_id">;
export type HandoffResult = Omit<z.infer<typeof HandoffTraceResult>, "trace_id">;
export type LogResult = Omit<z.infer<typeof LogTraceResult>, "trace_id">;
export type TraceResult = LlmResult | ToolResult | HandoffResult | LogResult;

export interface ItemError {
  code: ErrorCode;
  message: string;
}

export type ItemResult = { index: number; type: TraceType } & (
  | { status: "ok"; result: TraceResult & { trace_id: string }; error?: undefined }
  | { status: "error"; error: ItemError; result?: undefined }
);
