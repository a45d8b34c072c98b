// Traces a conversation and reads it back, with a client whose types come from the API's own OpenAPI document.
import createClient from "openapi-fetch";
import type { components, paths } from "./trace-api.d.ts";

const api = createClient<paths>({
  baseUrl: process.env.MONKAI_URL ?? "http://127.0.0.1:8787/v1",
  headers: { Authorization: `Bearer ${process.env.MONKAI_TRACER_TOKEN}` },
});

/** The data of an answer, or an error with the API's own code and message. */
function dataOf<Data>({ data, error }: { data?: Data; error?: components["schemas"]["Error"] }): Data {
  if (data !== undefined) return data;
  throw new Error(
    error ? `${error.error.code}: ${error.error.message} (${error.error.request_id})` : "No answer",
  );
}

const session = dataOf(
  await api.POST("/sessions/get-or-create", { body: { namespace: "typescript-example", user_id: "user-1" } }),
);

const traced = dataOf(
  await api.POST("/traces/llm", {
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
    body: {
      session_id: session.session_id,
      model: "gpt-4",
      input: { messages: [{ role: "user", content: "Hello!" }] },
      output: { content: "Hi, how can I help?", usage: { prompt_tokens: 8, completion_tokens: 10 } },
    },
  }),
);
console.log(`traced as ${traced.id}: ${traced.tokens.input} tokens in, ${traced.tokens.output} out`);

const { records, count } = dataOf(
  await api.POST("/record_query", {
    body: { namespace: "typescript-example", query: { session_id: session.session_id, limit: 10 } },
  }),
);
console.log(`${count} in this session; the last one by ${records[0]?.agent}, model ${records[0]?.model}`);

const { data: traces } = dataOf(
  await api.GET("/traces", { params: { query: { session_id: session.session_id, root_only: "true" } } }),
);
const tree = dataOf(
  await api.GET("/traces/{trace_id}/tree", { params: { path: { trace_id: traces[0]?.id ?? "" } } }),
);
console.log(`the tree's root has ${tree.step_count} steps and ${tree.children.length} children`);
