import type { StepKind, StepRow } from "../../functions/monkai-api/domain/step.ts";

/** A row as the database gives it: of agent `a` in the namespace `n`, and nothing else told but what is given. */
export function rowOf(kind: StepKind, columns: Partial<StepRow>): StepRow {
  return {
    id: "0b0b7c5e-4c5d-4b8e-9a57-2f1f3a1d0001",
    kind,
    name: null,
    namespace: "n",
    session_id: null,
    trace_id: null,
    agent: "a",
    status: null,
    error: null,
    started_at: "2025-10-29T15:30:02.000Z",
    occurred_at: "2025-10-29T15:30:03.000Z",
    latency_ms: null,
    model: null,
    input_tokens: null,
    output_tokens: null,
    process_tokens: null,
    memory_tokens: null,
    total_tokens: null,
    cached_input_tokens: null,
    reasoning_tokens: null,
    level: null,
    resource_id: null,
    is_span: false,
    user_id: null,
    messages: null,
    content: {},
    ...columns,
  };
}
