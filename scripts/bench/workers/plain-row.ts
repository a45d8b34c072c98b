import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { LlmStep } from "../../../functions/monkai-api/schemas/steps.ts";

/** What these workers are told: the same as the API. */
export interface Bindings {
  SUPABASE_URL: string;
  SUPABASE_SERVICE_ROLE_KEY: string;
}

let client: SupabaseClient | undefined;

/** One client for the life of the worker, made as the guides of Supabase say for a server. */
export function clientOf({ SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY }: Bindings): SupabaseClient {
  client ??= createClient(SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  return client;
}

/** The row of `bare_rows` that is stored of an LLM call. */
export function plainRow(sent: LlmStep, place: { tenant_id: string; namespace_id: number }) {
  const { session_id, agent, model, latency_ms, provider, input, output } = sent;
  const { input: input_tokens, output: output_tokens } = tokensOf(sent);
  return {
    ...place,
    id: crypto.randomUUID(),
    kind: "llm",
    session_id,
    agent,
    agent_is_named: agent !== undefined,
    occurred_at: new Date().toISOString(),
    latency_ms,
    model,
    input_tokens,
    output_tokens,
    total_tokens: input_tokens + output_tokens,
    content: { provider, input, output },
  };
}

/** In the one spelling that the benchmark sends. */
export function tokensOf({ output }: LlmStep): { input: number; output: number } {
  const usage = output?.usage as Record<string, number> | undefined;
  return { input: usage?.prompt_tokens ?? 0, output: usage?.completion_tokens ?? 0 };
}
