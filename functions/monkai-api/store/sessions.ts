import type { CountedPage } from "./queries.ts";

/** Shapes of the SQL functions for tokens, namespaces and the sessions in them. */
export interface NamespaceRow {
  namespace: string;
  created_at: string;
}

/** What a token may do. */
export interface TokenRow {
  tenant: string;
  name: string | null;
  /** Null: all of its tenant. */
  namespaces: string[] | null;
  scope: "all" | "read";
  expires_at: string | null;
}

export interface NewSession {
  namespace: string;
  user_id?: string;
  /** Seconds. */
  inactivity_timeout?: number;
  metadata?: Record<string, unknown>;
}

export interface WantedSession extends NewSession {
  user_id: string;
  force_new?: boolean;
}

/** Figures of what was used: see `public.usage`. Money is a decimal text; null where no price is known. */
export interface Cost {
  amount: string | null;
  currency: string;
  unpriced_steps: number;
}

/** By name. The average is that of numbers, yes being 1 and no 0; null of texts. */
export type ScoreFigures = Record<string, { count: number; average: number | null }>;

/** A session as lists show it. */
export interface ListedSession {
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
  cached_input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cost: Cost;
  duration_ms: number | null;
  first_message: string | null;
  last_message: string | null;
  scores: ScoreFigures;
}

/** A session in all namespaces that the token may use. */
export interface WholeSession extends ListedSession {
  namespaces: string[];
  root_trace_ids: string[];
  metadata: Record<string, unknown>;
}

export interface SessionsQuery {
  namespace?: string;
  status?: "ok" | "error";
  agent?: string;
  model?: string;
  user_id?: string;
  text?: string;
  start_date?: string;
  end_date?: string;
  limit: number;
  cursor?: string;
}

export interface SessionPage extends CountedPage<ListedSession> {
  count_is_at_least?: true;
}

export interface SessionRow {
  session_id: string;
  namespace: string;
  user_id: string | null;
  inactivity_timeout: number;
  created_at: string;
  metadata: Record<string, unknown>;
}
