import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { withAllFields } from "./all-fields.ts";
import { Needles } from "./needles.ts";
import { anyValue, logOf, traceOf } from "./otlp-steps.ts";
import type { Client } from "./tenant.ts";

/** What is no person's: it stays in figures. And what has a form of its own. */
const KEPT = [
  ...["namespace", "agent", "model", "tool_name", "from_agent", "to_agent", "from", "to"],
  ...[
    "level",
    "status",
    "role",
    "type",
    "source",
    "external_user_channel",
    "session_id",
    "trace_id",
    "parent_trace_id",
  ],
  ...["timestamp", "inserted_at", "started_at", "external_user_id", "user_id"],
];

const SINGLE = { llm: "llm", tool: "tool", handoff: "handoff", log: "log" } as const;

/** Something in every field of every endpoint, all of it about one session of one user. */
export async function plantSession(
  client: Client,
): Promise<{ needles: string[]; session_id: string; user_id: string }> {
  const needles = new Needles();
  const user_id = needles.plain();
  const metadata = { [needles.plain()]: needles.text() };
  const created = await client.post("/v1/sessions/create", { namespace: "n", user_id, metadata });
  const { session_id } = created.body;
  const ids = () => ({
    session_id,
    external_user_id: user_id,
    trace_id: needles.plain(),
    parent_trace_id: needles.plain(),
  });
  const key = () => ({ "Idempotency-Key": needles.plain() });
  const all = (kind: Parameters<typeof withAllFields>[0]) => needles.in(withAllFields(kind), KEPT);
  const answers = [created];
  for (const [kind, path] of Object.entries(SINGLE)) {
    answers.push(
      await client.post(`/v1/traces/${path}`, { ...all(kind as keyof typeof SINGLE), ...ids() }, key()),
    );
    const item = { type: kind, ...all(kind as keyof typeof SINGLE), ...ids() };
    answers.push(await client.post("/v1/traces/batch", { traces: [item] }, key()));
  }
  const { trace_id: _, parent_trace_id: __, ...whose } = ids();
  const record = { ...all("record"), ...whose, user_id };
  answers.push(await client.post("/v1/records/upload", { records: [record] }));
  answers.push(await client.post("/v1/logs/upload", { logs: [{ ...all("logEntry"), session_id }] }));

  const traceId = randomBytes(16).toString("hex");
  const attributes = {
    "monkai.namespace": "n",
    "session.id": session_id,
    "user.id": user_id,
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4",
    "gen_ai.input.messages": JSON.stringify([{ role: "user", content: needles.text() }]),
    "gen_ai.output.messages": needles.text(),
    [needles.plain()]: needles.text(),
  };
  const events = [
    { name: needles.text(), attributes: [{ key: needles.plain(), value: anyValue(needles.text()) }] },
  ];
  const status = { code: 2, message: needles.text() };
  const resource = { "service.instance.id": needles.text() };
  const call = { traceId, spanId: randomBytes(8).toString("hex"), name: needles.text(), events, status };
  answers.push(await client.post("/v1/traces", traceOf(attributes, call, resource)));
  // It says neither a session nor a user: both follow from its tree.
  const below = {
    ...call,
    spanId: randomBytes(8).toString("hex"),
    parentSpanId: call.spanId,
    name: needles.text(),
  };
  const tool = {
    "monkai.namespace": "n",
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "t",
    "gen_ai.tool.call.result": needles.text(),
  };
  answers.push(await client.post("/v1/traces", traceOf(tool, below)));
  const said = { traceId, spanId: call.spanId, body: anyValue({ [needles.plain()]: needles.text() }) };
  answers.push(
    await client.post("/v1/logs", logOf({ "monkai.namespace": "n", "log.file": needles.text() }, said)),
  );

  const run = {
    id: `trace_${randomBytes(16).toString("hex")}`,
    workflow_name: "n",
    group_id: session_id,
    metadata: { [needles.plain()]: needles.text() },
  };
  const span_data = { type: "function", name: "t", input: needles.text(), output: needles.text() };
  const times = { started_at: "2026-11-21T12:00:00Z", ended_at: "2026-11-21T12:00:01Z" };
  const span = { id: `span_${randomBytes(8).toString("hex")}`, trace_id: run.id, ...times, span_data };
  const data = [
    { object: "trace", ...run },
    { object: "trace.span", ...span },
  ];
  answers.push(await client.post("/v1/traces/ingest", { data }));

  const { body: traces } = await client.get(`/v1/traces?session_id=${encodeURIComponent(session_id)}`);
  const step_id = answers[1]?.body.id;
  for (const about of [{ session_id }, { step_id }, { trace_id: traces.data[0].id }]) {
    const score = { ...about, name: needles.text(), value: needles.text(), comment: needles.text() };
    answers.push(await client.post("/v1/scores", score, key()));
    answers.push(await client.post("/v1/scores/batch", { scores: [score] }, key()));
  }
  const { trace_id } = ids(); // taken away already: its id is still known
  answers.push(await client.post("/v1/traces/llm", { session_id, trace_id, input: { prompt: "?" } }));
  answers.push(
    await client.request(`/v1/traces/${trace_id}/content`, {
      method: "DELETE",
      headers: { tracer_token: client.token },
    }),
  );
  expect(answers.filter(({ status }) => status !== 200).map(({ body }) => body)).toEqual([]);
  return { needles: needles.all, session_id, user_id };
}
