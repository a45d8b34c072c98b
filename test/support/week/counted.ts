/** A step as the exports, and for spans the lists of steps, tell of it. */
export interface CountedStep {
  id: string;
  namespace: string;
  session_id: string | undefined;
  type: string;
  agent: string | null;
  model: string | null;
  tool: string | null;
  user: string | null;
  is_error: boolean;
  /** Microseconds since 1970: when it is listed, when it began, when it was over. */
  at: number;
  began_at: number;
  ended_at: number;
  latency_ms: number | undefined;
  input_tokens: number;
  cached_input_tokens: number;
  output_tokens: number;
  reasoning_tokens: number;
}

/** A score where what it is about stands. `home`: the namespace of that. */
export interface CountedScore {
  home: string | undefined;
  name: string;
  value: number | null;
  namespace: string;
  session_id: string | undefined;
  agent: string | null;
  model: string | null;
  tool: string | null;
  user: string | null;
  at: number;
}

/** Microseconds since 1970 of RFC 3339 in UTC. */
export function microseconds(moment: string): number {
  const fraction = /\.(\d+)Z$/.exec(moment)?.[1] ?? "";
  return Date.parse(`${moment.slice(0, 19)}Z`) * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** Model calls, and records that have tokens. */
export function isBilled(step: CountedStep): boolean {
  return step.type === "llm_call" || hasTokens(step);
}

export function hasTokens(step: CountedStep): boolean {
  return step.input_tokens + step.output_tokens + step.cached_input_tokens > 0;
}
