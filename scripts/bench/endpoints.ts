import { llmStep, sessionNames } from "./samples.ts";
import type { Volume } from "./volume.ts";

/** An endpoint whose latency must not grow with the tenant's data. */
export interface Endpoint {
  name: string;
  path: string;
  init: RequestInit;
}

const DAY = 24 * 3600 * 1000;

/** What is asked of a volume, request by request: sessions and moments are those of its data. */
export function endpoints(volume: Volume): (() => Endpoint)[] {
  const { session, trace, token } = volume;
  const begun = Date.now() - 45 * DAY;
  const oneDay = { start_date: new Date(begun).toISOString(), end_date: new Date(begun + DAY).toISOString() };
  const nextSession = sessionNames(crypto.randomUUID());

  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const get = (name: string, path: string) => () => ({ name, path, init: { headers } });
  const post = (name: string, path: string, body: () => unknown) => () => ({
    name,
    path,
    init: { method: "POST", headers, body: JSON.stringify(body()) },
  });
  const records = (name: string, filters: object) =>
    post(name, "/v1/record_query", () => ({ namespace: "main", query: { limit: 50, ...filters } }));

  return [
    post("sessions/get-or-create", "/v1/sessions/get-or-create", () => ({
      namespace: "main",
      user_id: "a-user-of-the-benchmark",
    })),
    post("traces/llm", "/v1/traces/llm", () => ({ ...llmStep(nextSession()), namespace: "main" })),
    records("record_query, first page", {}),
    records("record_query by agent", { agent: "agent-3" }),
    records("record_query by session", { session_id: session }),
    records("record_query by date", oneDay),
    post("logs/query, first page", "/v1/logs/query", () => ({ namespace: "main", limit: 50 })),
    get("GET traces", "/v1/traces?project_id=main"),
    get("GET traces/{id}/tree", `/v1/traces/${trace}/tree`),
  ];
}
