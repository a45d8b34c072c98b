import type { JsonObject } from "../../functions/monkai-api/domain/json.ts";
import { type Kind, SHAPES } from "./kept-content.ts";

/** A value for each field that a step can be sent with. The free-form ones have nulls in them. */
const VALUES: JsonObject = {
  namespace: "n",
  session_id: "s",
  agent: "scribe",
  trace_id: "own-trace",
  parent_trace_id: "own-parent",
  timestamp: "2025-10-29T15:30:03.848Z",
  inserted_at: "2025-10-29T15:30:03.848Z",
  started_at: "2025-10-29T15:30:01.500Z",
  status: "error",
  error: { type: "Timeout", message: "It took too long." },
  latency_ms: 2_348,
  model: "gpt-4",
  provider: "openai",
  input: { messages: [{ role: "user", content: "Olá 👋", name: null }], seed: null },
  output: { content: "Oi!", refusal: null, usage: { prompt_tokens: 8, completion_tokens: 10 } },
  tool_name: "find",
  arguments: { where: [null, { city: null }] },
  result: { rows: [null, 1.5], is_error: true },
  from_agent: "triage",
  to_agent: "sales",
  reason: "They want to buy.",
  level: "warn",
  message: "disk full",
  resource_id: "db-1",
  metadata: { run: { id: 7, gone: null } },
  custom_object: { step: 5, gone: null },
  msg: [
    { role: "assistant", content: null, sender: null, tool_calls: null, refusal: null },
    { role: "user", content: [{ type: "text", text: "Olá", cache: null }] },
  ],
  input_tokens: 10,
  output_tokens: 5,
  process_tokens: 3,
  memory_tokens: 2,
  total_tokens: 99,
  cached_input_tokens: 4,
  reasoning_tokens: 1,
  transfers: [
    { from: "triage", to: "scribe", reason: "refund", timestamp: "2025-10-29T15:30:00", ticket: null },
  ],
  user_id: "user123",
  user_whatsapp: "5521999998888",
  wam_id: "wamid.1",
  replied_whatsapp: "wamid.0",
  attachments: ["a.pdf", { url: "https://x.test/b.png", size: null }, null],
  source: "openai-agents",
  external_user_id: "5521999998888",
  external_user_name: "João Silva",
  external_user_channel: "whatsapp",
  anonymization_version: 4,
};

/** A step of the kind with every field that its schema knows. */
export function withAllFields(kind: Kind): JsonObject {
  const names = Object.keys(SHAPES[kind]);
  const unknown = names.filter((name) => !Object.hasOwn(VALUES, name));
  if (unknown.length > 0)
    throw new Error(`test/support/all-fields.ts has no value for ${unknown.join(", ")}`);
  return Object.fromEntries(names.map((name) => [name, VALUES[name]]));
}
