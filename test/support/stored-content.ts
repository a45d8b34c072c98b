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
  /** Of an uploaded step nobody is told the id. */
  id?: string;
}

/** What an accepted request has stored of what was said: of a batch, the item at the path. */
const STORED: Record<string, (sent: Json, answer: Json, path: FieldPath) => Stored[]> = {
  traceLlmCall: (sent, { id }) => [{ kind: "llm", sent, id }],
  traceToolCall: (sent, { id }) => [{ kind: "tool", sent, id }],
  traceHandoff: (sent, { id }) => [{ kind: "handoff", sent, id }],
  traceLog: (sent, { id }) => [{ kind: "log", sent, id }],
  traceBatch: ({ traces }, { results }, [, index]) =>
    results
      .filter((item: Json) => item.status === "ok" && item.index === index)
      .map(({ type, result }: Json) => ({ kind: type, sent: traces[index as number], id: result.id })),
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

/** The rows among which it must be: one alone where its id is known. */
async function rowsOf(client: Client, stored: Stored, reader: Reader): Promise<JsonObject[]> {
  const listed = await listedRows(client, stored, reader);
  const rows = stored.id === undefined ? listed : listed.filter(({ id }) => id === stored.id);
  const traceId = rows[0]?.trace_id;
  if (reader !== "download" || stored.id === undefined || traceId === undefined) return rows;
  const { status, body } = await client.get(`/v1/files/file_${traceId}/download`);
  expect(status).toBe(200);
  return body.filter(({ id }: JsonObject) => id === stored.id);
}

async function listedRows(client: Client, { kind, sent }: Stored, reader: Reader): Promise<JsonObject[]> {
  const list = kind === "log" || kind === "logEntry" ? "logs" : "records";
  const session_id = repaired(sent.session_id) ?? null;
  const rows = [];
  for (const namespace of await namespacesOf(client, sent.namespace, session_id)) {
    const query = { session_id, limit: 1000 };
    if (reader === "export") {
      rows.push(...(await post(client, `/v1/${list}/export`, { namespace, session_id }))[list]);
    } else if (list === "logs") {
      rows.push(...(await post(client, "/v1/logs/query", { namespace, ...query })).logs);
    } else {
      rows.push(...(await post(client, "/v1/record_query", { namespace, query })).records);
    }
  }
  return rows;
}

/** Where a step may be: where it says, or where its session is. */
async function namespacesOf(client: Client, namespace: unknown, session_id: unknown): Promise<unknown[]> {
  const said = repaired(namespace) || "default";
  if (!session_id) return [said];
  const { status, body } = await client.get(
    `/v1/traces?session_id=${encodeURIComponent(String(session_id))}`,
  );
  expect(status).toBe(200);
  return [...new Set([said, ...body.data.map((trace: JsonObject) => trace.namespace)])];
}

async function post(client: Client, path: string, body: unknown): Promise<Json> {
  const answer = await client.post(path, body);
  expect(answer.status).toBe(200);
  return answer.body;
}
