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

export type LlmResult = z.infer<typeof LlmTraceResult>;
export type ToolResult = z.infer<typeof ToolTraceResult>;
export type HandoffResult = z.infer<typeof HandoffTraceResult>;
export type LogResult = z.infer<typeof LogTraceResult>;
export type TraceResult = LlmResult | ToolResult | HandoffResult | LogResult;

export interface ItemError {
  code: ErrorCode;
  message: string;
}

export type ItemResult = { index: number; type: TraceType } & (
  | { status: "ok"; result: TraceResult; error?: undefined }
  | { status: "error"; error: ItemError; result?: undefined }
);
