// What a client does on a short afternoon, by every endpoint that writes, and what it reads afterwards. The Worker of each release is
// recorded with it: see record.ts.

export interface StoryRequest {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  body?: object;
  headers?: Record<string, string>;
}

const at = (minute: number) => `2026-11-20T10:${String(minute).padStart(2, "0")}:00.000Z`;
const placed = { namespace: "desk", session_id: "afternoon", agent: "triage" };
const post = (path: string, body: object, headers?: Record<string, string>): StoryRequest => ({
  method: "POST",
  path,
  body,
  ...(headers && { headers }),
});

/** In this order. Every one is answered with 200 or 201. */
export const WRITES: StoryRequest[] = [
  post("/namespace/register", { namespace: "desk" }),
  { method: "PUT", path: "/anonymization-rules", body: { rules: { toggles: { email: true } } } },
  { method: "PUT", path: "/model-prices", body: { prices: [{ model: "gpt-4*", input: "2", output: "8" }] } },
  post("/sessions/get-or-create", { namespace: "desk", user_id: "ana" }),
  post("/traces/llm", {
    ...placed,
    model: "gpt-4",
    input: { messages: [{ role: "user", content: "I am ana@example.com" }] },
    output: { content: "Hi", usage: { prompt_tokens: 1000, completion_tokens: 100 } },
    timestamp: at(1),
    latency_ms: 900,
  }),
  post("/traces/tool", { ...placed, tool_name: "refund", error: "504", timestamp: at(2), latency_ms: 30 }),
  post("/traces/handoff", {
    ...placed,
    from_agent: "triage",
    to_agent: "billing",
    reason: "money",
    timestamp: at(3),
  }),
  post("/traces/log", { ...placed, agent: "billing", level: "warn", message: "slow", timestamp: at(4) }),
  post("/traces/batch", {
    traces: [
      { type: "llm", trace_id: "own", parent_trace_id: "above", session_id: "afternoon", namespace: "desk" },
      { type: "tool", trace_id: "above", tool_name: "find", session_id: "afternoon", namespace: "desk" },
    ],
  }),
  post("/records/upload", {
    records: [{ ...placed, msg: { role: "assistant", content: "Bye" }, inserted_at: at(5), input_tokens: 7 }],
  }),
  post("/logs/upload", { logs: [{ namespace: "desk", level: "info", message: "done", timestamp: at(6) }] }),
  post("/traces", {
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "desk" } }] },
        scopeSpans: [
          {
            spans: [
              {
                traceId: "0af7651916cd43dd8448eb211c80319c",
                spanId: "b7ad6b7169203331",
                name: "invoke_agent writer",
                startTimeUnixNano: "1795168800000000000",
                endTimeUnixNano: "1795168801000000000",
                attributes: [
                  { key: "gen_ai.operation.name", value: { stringValue: "invoke_agent" } },
                  { key: "gen_ai.agent.name", value: { stringValue: "writer" } },
                ],
              },
            ],
          },
        ],
      },
    ],
  }),
  post("/scores", { session_id: "afternoon", namespace: "desk", name: "helpful", value: true }),
];

/** A write that its client sends again, with the same key. */
export const RETRIED = post(
  "/traces/llm",
  { ...placed, agent: "billing", model: "gpt-4", output: { usage: { prompt_tokens: 5 } }, timestamp: at(7) },
  { "Idempotency-Key": "one-and-the-same" },
);

/** Each is answered with 200, and changes nothing. */
export const READS: StoryRequest[] = [
  { method: "GET", path: "/sessions" },
  { method: "GET", path: "/sessions/afternoon" },
  { method: "GET", path: "/sessions/afternoon/steps" },
  { method: "GET", path: "/traces?session_id=afternoon" },
  { method: "GET", path: "/traces/above/tree" },
  { method: "GET", path: "/traces/0af7651916cd43dd8448eb211c80319c/tree" },
  { method: "GET", path: "/usage?start_date=2026-11-20&end_date=2026-11-20&by=agent" },
  { method: "GET", path: "/scores" },
  { method: "GET", path: "/anonymization-rules" },
  { method: "GET", path: "/model-prices" },
  { method: "GET", path: "/namespaces" },
  { method: "GET", path: "/token" },
  post("/record_query", { namespace: "desk", query: {} }),
  post("/logs/query", { namespace: "desk" }),
  post("/records/export", { namespace: "desk", format: "json" }),
  post("/logs/export", { namespace: "desk", format: "csv" }),
  post("/steps/query", { namespace: "desk", query: { text: "refund", start_date: "2026-11-20" } }),
];
