import { deepEqual } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { JsonObject } from "../../functions/monkai-api/domain/json.ts";
import type { FieldPath } from "./hostile-json.ts";
import { type Kind, keptContent, normalized, readContent, repaired } from "./kept-content.ts";
import type { Client } from "./tenant.ts";

// biome-ignore lint/suspicious/noExplicitAny: requests and answers are read as the JSON that they are
type Json = any;

/** In which of the ways that clients have something is read. */
export type Reader = "query" | "export" | "download";

interface Stored {
  kind: Kind;
  sent: JsonObject;
  traceId?: string;
}

/** What an accepted request has stored of what was said: of a batch, the item at the path. */
const STORED: Record<string, (sent: Json, answer: Json, path: FieldPath) => Stored[]> = {
  traceLlmCall: (sent, { trace_id }) => [{ kind: "llm", sent, traceId: trace_id }],
  traceToolCall: (sent, { trace_id }) => [{ kind: "tool", sent, traceId: trace_id }],
  traceHandoff: (sent, { trace_id }) => [{ kind: "handoff", sent, traceId: trace_id }],
  traceLog: (sent, { trace_id }) => [{ kind: "log", sent, traceId: trace_id }],
  traceBatch: ({ traces }, { results }, [, index]) =>
    results
      .filter((item: Json) => item.status === "ok" && item.index === index)
      .map(({ type, result }: Json) => ({
        kind: type,
        sent: traces[index as number],
        traceId: result.trace_id,
      })),
  uploadRecords: ({ records }) => records.map((sent: JsonObject) => ({ kind: "record", sent })),
  uploadLogs: ({ logs }) => logs.map((sent: JsonObject) => ({ kind: "logEntry", sent })),
};

/** What the request has stored is read back with the content that was sent. */
export async function expectStored(
  client: Client,
  operation: string,
  { sent, answer, path }: { sent: Json; answer: Json; path: FieldPath },
  reader: Reader,
): Promise<void> {
  for (const stored of STORED[operation]?.(sent, answer, path) ?? []) {
    const rows = await rowsOf(client, stored, reader);
    const wanted = keptContent(stored.kind, stored.sent);
    const read = rows.map((row) => normalized(readContent(row, wanted, stored.kind)));
    if (!read.some((row) => isDeepStrictEqual(row, normalized(wanted)))) {
      deepEqual(read[0], normalized(wanted));
    }
  }
}

/** The rows among which it must be. */
async function rowsOf(
  client: Client,
  { kind, sent, traceId }: Stored,
  reader: Reader,
): Promise<JsonObject[]> {
  if (traceId && reader === "download") return (await client.get(`/v1/files/file_${traceId}/download`)).body;
  const namespace = traceId
    ? (await client.get(`/v1/traces/${traceId}`)).body.namespace
    : repaired(sent.namespace);
  const list = kind === "log" || kind === "logEntry" ? "logs" : "records";
  if (reader === "export") return (await post(client, `/v1/${list}/export`, { namespace }))[list];
  if (list === "logs") return (await post(client, "/v1/logs/query", { namespace, limit: 1000 })).logs;
  return (await post(client, "/v1/record_query", { namespace, query: { limit: 1000 } })).records;
}

async function post(client: Client, path: string, body: unknown): Promise<Json> {
  const answer = await client.post(path, body);
  expect(answer.status).toBe(200);
  return answer.body;
}
