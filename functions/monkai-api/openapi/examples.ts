import { SCORE_ID_EXAMPLE, TRACE_ID_EXAMPLE } from "../schemas/common.ts";

interface Example {
  /** What the query string has, and the path where it is not IN_PATHS. The page at /docs leaves all other fields empty. */
  parameters?: Record<string, string>;
  request?: unknown;
  response?: unknown;
}

// One story: what is asked for is what is sent, so that each operation that is tried on the page finds what those above it sent.
const NAMESPACE = "my-agent";
const SESSION_ID = "my-agent-5521999998888-20251210123456";
/** The trace below that of the other examples. Its content is the one that is deleted: they keep theirs. */
const CHILD_TRACE_ID = `${TRACE_ID_EXAMPLE}-1`;
const FILE_ID = `file_${TRACE_ID_EXAMPLE}`;
const STEP_ID = "3f0c1b9e-6d0a-4a53-9a0e-8f1f0c2b7d11";
const WHEN = "2025-12-10T12:34:56.789Z";

export const IN_PATHS: Record<string, string> = {
  trace_id: TRACE_ID_EXAMPLE,
  session_id: SESSION_ID,
  file_id: FILE_ID,
  score_id: SCORE_ID_EXAMPLE,
};

/** Ids that only the server makes: nobody foresees them, and the page leaves them to its reader. */
export const MADE_IDS = ["score_id", "ids"];

const session = {
  session_id: SESSION_ID,
  namespace: NAMESPACE,
  user_id: "5521999998888",
  inactivity_timeout: 300,
  created_at: WHEN,
  metadata: { platform: "whatsapp" },
};

const trace = {
  id: TRACE_ID_EXAMPLE,
  project_id: "proj_V1StGXR8Z5jdHi6B",
  agent_id: "agt_V1StGXR8Z5jdHi6B",
  file_id: FILE_ID,
  step_count: 3,
  parent_trace_id: null,
  root_trace_id: null,
  created_at: WHEN,
  namespace: NAMESPACE,
  agent: "support-bot",
  session_id: SESSION_ID,
  content_redacted_at: null,
  scores: { helpful: { count: 2, average: 0.9 } },
};

const child = {
  ...trace,
  id: CHILD_TRACE_ID,
  agent_id: `${trace.agent_id}-1`,
  agent: "sales-bot",
  file_id: `file_${CHILD_TRACE_ID}`,
  step_count: 1,
  parent_trace_id: TRACE_ID_EXAMPLE,
  root_trace_id: TRACE_ID_EXAMPLE,
  scores: {},
};

const place = { session_id: SESSION_ID, namespace: NAMESPACE, trace_id: TRACE_ID_EXAMPLE };
const llm = {
  ...place,
  agent: "support-bot",
  model: "gpt-4",
  provider: "openai",
  input: { messages: [{ role: "user", content: "Hello!" }] },
  output: {
    content: "Hi, how can I help?",
    usage: { prompt_tokens: 8, completion_tokens: 10 },
  },
  latency_ms: 820,
  external_user_id: "5521999998888",
};
const tool = {
  ...place,
  agent: "support-bot",
  tool_name: "get_weather",
  arguments: { city: "Recife" },
  result: { temperature: 29 },
  latency_ms: 140,
};
const handoff = {
  ...place,
  from_agent: "support-bot",
  to_agent: "sales-bot",
  reason: "The customer wants to buy",
};
const log = {
  ...place,
  trace_id: CHILD_TRACE_ID,
  parent_trace_id: TRACE_ID_EXAMPLE,
  agent: "sales-bot",
  level: "info",
  message: "Order 42 was placed",
  resource_id: "order-42",
};

const stored = { success: true, id: STEP_ID, trace_id: TRACE_ID_EXAMPLE };
const traced = {
  llm: { ...stored, trace_type: "llm_call", tokens: { input: 8, output: 10 } },
  tool: { ...stored, trace_type: "tool_call", tool_name: "get_weather" },
  handoff: { ...stored, trace_type: "handoff", from: "support-bot", to: "sales-bot" },
  log: { ...stored, trace_id: CHILD_TRACE_ID, trace_type: "log" },
};

