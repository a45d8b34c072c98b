import { inExport, otlpSpan, SPANS_OF_TRACE } from "./otlp-bodies.ts";
import { llmStep, sessionNames } from "./samples.ts";
import type { Volume } from "./volume.ts";

/** An endpoint whose latency must not grow with the tenant's data. */
export interface Endpoint {
  name: string;
  path: string;
  init: RequestInit;
  /** Whether it is measured while others write, too. */
  whileOthersWrite?: boolean;
  /** Whether the answer is given up when it has begun. */
  isLong?: boolean;
}

/** Makes the next request to an endpoint. */
export type NextRequest = () => Endpoint;

const DAY = 24 * 3600 * 1000;
/** As many as the smaller of the two volumes has of what is rare: both must give whole pages. */
const FEW = 10;

/** Every read and write, as they are asked of a volume: sessions and moments are those of its data. */
export function endpoints(volume: Volume): NextRequest[] {
  const { session, trace } = volume;
  const begun = Date.now() - 45 * DAY;
  const oneDay = { start_date: new Date(begun).toISOString(), end_date: new Date(begun + DAY).toISOString() };
  const day = new URLSearchParams(oneDay);
  const nextSession = sessionNames(crypto.randomUUID());
  const step = () => ({ ...llmStep(nextSession()), namespace: "main" });

  const { get, post } = requests(volume);
  const records = (name: string, filters: object) =>
    post(`record_query${name}`, "/v1/record_query", () => ({
      namespace: "main",
      query: { limit: 50, ...filters },
    }));
  const logs = (name: string, filters: object) =>
    post(`logs/query${name}`, "/v1/logs/query", () => ({ namespace: "main", limit: 50, ...filters }));
  const traces = (name: string, filters: string) =>
    whileOthersWrite(get(`GET traces${name}`, `/v1/traces?project_id=main${filters}`));

  return [
    post("sessions/get-or-create", "/v1/sessions/get-or-create", () => ({
      namespace: "main",
      user_id: "a-user-of-the-benchmark",
    })),
    post("traces/llm", "/v1/traces/llm", step),
    post("traces/batch of 10", "/v1/traces/batch", () => ({
      traces: Array.from({ length: 10 }, () => ({ type: "llm", ...step() })),
    })),
    post("records/upload of 10", "/v1/records/upload", () => ({
      records: Array.from({ length: 10 }, () => ({
        namespace: "main",
        agent: "agent-3",
        session_id: nextSession(),
        msg: { role: "user", content: `Where is ${crypto.randomUUID()}?` },
      })),
    })),
    post("logs/upload of 10", "/v1/logs/upload", () => ({
      logs: Array.from({ length: 10 }, () => ({ namespace: "main", level: "info", message: "Looked up it" })),
    })),
    post("OTLP traces of 64 spans", "/v1/traces", () => {
      const traceId = crypto.randomUUID().replaceAll("-", "");
      return inExport(Array.from({ length: SPANS_OF_TRACE }, (_, place) => otlpSpan(traceId, place, 0)));
    }),
    records(", first page", {}),
    records(" by agent", { agent: "agent-3" }),
    records(" by session", { session_id: session }),
    records(" by trace", { trace_id: trace }),
    records(" by date", oneDay),
    logs(", first page", {}),
    logs(" by level", { level: "error", limit: FEW }),
    logs(" by resource", { resource_id: "resource-7" }),
    long(
      post("records/export, first page", "/v1/records/export", () => ({ namespace: "main", format: "csv" })),
    ),
    long(post("logs/export, first page", "/v1/logs/export", () => ({ namespace: "main", format: "json" }))),
    get("GET traces of all namespaces", "/v1/traces"),
    traces("", ""),
    traces(" by agent", "&agent=agent-3"),
    traces(" by session", `&session_id=${session}`),
    traces(" by date", `&${day}&limit=${FEW}`),
    traces(", roots only", "&root_only=true"),
    whileOthersWrite(get("GET traces/{id}", `/v1/traces/${trace}`)),
    whileOthersWrite(get("GET traces/{id}/tree", `/v1/traces/${trace}/tree`)),
    get("GET traces/{id}/steps of a tree", `/v1/traces/${trace}/steps?scope=tree`),
    get("GET sessions/{id}/steps", `/v1/sessions/${session}/steps`),
    get("GET files/{id}", `/v1/files/file_${trace}`),
    get("GET files/{id}/download", `/v1/files/file_${trace}/download`),
  ];
}

/** Writing to a session, and listing its traces. */
export function endpointsOfSession(volume: Volume, session: string, steps: number): NextRequest[] {
  const { get, post } = requests(volume);
  const of = `a session of ${steps.toLocaleString("en")} steps`;
  return [
    post(`traces/llm in ${of}`, "/v1/traces/llm", () => ({
      ...llmStep(session),
      namespace: "talks",
      agent: "agent-0",
    })),
    get(`GET traces of ${of}`, `/v1/traces?session_id=${session}`),
  ];
}

function requests({ token }: Volume) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return {
    get:
      (name: string, path: string): NextRequest =>
      () => ({ name, path, init: { headers } }),
    post:
      (name: string, path: string, body: () => unknown): NextRequest =>
      () => ({ name, path, init: { method: "POST", headers, body: JSON.stringify(body()) } }),
  };
}

function whileOthersWrite(next: NextRequest): NextRequest {
  return () => ({ ...next(), whileOthersWrite: true });
}

function long(next: NextRequest): NextRequest {
  return () => ({ ...next(), isLong: true });
}
