import type { UsageBy } from "../domain/usage-by.ts";
import type { Cost, ScoreFigures } from "./sessions.ts";

/** Dates are RFC 3339, or days (YYYY-MM-DD) in the time zone. */
export interface UsageQuery {
  namespace?: string;
  agent?: string;
  model?: string;
  tool?: string;
  user_id?: string;
  by: UsageBy[];
  time_zone: string;
  start_date?: string;
  end_date?: string;
}

export interface UsageFigures {
  calls: number;
  tool_calls: number;
  errors: number;
  input_tokens: number;
  cached_input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
  cost: Cost;
  latency_ms: { p50: number | null; p95: number | null };
  scores: ScoreFigures;
}

export interface UsageAnswer {
  rows: (UsageFigures & { [By in UsageBy]?: string | null })[];
  totals: UsageFigures;
  start_date: string;
  end_date: string | null;
}

interface FacetValue {
  value: string;
  count: number;
}

export type Facets = Record<"agents" | "models" | "tools" | "users", FacetValue[]>;
