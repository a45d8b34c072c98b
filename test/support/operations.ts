import { anyValue, logOf, SPAN_ID, TRACE_ID, traceOf } from "./otlp-steps.ts";
import type { Client } from "./tenant.ts";

/** What a tenant calls its things, and what is said there. */
export interface Names {
  namespace: string;
  session_id: string;
  agent: string;
  trace_id: string;
  step_id: string;
  /** The namespace's public id. */
  project_id: string;
  said: string;
  /** One that nobody has, unless it is given. */
  score_id?: string;
}

export interface Call {
  method: string;
  path: string;
  body?: unknown;
}

/** For each operation that needs a token, by its name in the document: what one may ask about things with these names. */
export function operationsAbout(names: Names): Record<string, Call[]> {
  return { ...writesAbout(names), ...readsAbout(names) };
}

/** Those that change nothing. */
export function readsAbout({ namespace, session_id, agent, trace_id, step_id, project_id }: Names) {
  const get = (...paths: string[]): Call[] => paths.map((path) => ({ method: "GET", path: `/v1${path}` }));
  const filters = [{}, { session_id }, { agent }, { trace_id }];
  const logFilters = [...filters, { resource_id: "r" }, { level: "info" }];
  return {
    "GET /token": get("/token"),
    "GET /namespaces": get("/namespaces"),
    "GET /traces": get(
      `/traces?project_id=${project_id}`,
      `/traces?project_id=${namespace}`,
      `/traces?session_id=${session_id}`,
      `/traces?agent=${agent}`,
      "/traces",
    ),
    "GET /traces/{trace_id}": get(`/traces/${trace_id}`),
    "GET /traces/{trace_id}/tree": get(`/traces/${trace_id}/tree`),
    "GET /traces/{trace_id}/steps": get(
      `/traces/${trace_id}/steps`,
      `/traces/${trace_id}/steps?scope=tree&limit=1`,
    ),
    "GET /sessions/{session_id}/steps": get(
      `/sessions/${session_id}/steps`,
      `/sessions/${session_id}/steps?namespace=${namespace}`,
    ),
    "GET /sessions": get(`/sessions?namespace=${namespace}`, `/sessions?agent=${agent}`, "/sessions"),
    "GET /sessions/{session_id}": get(
      `/sessions/${session_id}`,
      `/sessions/${session_id}?namespace=${namespace}`,
    ),
    "GET /usage": get(
      `/usage?namespace=${namespace}`,
      `/usage?agent=${agent}`,
      "/usage?by=namespace,agent,model,tool,user",
    ),
    "GET /facets": get(`/facets?namespace=${namespace}`, "/facets"),
    "GET /steps": get(`/steps?ids=${step_id}`),
    "GET /files/{file_id}": get(`/files/file_${trace_id}`),
    "GET /files/{file_id}/download": get(`/files/file_${trace_id}/download`),
    "GET /anonymization-rules": get("/anonymization-rules"),
    "GET /model-prices": get("/model-prices"),
    "GET /scores": get(
      `/scores?namespace=${namespace}`,
      `/scores?session_id=${session_id}`,
      `/scores?trace_id=${trace_id}`,
      "/scores",
    ),
    "POST /steps/query": [
      post("/steps/query", { query: {} }),
      post("/steps/query", { namespace, query: {} }),
      post("/steps/query", { query: { text: "said", session_id } }),
      post("/steps/query", { query: { trace_id, agent } }),
    ],
    "POST /mcp": [
      tool("search_steps", { limit: 25 }),
      tool("search_steps", { namespace, limit: 25 }),
      tool("find_sessions", { agent }),
      tool("get_usage", { by: "namespace,agent" }),
      tool("read_steps", { ids: [step_id] }),
      tool("read_tree", { trace_id }),
      tool("read_tree", { session_id }),
      tool("list_names", {}),
      tool("list_namespaces", {}),
    ],
    "POST /record_query": filters.map((query) => post("/record_query", { namespace, query })),
    "POST /records/export": filters.map((query) => post("/records/export", { namespace, ...query })),
    "POST /logs/query": logFilters.map((query) => post("/logs/query", { namespace, ...query })),
    "POST /logs/export": logFilters.map((query) => post("/logs/export", { namespace, ...query })),
  };
}