const judged = {
  trace_id: TRACE_ID_EXAMPLE,
  name: "helpful",
  value: 0.9,
  comment: "Answered at once.",
  source: "human",
};
const score = { id: SCORE_ID_EXAMPLE, namespace: NAMESPACE, ...judged, created_at: WHEN };

const sentPrice = {
  model: "gpt-4*",
  valid_from: "2025-01-01",
  input: "2.50",
  cached_input: "1.25",
  output: "10.00",
};
const price = { ...sentPrice, currency: "USD" };

const cost = { amount: "0.00084", currency: "USD", unpriced_steps: 0 };
const tokens = { input_tokens: 8, cached_input_tokens: 0, output_tokens: 10, reasoning_tokens: 0 };
const listedSession = {
  session_id: SESSION_ID,
  namespace: NAMESPACE,
  user_id: "5521999998888",
  created_at: WHEN,
  last_activity_at: "2025-12-10T12:35:04.120Z",
  active: false,
  agents: ["support-bot", "sales-bot"],
  models: ["gpt-4"],
  trace_count: 2,
  step_count: 4,
  error_count: 0,
  ...tokens,
  cost,
  duration_ms: 7331,
  first_message: "Hello!",
  last_message: "Hi, how can I help?",
  scores: { helpful: { count: 2, average: 0.9 }, solved: { count: 1, average: 1 } },
};
const callFigures = {
  calls: 1,
  tool_calls: 0,
  errors: 0,
  ...tokens,
  cost,
  latency_ms: { p50: 836.8, p95: 836.8 },
  scores: {},
};
const otherFigures = {
  calls: 0,
  tool_calls: 1,
  errors: 0,
  input_tokens: 0,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  cost: { amount: "0", currency: "USD", unpriced_steps: 0 },
  latency_ms: { p50: null, p95: null },
  scores: { helpful: { count: 1, average: 0.9 }, solved: { count: 1, average: 1 } },
};

const record = {
  namespace: NAMESPACE,
  agent: "support-bot",
  session_id: SESSION_ID,
  msg: [
    { role: "user", content: "Hello!" },
    { role: "assistant", content: "Hi, how can I help?" },
  ],
  input_tokens: 8,
  output_tokens: 10,
  total_tokens: 18,
  inserted_at: WHEN,
  model: "gpt-4",
};
const logEntry = {
  namespace: NAMESPACE,
  level: "error",
  message: "The payment was declined",
  timestamp: WHEN,
  resource_id: "order-42",
  custom_object: { attempt: 2 },
};
/** What is read back beside what was sent. */
const read = { id: STEP_ID, started_at: WHEN };
const readRecord = { ...record, ...read, trace_id: TRACE_ID_EXAMPLE };
const readLogEntry = { ...logEntry, ...read };
const uploaded = {
  inserted_count: 1,
  total_inserted: 1,
  dropped_count: 0,
  duplicates_skipped: 0,
  details: { dropped: [] },
};

const skeleton = {
  id: STEP_ID,
  trace_id: TRACE_ID_EXAMPLE,
  step_number: 1,
  type: "llm_call",
  agent: "support-bot",
  name: "gpt-4",
  started_at: WHEN,
  duration_ms: 820,
  time_told: true,
  status: null,
  error: null,
  input_tokens: 8,
  output_tokens: 10,
  cost: { amount: "0.00084", currency: "USD" },
  to_trace_id: null,
  bytes: 214,
  preview: "Hi, how can I help?",
};

const foundStep = {
  ...skeleton,
  session_id: SESSION_ID,
  namespace: NAMESPACE,
  match: { field: "output", excerpt: "Hi, how can I help?", at: [4, 18] },
};

const skeletons = {
  traces: [{ id: TRACE_ID_EXAMPLE, parent_trace_id: null, agent: "support-bot" }],
  steps: [skeleton],
  count: 1,
  watermark: "Zl0x3vYq0m4mV1uJ2o9hQmJ7yQ2mJr0kz3t4n6u8w0A",
};

const attributes = (texts: Record<string, string>) =>
  Object.entries(texts).map(([key, stringValue]) => ({ key, value: { stringValue } }));
