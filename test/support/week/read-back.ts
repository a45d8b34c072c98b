import { expect } from "vitest";
import type { Client } from "../tenant.ts";
import type { Price } from "./costs.ts";
import { type CountedScore, type CountedStep, isBilled, microseconds } from "./counted.ts";
import { type KnownSession, NAMESPACES } from "./traffic.ts";

// biome-ignore lint/suspicious/noExplicitAny: read as any client would
type Read = any;

/** All that there is to add up, as the API gives it away: exports, scores, prices, and the spans that are in no export. */
export interface Week {
  steps: CountedStep[];
  scores: CountedScore[];
  prices: Price[];
  /** What was exported and listed of each step, by its id. */
  exported: Map<string, Read>;
  skeletons: Read[];
  sessionIds: string[];
}

export async function readWeek(client: Client, created: KnownSession[]): Promise<Week> {
  const users = new Map(created.map(({ session_id, user_id }) => [session_id, user_id ?? null]));
  const homes = new Map(created.map(({ session_id, namespace }) => [session_id, namespace]));
  const exported = new Map<string, Read>();
  const steps: CountedStep[] = [];
  for (const namespace of NAMESPACES) {
    for (const record of (await expectOk(client.post("/v1/records/export", { namespace }))).records) {
      exported.set(record.id, record);
      steps.push(ofRecord(record, users));
    }
    for (const entry of (await expectOk(client.post("/v1/logs/export", { namespace }))).logs) {
      exported.set(entry.id, entry);
      if (entry.trace_id !== undefined) steps.push(ofLog(entry, users));
    }
  }
  const sessionIds = [...new Set([...users.keys(), ...steps.flatMap(({ session_id }) => session_id ?? [])])];
  const listed = await readSteps(client, placesOf(steps));
  const spans = listed.skeletons.filter(({ type }) => type === "agent" || type === "span");
  steps.push(...(await readSpans(client, spans)));
  return {
    steps,
    scores: await readScores(client, { steps, users, homes, traces: listed.traces }),
    prices: (await expectOk(client.get("/v1/model-prices"))).prices,
    exported,
    skeletons: listed.skeletons,
    sessionIds,
  };
}

export async function expectOk(answer: Promise<{ status: number; body: Read }>): Promise<Read> {
  const { status, body } = await answer;
  expect([status, body]).toEqual([200, expect.anything()]);
  return body;
}

/** Pages of a list, to the last one. */
export async function readAll(client: Client, path: string, list: string): Promise<Read[]> {
  const items: Read[] = [];
  let cursor = "";
  do {
    const page = await expectOk(client.get(`${path}&cursor=${cursor}`));
    items.push(...page[list]);
    cursor = page.next_cursor ?? "";
  } while (cursor !== "");
  return items;
}

function ofRecord(record: Read, users: Map<string, string | null>): CountedStep {
  const type = record.trace_type ?? "message";
  const step = {
    ...common(record, users),
    type,
    model: record.model ?? null,
    tool: type === "tool_call" ? record.tool_name : null,
    latency_ms: record.latency_ms,
    at: microseconds(record.inserted_at),
    ended_at: endOf(record),
    input_tokens: record.input_tokens ?? 0,
    cached_input_tokens: record.cached_input_tokens ?? 0,
    output_tokens: record.output_tokens ?? 0,
    reasoning_tokens: record.reasoning_tokens ?? 0,
  };
  return isBilled(step) ? step : { ...step, model: null };
}

/** When it began and how long it took tell it; else when it is listed. */
function endOf({ inserted_at, started_at, latency_ms }: Read): number {
  if (latency_ms === undefined) return microseconds(inserted_at);
  return microseconds(started_at) + latency_ms * 1000;
}

const UNBILLED = {
  model: null,
  tool: null,
  latency_ms: undefined,
  input_tokens: 0,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
};

function ofLog(entry: Read, users: Map<string, string | null>): CountedStep {
  const at = microseconds(entry.timestamp);
  return { ...common(entry, users), ...UNBILLED, type: "log", at, ended_at: at };
}

function common(read: Read, users: Map<string, string | null>) {
  return {
    id: read.id,
    namespace: read.namespace,
    session_id: read.session_id,
    agent: read.agent ?? null,
    user: read.external_user_id ?? users.get(read.session_id) ?? null,
    is_error: read.status === "error",
    began_at: microseconds(read.started_at),
  };
}

type Place = [session_id: string, namespace: string];

/** The namespaces that each session has steps in. */
function placesOf(steps: CountedStep[]): Place[] {
  const places = new Map<string, Place>();
  for (const { session_id, namespace } of steps) {
    if (session_id !== undefined) places.set(`${session_id} ${namespace}`, [session_id, namespace]);
  }
  return [...places.values()];
}

interface KnownTrace {
  /** Of one that is only known as the parent of others: undefined. */
  session_id: string | undefined;
  agent: string;
  home: string;
}

async function readSteps(client: Client, places: Place[]) {
  const skeletons: Read[] = [];
  const traces = new Map<string, KnownTrace>();
  for (const [session_id, home] of places) {
    const path = `/v1/sessions/${encodeURIComponent(session_id)}/steps?limit=5000`;
    const list = await expectOk(client.get(`${path}&namespace=${encodeURIComponent(home)}`));
    expect(list.steps).toHaveLength(list.count);
    const own = new Set(list.steps.flatMap(({ trace_id, to_trace_id }: Read) => [trace_id, to_trace_id]));
    for (const { id, agent } of list.traces) {
      traces.set(id, { session_id: own.has(id) ? session_id : undefined, agent, home });
    }
    skeletons.push(...list.steps);
  }
  return { skeletons, traces };
}

/** Agents' spans and plain ones: where they are and whose, each tells itself. */
async function readSpans(client: Client, skeletons: Read[]): Promise<CountedStep[]> {
  const ids = skeletons.map(({ id }) => id);
  const { steps } = await expectOk(client.get(`/v1/steps?ids=${ids.join(",")}`));
  return steps.map((step: Read) => {
    const at = microseconds(step.inserted_at);
    const ended_at = at + step.latency_ms * 1000;
    return { ...common(step, new Map()), ...UNBILLED, type: step.type, at, ended_at };
  });
}

interface Known {
  steps: CountedStep[];
  users: Map<string, string | null>;
  homes: Map<string, string>;
  traces: Map<string, KnownTrace>;
}

const NOWHERE = {
  home: undefined,
  session_id: undefined,
  agent: null,
  model: null,
  tool: null,
  user: null,
};

async function readScores(client: Client, known: Known): Promise<CountedScore[]> {
  const read = await readAll(client, "/v1/scores?limit=50", "scores");
  return read.map(({ name, value, namespace, created_at, ...about }) => ({
    ...NOWHERE,
    ...whereIs(about, known),
    name,
    namespace,
    at: microseconds(created_at),
    value: typeof value === "string" || value === null ? null : Number(value),
  }));
}

/** A step under its agent, model, tool and user; a trace under its agent; a session under the user that it was created with. */
function whereIs({ trace_id, session_id, step_id }: Read, { steps, users, homes, traces }: Known) {
  if (trace_id !== undefined) return traces.get(trace_id);
  if (session_id !== undefined) {
    return { session_id, home: homes.get(session_id), user: users.get(session_id) ?? null };
  }
  const step = steps.find(({ id }) => id === step_id);
  if (step === undefined) return undefined;
  const { agent, model, tool, user } = step;
  return { home: step.namespace, session_id: step.session_id, agent, model, tool, user };
}
