/** A curl line of the contract: what it sends, and what the contract says comes back. */
export interface Sample {
  source: string;
  curl: string;
  /** Given by the contract's example response or its schema. */
  answer: object | string;
}

const BASE = "https://api.monkai.com.br/trace/v1";
const LEGACY = "https://lpvbvnqrozlwalnkvrgk.supabase.co/functions/v1/monkai-api";

const openApi = (path: string, data: string) => `curl -X POST "${BASE}/${path}" \\
  -H "Authorization: Bearer $MONKAI_TRACER_TOKEN" \\
  -H "Content-Type: application/json" \\
  -H "X-Request-ID: $(uuidgen)" \\
  -d '${data}'`;

const reference = (path: string, data: string) => `curl -X POST ${LEGACY}/${path} \\
  -H "tracer_token: YOUR_TOKEN_HERE" \\
  -H "Content-Type: application/json" \\
  -d '${data}'`;

const OPENAPI_SAMPLES: Omit<Sample, "source">[] = [
  { curl: `curl "${BASE}/health"`, answer: { status: "ok", service: "monkai-trace", api_version: "v1" } },
  {
    curl: openApi(
      "sessions/create",
      '{"namespace":"my-agent","user_id":"5521999998888","inactivity_timeout":300}',
    ),
    answer: { namespace: "my-agent", user_id: "5521999998888", inactivity_timeout: 300 },
  },
  {
    curl: openApi("sessions/get-or-create", '{"namespace":"my-agent","user_id":"5521999998888"}'),
    answer: { namespace: "my-agent", user_id: "5521999998888", inactivity_timeout: 120, reused: false },
  },
  {
    curl: openApi(
      "traces/llm",
      '{"session_id":"sess_abc","model":"gpt-4","input":{"messages":[{"role":"user","content":"Hi"}]},"output":{"content":"Hello"}}',
    ),
    answer: { success: true, trace_type: "llm_call", tokens: { input: 0, output: 0 } },
  },
  {
    curl: openApi(
      "traces/tool",
      '{"session_id":"sess_abc","tool_name":"get_weather","arguments":{"city":"SP"},"result":{"temp":24}}',
    ),
    answer: { success: true, trace_type: "tool_call", tool_name: "get_weather" },
  },
  {
    curl: openApi(
      "traces/handoff",
      '{"session_id":"sess_abc","from_agent":"triage","to_agent":"sales","reason":"intent matched"}',
    ),
    answer: { success: true, trace_type: "handoff", from: "triage", to: "sales" },
  },
  {
    curl: openApi("traces/log", '{"session_id":"sess_abc","level":"info","message":"step 5 done"}'),
    answer: { success: true, trace_type: "log" },
  },
  {
    curl: openApi(
      "traces/batch",
      '{"traces":[{"type":"llm","session_id":"sess_abc","model":"gpt-4","input":{"messages":[{"role":"user","content":"hi"}]},"output":{"content":"hello"}},{"type":"tool","session_id":"sess_abc","tool_name":"get_weather","arguments":{"city":"SP"},"result":{"temp":24}},{"type":"log","session_id":"sess_abc","level":"info","message":"done"}]}',
    ),
    answer: { success: true, total: 3, succeeded: 3, failed: 0 },
  },
  {
    curl: openApi(
      "records/upload",
      '{"records":[{"namespace":"my-agent","agent":"bot","msg":[{"role":"user","content":"hi"}]}]}',
    ),
    answer: { inserted_count: 1, dropped_count: 0 },
  },
  {
    curl: openApi("logs/upload", '{"logs":[{"namespace":"my-agent","level":"info","message":"hi"}]}'),
    answer: { inserted_count: 1 },
  },
  {
    curl: openApi("record_query", '{"namespace":"my-agent","query":{"limit":50}}'),
    answer: { records: [], count: 0 },
  },
  {
    curl: openApi("logs/query", '{"namespace":"my-agent","level":"error","limit":100}'),
    answer: { logs: [], count: 0 },
  },
  { curl: openApi("records/export", '{"namespace":"my-agent","format":"json"}'), answer: { records: [] } },
  {
    curl: openApi("logs/export", '{"namespace":"my-agent","format":"csv"}'),
    answer: "namespace,level,message,timestamp,resource_id,custom_object",
  },
];

const REFERENCE_SAMPLES: Omit<Sample, "source">[] = [
  {
    curl: reference(
      "sessions/create",
      `{
    "namespace": "my-agent",
    "user_id": "user123",
    "inactivity_timeout": 120,
    "metadata": { "platform": "web" }
  }`,
    ),
    answer: {
      namespace: "my-agent",
      user_id: "user123",
      inactivity_timeout: 120,
      metadata: { platform: "web" },
    },
  },
  {
    curl: reference(
      "traces/llm",
      `{
    "session_id": "my-agent-user123-20251210123456",
    "model": "gpt-4",
    "provider": "openai",
    "input": {
      "messages": [
        { "role": "user", "content": "Hello, how are you?" }
      ]
    },
    "output": {
      "content": "I am doing well, thank you!",
      "usage": { "prompt_tokens": 8, "completion_tokens": 10 }
    },
    "latency_ms": 450
  }`,
    ),
    answer: { success: true, trace_type: "llm_call", tokens: { input: 8, output: 10 } },
  },
  {
    curl: reference(
      "traces/tool",
      `{
    "session_id": "my-agent-user123-20251210123456",
    "tool_name": "get_weather",
    "arguments": { "city": "São Paulo" },
    "result": { "temperature": 25, "condition": "sunny" },
    "latency_ms": 120,
    "agent": "weather-assistant"
  }`,
    ),
    answer: { success: true, trace_type: "tool_call", tool_name: "get_weather" },
  },
  {
    curl: reference(
      "traces/handoff",
      `{
    "session_id": "my-agent-user123-20251210123456",
    "from_agent": "triage-agent",
    "to_agent": "sales-agent",
    "reason": "Customer wants to purchase"
  }`,
    ),
    answer: { success: true, trace_type: "handoff", from: "triage-agent", to: "sales-agent" },
  },
  {
    curl: reference(
      "traces/log",
      `{
    "session_id": "my-agent-user123-20251210123456",
    "level": "info",
    "message": "User completed onboarding flow",
    "metadata": { "step": 5, "duration_ms": 3200 }
  }`,
    ),
    answer: { success: true, trace_type: "log" },
  },
];

/** The curl lines of the contract for the endpoints that are built. */
export const CURL_SAMPLES: Sample[] = [
  ...OPENAPI_SAMPLES.map((sample) => ({ source: "OpenAPI", ...sample })),
  ...REFERENCE_SAMPLES.map((sample) => ({ source: "HTTP reference", ...sample })),
];

/** The same request on another host: `/v1` and the function's name stay, as the clients of both bases send them. */
export function rehost(url: string): string {
  if (url.startsWith(BASE)) return url.replace(BASE, "/v1");
  return new URL(url).pathname;
}
