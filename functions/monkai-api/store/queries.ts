/** Shapes of the SQL functions `query_records` and `query_logs`. Dates are RFC 3339 in UTC, inclusive. */
interface Query {
  namespace: string;
  start_date?: string;
  end_date?: string;
  limit: number;
  offset: number;
}

export interface RecordsQuery extends Query {
  agent?: string;
  session_id?: string;
}

export interface LogsQuery extends Query {
  level?: string;
  resource_id?: string;
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