/** Those that change something. Each alone; content is taken away last. */
export function writesAbout({ namespace, session_id, agent, trace_id, said, score_id }: Names) {
  const placed = { namespace, session_id, metadata: { said } };
  const llm = { ...placed, agent, trace_id, input: { prompt: said }, output: { content: said } };
  const log = { ...placed, agent, trace_id, message: said, resource_id: "r" };
  const record = { namespace, session_id, agent, msg: { role: "user", content: said } };
  const whose = { "monkai.namespace": namespace, "session.id": session_id, "gen_ai.agent.name": agent };
  const call = { ...whose, "gen_ai.operation.name": "chat", "gen_ai.input.messages": said };
  const within = { traceId: TRACE_ID, spanId: SPAN_ID, body: anyValue(said) };
  const run = { id: `trace_${TRACE_ID}`, workflow_name: namespace, group_id: session_id, metadata: { said } };
  const tool = { type: "function", name: "t", input: said, output: said };
  const span = {
    id: `span_${SPAN_ID}`,
    trace_id: run.id,
    started_at: "2026-11-21T12:00:00Z",
    span_data: tool,
  };
  const score = { namespace, trace_id, name: "helpful", value: said, comment: said };
  const solved = { namespace, session_id, name: "solved", value: true };
  const rules = { custom: [{ name: said, pattern: "never-said", replacement: "" }] };
  const prices = { prices: [{ model: said, input: "1" }] };
  return {
    "POST /namespace/register": [post("/namespace/register", { namespace })],
    "POST /sessions/create": [post("/sessions/create", { namespace, user_id: "u" })],
    "POST /sessions/get-or-create": [post("/sessions/get-or-create", { namespace, user_id: "u" })],
    "POST /traces/llm": [post("/traces/llm", llm)],
    "POST /traces/tool": [post("/traces/tool", { ...placed, tool_name: "t", result: said })],
    "POST /traces/handoff": [
      post("/traces/handoff", { ...placed, from_agent: agent, to_agent: "b", reason: said }),
    ],
    "POST /traces/log": [post("/traces/log", log)],
    "POST /traces/batch": [post("/traces/batch", { traces: [{ type: "llm", ...llm }] })],
    "POST /records/upload": [post("/records/upload", { records: [record] })],
    "POST /logs/upload": [
      post("/logs/upload", { logs: [{ namespace, level: "info", message: said, resource_id: "r" }] }),
    ],
    "POST /traces": [post("/traces", traceOf(call, { name: said }))],
    "POST /logs": [post("/logs", logOf(whose, within))],
    "POST /traces/ingest": [
      post("/traces/ingest", {
        data: [
          { object: "trace", ...run },
          { object: "trace.span", ...span },
        ],
      }),
    ],
    "POST /scores": [post("/scores", score)],
    "POST /scores/batch": [post("/scores/batch", { scores: [score, solved] })],
    "DELETE /scores/{score_id}": [
      { method: "DELETE", path: `/v1/scores/${score_id ?? "00000000-0000-7000-8000-000000000000"}` },
    ],
    "PUT /anonymization-rules": [{ method: "PUT", path: "/v1/anonymization-rules", body: rules }],
    "PUT /model-prices": [{ method: "PUT", path: "/v1/model-prices", body: prices }],
    "DELETE /traces/{trace_id}/content": [{ method: "DELETE", path: `/v1/traces/${trace_id}/content` }],
  };
}

/** The operations of the document that need a token, by name. */
export async function documentedOperations(client: Client): Promise<string[]> {
  const { paths } = (await client.request("/v1/openapi.json")).body;
  return Object.entries<Record<string, { security?: object[] }>>(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, { security }]) => security?.length)
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
}

/** What comes back, as text: the status, and the body to its last byte. */
export async function ask(client: Client, { method, path, body }: Call, headers = {}): Promise<string> {
  const response = await client.send(path, body, {
    method,
    headers: { "X-Request-ID": "asked", ...headers },
    ...(body === undefined ? { body: undefined } : {}),
  });
  return `${response.status} ${await response.text()}`;
}

/** The same for many, in order. */
export async function askAll(client: Client, calls: Call[]): Promise<string[]> {
  const answers = [];
  for (const call of calls) answers.push(await ask(client, call));
  return answers;
}

/** A tool that an agent calls. */
function tool(name: string, args: object): Call {
  return post("/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } });
}

function post(path: string, body: object): Call {
  return { method: "POST", path: `/v1${path}`, body };
}
