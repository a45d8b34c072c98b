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

/** A record's columns, and beside them the members of its content. */
export interface RecordRow {
  namespace: string;
  agent: string;
  session_id: string | null;
  type: "llm" | "tool" | "handoff";
  inserted_at: string;
  latency_ms: number | null;
  model: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  total_tokens: number | null;
  [content: string]: unknown;
}

/** A log entry's columns, and beside them the members of its content. */
export interface LogRow {
  namespace: string;
  session_id: string | null;
  agent: string | null;
  level: string;
  resource_id: string | null;
  timestamp: string;
  [content: string]: unknown;
}