const otel = {
  resource: { attributes: attributes({ "service.name": NAMESPACE }) },
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
};
const span = {
  traceId: otel.traceId,
  spanId: otel.spanId,
  name: "chat gpt-4",
  startTimeUnixNano: "1765370096789000000",
  endTimeUnixNano: "1765370097609000000",
  attributes: attributes({
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4",
    "gen_ai.conversation.id": SESSION_ID,
  }),
};
const logRecord = {
  traceId: otel.traceId,
  spanId: otel.spanId,
  timeUnixNano: "1765370096789000000",
  severityText: "INFO",
  body: { stringValue: "Order 42 was placed" },
  attributes: attributes({ "session.id": SESSION_ID }),
};
const agentsTrace = {
  object: "trace",
  id: `trace_${otel.traceId}`,
  workflow_name: NAMESPACE,
  group_id: SESSION_ID,
};
const agentsSpan = {
  object: "trace.span",
  id: "span_b7ad6b716920333100000000",
  trace_id: agentsTrace.id,
  started_at: WHEN,
  ended_at: "2025-12-10T12:34:57.609Z",
  span_data: { type: "agent", name: "support-bot" },
};

const rules = {
  toggles: { email: true, cpf: true },
  custom: [{ name: "customer", pattern: "MK-\\d+", replacement: "[CUSTOMER]" }],
};

/** A model call as files and whole steps have it. */
const wholeStep = {
  type: "llm_call",
  namespace: NAMESPACE,
  agent: "support-bot",
  session_id: SESSION_ID,
  msg: [
    { role: "user", content: "Hello!" },
    { role: "assistant", content: "Hi, how can I help?", sender: "support-bot" },
  ],
  inserted_at: WHEN,
  trace_type: "llm_call",
  model: "gpt-4",
  provider: "openai",
  input: llm.input,
  output: llm.output,
  latency_ms: 820,
  input_tokens: 8,
  output_tokens: 10,
  total_tokens: 18,
  external_user_id: llm.external_user_id,
  ...read,
  trace_id: TRACE_ID_EXAMPLE,
};

