/** What the API answers, as far as the viewer shows it. The schemas are in functions/monkai-api/routes. */

export interface Token {
  tenant: string;
  name: string | null;
  namespaces: string[] | null;
  scope: "all" | "read";
  expires_at: string | null;
}

export interface Money {
  amount: string | null;
  currency: string;
  unpriced_steps?: number;
}

/** By the name of the scores; the average is null of texts. */
export type ScoreFigures = Record<string, { count: number; average: number | null }>;

export interface Session {
  session_id: string;
  namespace: string;
  user_id: string | null;
  created_at: string;
  last_activity_at: string;
  active: boolean;
  agents: string[];
  models: string[];
  trace_count: number;
  step_count: number;
  error_count: number;
  input_tokens: number;
  output_tokens: number;
  cost: Money;
  duration_ms: number | null;
  first_message: string | null;
  last_message: string | null;
  scores: ScoreFigures;
}

export interface WholeSession extends Session {
  namespaces: string[];
  root_trace_ids: string[];
  metadata: Record<string, unknown>;
}

export interface SessionList {
  sessions: Session[];
  count: number;
  count_is_at_least?: true;
  next_cursor?: string;
}

export type StepType = "llm_call" | "tool_call" | "handoff" | "agent" | "span" | "message" | "log";

export interface Step {
  id: string;
  trace_id: string;
  step_number: number;
  type: StepType;
  agent: string | null;
  name: string | null;
  started_at: string;
  duration_ms: number | null;
  time_told: boolean;
  status: "ok" | "error" | null;
  error: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost: Money | null;
  to_trace_id: string | null;
  bytes: number;
  preview: string | null;
}

export interface LinkedTrace {
  id: string;
  parent_trace_id: string | null;
  agent: string;
}

export interface StepList {
  traces: LinkedTrace[];
  steps: Step[];
  count: number;
  next_cursor?: string;
  watermark: string;
}

export interface Facet {
  value: string;
  count: number;
}

export interface Facets {
  agents: Facet[];
  models: Facet[];
  tools: Facet[];
  users: Facet[];
}

export interface ModelPrice {
  model: string;
  valid_from: string | null;
  input: string | null;
  cached_input: string | null;
  output: string | null;
  currency: string;
}

export interface ModelPrices {
  version: number;
  prices: ModelPrice[];
  source?: string;
  as_of?: string;
}

export interface AnonymizationRules {
  version: number;
  rules: {
    toggles: Record<string, boolean>;
    custom: { name: string; pattern: string; replacement: string }[];
  };
}

export interface Trace {
  id: string;
  namespace: string;
  agent: string;
  session_id: string | null;
  step_count: number;
  parent_trace_id: string | null;
  created_at: string;
  content_redacted_at: string | null;
}

export interface TraceList {
  data: Trace[];
  total: number;
  limit: number;
  offset: number;
}

export interface FoundStep extends Omit<Step, "trace_id" | "step_number"> {
  trace_id: string | null;
  step_number: number | null;
  session_id: string | null;
  namespace: string;
  match?: { field: string; excerpt: string; at: [from: number, to: number] };
}

export interface StepSearch {
  steps: FoundStep[];
  next_cursor?: string;
  searched_until?: string;
}

export interface UsageFigures {
  calls: number;
  tool_calls: number;
  errors: number;
  input_tokens: number;
  cached_input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cost: Money;
  latency_ms: { p50: number | null; p95: number | null };
  scores: ScoreFigures;
}

export interface UsageRow extends UsageFigures {
  day?: string;
  hour?: string;
  namespace?: string;
  agent?: string | null;
  model?: string | null;
  tool?: string | null;
  user?: string | null;
}

export interface Usage {
  rows: UsageRow[];
  totals: UsageFigures;
  start_date: string;
  end_date: string | null;
}

export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

export interface LogEntry {
  id: string;
  level: Level;
  message: string;
  timestamp: string;
  namespace: string;
  agent?: string;
  resource_id?: string;
  session_id?: string;
  trace_id?: string;
  custom_object?: unknown;
}

export interface LogList {
  logs: LogEntry[];
  count: number;
  next_cursor?: string;
}

export interface Message {
  role: string;
  content?: unknown;
  sender?: string;
  tool_calls?: Record<string, unknown>[];
  tool_name?: string;
  [name: string]: unknown;
}

/** A step with what was said in it. */
export interface WholeStep {
  id: string;
  type: StepType;
  /** Of a model call what it was asked, and after that what it answered. */
  msg?: Message | Message[];
  input?: unknown;
  output?: unknown;
  arguments?: unknown;
  result?: unknown;
  error?: { type?: string; message: string };
  message?: string;
  level?: string;
  custom_object?: unknown;
  transfers?: { from: string; to: string; reason?: string }[];
  provider?: string;
  cached_input_tokens?: number;
  reasoning_tokens?: number;
  anonymization_version?: number;
  /** What is too large to be sent unasked. */
  truncated?: true;
  left_out?: string[];
  [name: string]: unknown;
}

export interface Score {
  id: string;
  trace_id?: string;
  session_id?: string;
  step_id?: string;
  name: string;
  value: number | boolean | string | null;
  comment?: string;
  source?: "human" | "llm" | "code";
  created_at: string;
}

export interface ScoreList {
  scores: Score[];
  next_cursor?: string;
}
