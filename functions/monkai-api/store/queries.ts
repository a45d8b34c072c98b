/** Shapes of the SQL functions that read. Dates are RFC 3339 in UTC, inclusive. */
interface Filters {
  namespace: string;
  start_date?: string;
  end_date?: string;
}

export interface RecordFilters extends Filters {
  agent?: string;
  session_id?: string;
}

export interface LogFilters extends Filters {
  level?: string;
  resource_id?: string;
}

/** Which page: after so many rows, or after the page that gave the cursor. */
export interface Paging {
  limit: number;
  offset: number;
  cursor?: string;
}

/** Where a row stands among the others, newest first. */
export interface Position {
  occurred_at: string;
  id: number;
}

/** A page as the database gives it. `next` is null on the last one. */
export interface Page<Row> {
  rows: Row[];
  next: Position | null;
}

/** A page as a query gives it. `count` is of all rows that match; without `next_cursor` it is the last one. */
export interface QueryPage<Row> {
  rows: Row[];
  count: number;
  next_cursor?: string;
}

/** A record's columns, and apart from them what was said: null once it was taken away. */
export interface RecordRow {
  namespace: string;
  agent: string;
  session_id: string | null;
  type: "llm" | "tool" | "handoff" | "message";
  inserted_at: string;
  latency_ms: number | null;
  model: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  process_tokens: number | null;
  memory_tokens: number | null;
  total_tokens: number | null;
  content: Record<string, unknown> | null;
}

/** A log entry's columns, and its content {message, custom_object}. */
export interface LogRow {
  namespace: string;
  session_id: string | null;
  agent: string | null;
  level: string;
  resource_id: string | null;
  timestamp: string;
  content: Record<string, unknown> | null;
}

export interface TracesQuery {
  /** A namespace's public id, or its name. */
  project_id?: string;
  session_id?: string;
  agent?: string;
  start_date?: string;
  end_date?: string;
  root_only?: boolean;
  limit: number;
  offset: number;
}

/** A trace: SOAT's members, then our own. */
export interface TraceRow {
  id: string;
  project_id: string;
  agent_id: string;
  /** Null while it has no step. */
  file_id: string | null;
  step_count: number;
  /** Both null for a root. */
  parent_trace_id: string | null;
  root_trace_id: string | null;
  created_at: string;
  namespace: string;
  agent: string;
  session_id: string | null;
  content_redacted_at: string | null;
}

/** A step of a trace. */
export type StepRow = { step_number: number } & (RecordRow | (LogRow & { type: "log" }));