/** What one may send to each operation, and what comes back. A test sends them all. */
export const EXAMPLES: Record<string, Example> = {
  registerNamespace: {
    request: { namespace: NAMESPACE },
    response: { namespace: NAMESPACE, created_at: WHEN },
  },
  getToken: {
    response: { tenant: "acme", name: "dashboard", namespaces: null, scope: "read", expires_at: null },
  },
  listNamespaces: { response: { namespaces: [{ namespace: NAMESPACE, created_at: WHEN }] } },
  createSession: {
    request: {
      namespace: NAMESPACE,
      user_id: "5521999998888",
      inactivity_timeout: 300,
      metadata: { platform: "whatsapp" },
    },
    response: session,
  },
  getOrCreateSession: {
    request: { namespace: NAMESPACE, user_id: "5521999998888" },
    response: { ...session, reused: true },
  },
  traceLlmCall: { request: llm, response: traced.llm },
  traceToolCall: { request: tool, response: traced.tool },
  traceHandoff: { request: handoff, response: traced.handoff },
  traceLog: { request: log, response: traced.log },
  traceBatch: {
    request: {
      traces: [
        { type: "llm", ...llm },
        { type: "tool", ...tool },
        { type: "handoff", ...handoff },
        { type: "log", ...log },
      ],
    },
    response: {
      success: true,
      total: 4,
      succeeded: 4,
      failed: 0,
      results: Object.entries(traced).map(([type, result], index) => ({ index, type, status: "ok", result })),
    },
  },
  sendSpans: {
    request: { resourceSpans: [{ resource: otel.resource, scopeSpans: [{ spans: [span] }] }] },
    response: {},
  },
  sendLogRecords: {
    request: { resourceLogs: [{ resource: otel.resource, scopeLogs: [{ logRecords: [logRecord] }] }] },
    response: {},
  },
  ingestTraces: { request: { data: [agentsTrace, agentsSpan] }, response: {} },
  listTraces: {
    parameters: { session_id: SESSION_ID },
    response: { data: [trace], total: 1, limit: 50, offset: 0 },
  },
  getTrace: { response: trace },
  getTraceTree: { response: { ...trace, children: [{ ...child, children: [] }] } },
  purgeTraceContent: {
    parameters: { trace_id: CHILD_TRACE_ID },
    response: { ...child, content_redacted_at: WHEN },
  },
  getFile: {
    response: {
      id: FILE_ID,
      trace_id: TRACE_ID_EXAMPLE,
      filename: `${FILE_ID}.json`,
      content_type: "application/json",
      step_count: 3,
      created_at: WHEN,
      content_redacted_at: null,
    },
  },
  downloadFile: { response: [{ step_number: 1, ...wholeStep }] },
  listTraceSteps: { response: skeletons },
  listSessionSteps: { response: skeletons },
  getSteps: { parameters: { ids: STEP_ID }, response: { steps: [wholeStep] } },
  searchSteps: {
    request: { query: { text: "how can i help", type: "llm_call" } },
    response: { steps: [foundStep] },
  },
  sendMcpMessage: {
    request: {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "get_usage", arguments: { by: "tool", since: "yesterday", until: "yesterday" } },
    },
    response: {
      jsonrpc: "2.0",
      id: 1,
      result: {
        content: [{ type: "text", text: "From 2025-12-09T00:00:00.000Z ...\ntool=search errors=3 ..." }],
      },
    },
  },
  listSessions: { parameters: { namespace: NAMESPACE }, response: { sessions: [listedSession], count: 1 } },
  getSession: {
    response: {
      ...listedSession,
      namespaces: [NAMESPACE],
      root_trace_ids: [TRACE_ID_EXAMPLE],
      metadata: {},
    },
  },
  getUsage: {
    parameters: { namespace: NAMESPACE, by: "day,model" },
    response: {
      rows: [
        { day: "2025-12-10", model: "gpt-4", ...callFigures },
        { day: "2025-12-10", model: null, ...otherFigures },
      ],
      totals: { ...callFigures, tool_calls: 1, scores: otherFigures.scores },
      start_date: "2025-12-04T00:00:00.000Z",
      end_date: null,
    },
  },
  getFacets: {
    parameters: { namespace: NAMESPACE },
    response: {
      agents: [
        { value: "support-bot", count: 3 },
        { value: "sales-bot", count: 1 },
      ],
      models: [{ value: "gpt-4", count: 1 }],
      tools: [{ value: "get_weather", count: 1 }],
      users: [{ value: "5521999998888", count: 1 }],
    },
  },
  createScore: { request: judged, response: score },
  createScores: {
    request: { scores: [judged, { session_id: SESSION_ID, name: "solved", value: true }] },
    response: {
      success: true,
      total: 2,
      succeeded: 2,
      failed: 0,
      results: [
        { index: 0, status: "ok", result: score },
        {
          index: 1,
          status: "ok",
          result: {
            id: `${SCORE_ID_EXAMPLE.slice(0, -1)}1`,
            namespace: NAMESPACE,
            session_id: SESSION_ID,
            name: "solved",
            value: true,
            created_at: WHEN,
          },
        },
      ],
    },
  },
  listScores: { parameters: { trace_id: TRACE_ID_EXAMPLE }, response: { scores: [score] } },
  deleteScore: { response: score },
  uploadRecords: { request: { records: [record] }, response: uploaded },
  queryRecords: {
    request: { namespace: NAMESPACE, query: { agent: "support-bot", limit: 10 } },
    response: { records: [readRecord], count: 1 },
  },
  exportRecords: {
    request: { namespace: NAMESPACE, start_date: "2025-12-01T00:00:00Z", format: "json" },
    response: { records: [readRecord] },
  },
  uploadLogs: { request: { logs: [logEntry] }, response: uploaded },
  queryLogs: {
    request: { namespace: NAMESPACE, level: "error", limit: 10 },
    response: { logs: [readLogEntry], count: 1 },
  },
  exportLogs: {
    request: { namespace: NAMESPACE, level: "error", format: "json" },
    response: { logs: [readLogEntry] },
  },
  putAnonymizationRules: { request: { rules }, response: { version: 1, rules } },
  putModelPrices: {
    request: { prices: [sentPrice] },
    response: { version: 1, prices: [price] },
  },
  getModelPrices: { response: { version: 1, prices: [price] } },
  getAnonymizationRules: { response: { version: 1, rules } },
};
