import { expect } from "vitest";
import type { Client } from "../tenant.ts";
import { expectOk } from "./read-back.ts";
import {
  HOUSE_MODEL,
  type KnownSession,
  LATE_TREE,
  momentOf,
  NAMESPACES,
  PRICED_FROM,
  pick,
  randomOf,
  SPAN_TREE,
  spanRequests,
  trafficOf,
} from "./traffic.ts";

const LATE_SESSION = "told-late";

/** Sends the week, and gives the sessions that were created for it. */
export async function sendWeek(client: Client): Promise<KnownSession[]> {
  await putPrices(client);
  await sendEarlyScores(client);
  const created = await createSessions(client);
  const named = Array.from({ length: 45 }, (_, index) => ({
    session_id: `${index < 25 ? "told" : "quiet"}-${index}`,
    namespace: NAMESPACES[index % 2] as string,
  }));
  const late = { session_id: LATE_SESSION, namespace: NAMESPACES[0] as string };
  const traffic = trafficOf([...created.slice(1), ...named, late], 20251020);
  // A session may have records in a namespace that is not its own.
  for (const [index, record] of traffic.records.entries()) {
    if (index % 9 === 0) record.namespace = NAMESPACES[index % 2];
  }

  const [whole, children, root] = spanRequests();
  const requests = [
    ...chunks(traffic.traces, 100).map((traces) => () => client.post("/v1/traces/batch", { traces })),
    ...chunks(traffic.records, 50).map((records) => () => client.post("/v1/records/upload", { records })),
    ...chunks(traffic.logs, 40).map((logs) => () => client.post("/v1/logs/upload", { logs })),
    () => client.post("/v1/traces", whole),
    () => client.post("/v1/traces", children),
  ];
  const half = Math.floor(requests.length / 2);
  await sendAll(requests.slice(0, half));
  await purgeSession(client, created[1] as KnownSession);
  await sendAll(requests.slice(half));
  await sendAgain(client, traffic);
  // What stands so far is folded, so that the root changes what was added up.
  await expectOk(client.get("/v1/usage"));
  await sendAll([() => client.post("/v1/traces", root), () => client.post("/v1/traces", whole)]);
  await sendScores(client, [...created, ...named]);
  return created;
}

function chunks<Item>(items: Item[], size: number): Item[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** Three at a time. */
async function sendAll(requests: (() => Promise<{ status: number; body: unknown }>)[]): Promise<void> {
  for (const some of chunks(requests, 3)) {
    for (const { status, body } of await Promise.all(some.map((send) => send()))) {
      expect([status, body]).toEqual([200, expect.not.objectContaining({ success: false })]);
    }
  }
}

/** The known prices, and one that is the company's own, from the middle of the week on. */
async function putPrices(client: Client): Promise<void> {
  const { version, prices } = await expectOk(client.get("/v1/model-prices"));
  const own = [
    { model: HOUSE_MODEL, valid_from: PRICED_FROM, input: "0.123456789", output: "3.000000001" },
    { model: `${HOUSE_MODEL}*`, valid_from: "2025-10-25", input: "99", output: "99" },
    { model: HOUSE_MODEL, valid_from: "2025-10-25", input: "0.2", cached_input: "0.05" },
  ];
  await expectOk(client.put("/v1/model-prices", { expected_version: version, prices: [...prices, ...own] }));
}

/** Of what comes later: they stand in the namespace `default`. */
async function sendEarlyScores(client: Client): Promise<void> {
  const scores = [
    { session_id: LATE_SESSION, name: "helpful", value: 0.25, created_at: "2025-10-21T11:00:00Z" },
    { trace_id: LATE_TREE, name: "correct", value: true, created_at: "2025-10-21T11:30:00Z" },
    { trace_id: "never-comes", name: "correct", value: false, created_at: "2025-10-21T12:30:00Z" },
  ];
  expect((await expectOk(client.post("/v1/scores/batch", { scores }))).success).toBe(true);
}

/** The first one stays empty. */
async function createSessions(client: Client): Promise<KnownSession[]> {
  const created: KnownSession[] = [];
  for (let index = 0; index < 20; index += 1) {
    const wanted = { namespace: NAMESPACES[index % 2] as string, user_id: `user-${index % 7}` };
    const { session_id } = await expectOk(client.post("/v1/sessions/get-or-create", wanted));
    if (!created.some((session) => session.session_id === session_id)) {
      created.push({ ...wanted, session_id });
    }
  }
  return created;
}

async function purgeSession(client: Client, { session_id }: KnownSession): Promise<void> {
  const path = `/v1/traces?session_id=${encodeURIComponent(session_id)}`;
  const { data: traces } = await expectOk(client.get(path));
  expect(traces.length).toBeGreaterThan(0);
  for (const { id } of traces) {
    const answer = await client.send(`/v1/traces/${id}/content`, undefined, { method: "DELETE" });
    expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
  }
}

/** Repetitions: with a key, and of records without one. They must not count twice. */
async function sendAgain(client: Client, traffic: { records: object[] }): Promise<void> {
  const traces = [
    {
      type: "llm",
      session_id: "quiet-30",
      model: "gpt-4o-mini",
      output: { usage: { input_tokens: 5, output_tokens: 5 } },
    },
  ];
  for (let time = 0; time < 3; time += 1) {
    const answer = client.post("/v1/traces/batch", { traces }, { "Idempotency-Key": "once" });
    expect((await expectOk(answer)).succeeded).toBe(1);
  }
  const again = await expectOk(client.post("/v1/records/upload", { records: traffic.records.slice(-50) }));
  expect(again.duplicates_skipped).toBe(50);
}

/** Of sessions, traces and steps: numbers, yes and no, texts. */
async function sendScores(client: Client, sessions: KnownSession[]): Promise<void> {
  const random = randomOf(7);
  const { data: traces } = await expectOk(client.get("/v1/traces?limit=60"));
  const ids = await stepIds(client);
  const scores = Array.from({ length: 90 }, (_, index) => {
    const about = [
      { session_id: pick(sessions, random).session_id },
      { trace_id: pick(traces as { id: string }[], random).id },
      { step_id: pick(ids, random) },
    ][index % 3];
    const value = [random() * 5, random() < 0.5, "well said"][Math.floor(random() * 3)];
    const name = ["helpful", "correct", "tone"][Math.floor(random() * 3)];
    return { ...about, name, value, ...(random() < 0.8 ? { created_at: momentOf(random) } : {}) };
  });
  scores.push(
    { trace_id: SPAN_TREE, name: "overall", value: 1, created_at: "2025-10-22T18:30:00Z" },
    { step_id: ids[0] as string, name: "overall", value: -2.5, created_at: "2025-10-24T10:30:00Z" },
  );
  const answer = await expectOk(client.post("/v1/scores/batch", { scores }));
  expect(answer).toMatchObject({ succeeded: scores.length, failed: 0 });
}

async function stepIds(client: Client): Promise<string[]> {
  const namespaces = NAMESPACES.slice(0, 2);
  const lists = namespaces.map(async (namespace) => {
    const { records } = await expectOk(client.post("/v1/records/export", { namespace }));
    const { logs } = await expectOk(client.post("/v1/logs/export", { namespace }));
    return [...records, ...logs].map(({ id }: { id: string }) => id);
  });
  return (await Promise.all(lists)).flat();
}
