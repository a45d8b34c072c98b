import { expect } from "vitest";
import type { Client } from "./tenant.ts";

interface Row {
  id: string;
  trace_id?: string;
}

/** Which trace each of the steps with these ids belongs to, as the records and log entries of the namespaces tell. */
export async function tracesOf(
  client: Client,
  ids: string[],
  namespaces = ["n"],
): Promise<(string | undefined)[]> {
  const rows: Row[] = [];
  for (const namespace of new Set(namespaces)) {
    const records = await client.post("/v1/record_query", { namespace, query: { limit: 1000 } });
    const logs = await client.post("/v1/logs/query", { namespace, limit: 1000 });
    rows.push(...records.body.records, ...logs.body.logs);
  }
  const traces = new Map(rows.map(({ id, trace_id }) => [id, trace_id]));
  for (const id of ids) expect([...traces.keys()]).toContain(id);
  return ids.map((id) => traces.get(id));
}
