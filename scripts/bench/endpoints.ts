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
  /** How much longer it may take in the larger volume; null: as much longer as its bound lets it (docs/performance.md). */
  atMost?: number | null;
  /** How many rows of a table it may read, where its bound is above what others need. */
  mostRows?: number;
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
    ...figures(get, volume),
    ...searches(post),
    get("GET traces/{id}/steps of a tree", `/v1/traces/${trace}/steps?scope=tree`),
    get("GET sessions/{id}/steps", `/v1/sessions/${session}/steps`),
    get("GET files/{id}", `/v1/files/file_${trace}`),
    get("GET files/{id}/download", `/v1/files/file_${trace}/download`),
  ];
}

/** What people look at: lists, figures, search. */
function figures(get: (name: string, path: string) => NextRequest, { session }: Volume): NextRequest[] {
  const since = (days: number) => new Date(Date.now() - days * DAY).toISOString().slice(0, 10);
  return [
    get("GET sessions of all namespaces", "/v1/sessions"),
    get(
      "GET sessions of a namespace with a tenth as many sessions as steps",
      "/v1/sessions?namespace=visits",
    ),
    get("GET sessions by agent", "/v1/sessions?namespace=main&agent=agent-3"),
    get("GET sessions by user", "/v1/sessions?namespace=main&user_id=user-7"),
    get("GET sessions with errors", "/v1/sessions?namespace=main&status=error"),
    get("GET sessions/{id}", `/v1/sessions/${session}`),
    get("GET usage by day and model", "/v1/usage?namespace=main&by=day,model"),
    get("GET usage by hour", `/v1/usage?namespace=main&by=hour&start_date=${since(1)}`),
    get("GET usage by agent", "/v1/usage?namespace=main&by=agent"),
    get("GET usage by day in America/Recife", "/v1/usage?by=day&time_zone=America/Recife"),
    get("GET facets", "/v1/facets?namespace=main"),
    get("GET scores", "/v1/scores?limit=50"),
    get("GET model-prices", "/v1/model-prices"),
  ]
    .map((next) => atMost(1.3, next))
    .concat(
      reading(
        100_000,
        atMost(null, get("GET usage by agent of 90 days", `/v1/usage?by=agent&start_date=${since(90)}`)),
      ),
    )
    .map((next) => (next().name.endsWith("facets") ? reading(10_000, next) : next));
}

/** Of the last seven days: a word that each step says, one that none says, and filters without a text. */
function searches(post: (name: string, path: string, body: () => unknown) => NextRequest): NextRequest[] {
  const search = (name: string, query: object) =>
    post(`steps/query ${name}`, "/v1/steps/query", () => ({ namespace: "main", query }));
  return [
    atMost(1.3, search("for a frequent word", { text: "carrier" })),
    atMost(null, search("for a word that nobody says", { text: "zebra crossing" })),
    atMost(null, search("by tool and status", { tool_name: "tool-3", status: "error", limit: 1 })),
  ].map((next) => reading(MOST_CANDIDATES, next));
}

/** As many steps as a search looks at, and some that it counts. */
const MOST_CANDIDATES = 25_000;

function reading(mostRows: number, next: NextRequest): NextRequest {
  return () => ({ ...next(), mostRows });
}

function atMost(limit: number | null, next: NextRequest): NextRequest {
  return () => ({ ...next(), atMost: limit });
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
