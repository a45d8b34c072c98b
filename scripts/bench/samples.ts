import type postgres from "postgres";
import { tokenUsage } from "../../functions/monkai-api/domain/token-usage.ts";
import type { LlmStep } from "../../functions/monkai-api/schemas/steps.ts";

/** How many steps a session has before its agent begins another one. */
const SESSION_LENGTH = 50;

/** What a user would insert without this API: what it stores of the same LLM call. */
export interface BareRow {
  id: string;
  tenant_id: string;
  namespace_id: number;
  session_id: string;
  kind: string;
  agent: string;
  agent_is_named: boolean;
  occurred_at: string;
  latency_ms: number;
  model: string;
  input_tokens: number;
  output_tokens: number;
  total_tokens: number;
  content: postgres.JSONValue;
}

const INPUT = {
  messages: [
    { role: "system", content: "You answer questions of a shop's customers, briefly and politely." },
    {
      role: "user",
      content: "I ordered two lamps a week ago and only one has come. Where is the other one?",
    },
  ],
};
const OUTPUT = {
  content:
    "I am sorry about that. Your second lamp was sent from another warehouse on Tuesday, and the carrier says that it " +
    "will be with you tomorrow. Shall I send you the link to follow it?",
  usage: { prompt_tokens: 58, completion_tokens: 41 },
};

/** An LLM call as an agent reports it: about 700 bytes of JSON. */
export function llmStep(session_id: string): LlmStep {
  return {
    session_id,
    namespace: "bench",
    agent: "support",
    model: "gpt-4",
    provider: "openai",
    input: INPUT,
    output: OUTPUT,
    latency_ms: 840,
  };
}

/** The row that the API stores for an LLM call. */
export function rowOfStep(
  place: Pick<BareRow, "tenant_id" | "namespace_id">,
  { session_id, agent = "", model = "", latency_ms = 0, provider, input, output }: LlmStep,
): BareRow {
  const tokens = tokenUsage(output);
  return {
    id: timeOrderedId(),
    ...place,
    session_id,
    kind: "llm",
    agent,
    agent_is_named: true,
    occurred_at: new Date().toISOString(),
    latency_ms,
    model,
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    total_tokens: tokens.input + tokens.output,
    content: { provider, input, output } as postgres.JSONValue,
  };
}

/** An id like those of steps: it begins with the time, so that an index of ids grows at its end. */
function timeOrderedId(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const chance = crypto.randomUUID().replaceAll("-", "");
  return `${time}7${chance.slice(1, 4)}8${chance.slice(17)}`;
}

/** Names of sessions for one sender: each is given as often as a session is long. */
export function sessionNames(sender: string, length = SESSION_LENGTH): () => string {
  let given = 0;
  return () => {
    const name = `${sender}-${Math.floor(given / length)}`;
    given += 1;
    return name;
  };
}
