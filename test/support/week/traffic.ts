import { keyValues } from "../otlp-steps.ts";

/** A generator of numbers from 0 to 1 (mulberry32): the same seed gives the same ones. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A week, Monday to Sunday (UTC), in which Berlin's summer time ends: on its last day at 01:00. */
export const FIRST_DAY = "2025-10-20";
export const LAST_DAY = "2025-10-26";
const BEGINS = Date.parse(`${FIRST_DAY}T00:00:00Z`);
const DAY = 86_400_000;

/** The first day on which the house's own model has a price. */
export const PRICED_FROM = "2025-10-23";
export const HOUSE_MODEL = "house-model-1";
const UNKNOWN_MODEL = "mystery-7b";
const MODELS = ["gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-flash", HOUSE_MODEL, UNKNOWN_MODEL];
export const AGENTS = ["support desk", "planner", "researcher", "billing"];
const TOOLS = ["search", "refund", "send mail", "look up"];

/** `default` has only scores whose subject was not there yet. */
export const NAMESPACES = ["shop", "back office", "default"];

/** Where days and hours begin in some time zone, and a moment to either side. */
const BORDERS = [
  "2025-10-21T00:00:00.000Z",
  "2025-10-20T23:59:59.999Z",
  "2025-10-22T03:00:00.000Z",
  "2025-10-22T02:59:59.999Z",
  "2025-10-22T18:30:00.000Z",
  "2025-10-22T18:29:59.999Z",
  "2025-10-23T18:15:00.000Z",
  "2025-10-23T18:14:59.999Z",
  "2025-10-25T22:00:00.000Z",
  "2025-10-25T21:59:59.999Z",
  "2025-10-26T00:30:00.000Z",
  "2025-10-26T00:59:59.999Z",
  "2025-10-26T01:00:00.000Z",
  "2025-10-26T01:30:00.000Z",
  "2025-10-26T23:59:59.999Z",
];

export interface KnownSession {
  session_id: string;
  namespace: string;
  /** As its session was created with; others are told by their steps, or nowhere. */
  user_id?: string;
}

type Sent = Record<string, unknown>;

export interface Traffic {
  /** Items of /traces/batch, of /records/upload and of /logs/upload. */
  traces: Sent[];
  records: Sent[];
  logs: Sent[];
}

/** What happened in the sessions: some turns in each, with all that real clients send and leave out. */
export function trafficOf(sessions: KnownSession[], seed: number): Traffic {
  const random = randomOf(seed);
  const traffic: Traffic = { traces: [], records: [], logs: [] };
  for (const session of sessions) {
    for (let turns = 1 + below(12, random); turns > 0; turns -= 1) addTurn(traffic, session, random);
  }
  const inTraceAlone = { type: "log", namespace: NAMESPACES[0], trace_id: "log-only", message: "no session" };
  traffic.traces.push({ ...inTraceAlone, level: "error", status: "error", timestamp: BORDERS[1] });
  for (const at of BORDERS) {
    const session = pick(sessions, random);
    traffic.traces.push(llmCall(session, random, at), toolCall(session, random, at));
    traffic.logs.push({ namespace: session.namespace, level: "info", message: "outside of any session" });
  }
  return traffic;
}

export function pick<Item>(items: Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

const below = (limit: number, random: () => number) => Math.floor(random() * limit);

export function momentOf(random: () => number): string {
  return new Date(BEGINS + below(7 * DAY, random)).toISOString();
}

function addTurn(traffic: Traffic, session: KnownSession, random: () => number): void {
  // Now and then nothing tells when it was: then it is now.
  const at = random() < 0.08 ? undefined : momentOf(random);
  traffic.traces.push(llmCall(session, random, at), toolCall(session, random, at));
  if (random() < 0.6) traffic.traces.push(llmCall(session, random, at));
  if (random() < 0.4) traffic.traces.push(handoff(session, random, at));
  if (random() < 0.4) traffic.traces.push(log(session, random, at));
  if (random() < 0.5) traffic.records.push(record(session, random, at));
  if (random() < 0.2) traffic.logs.push({ ...log(session, random, at), type: undefined });
}

/** What steps of each kind may say, or leave out. */
function said({ session_id, namespace, user_id }: KnownSession, random: () => number): Sent {
  const tells = user_id === undefined && session_id.startsWith("told");
  return {
    session_id,
    namespace,
    ...(random() < 0.8 ? { agent: pick(AGENTS, random) } : {}),
    ...(random() < 0.1 ? claimed(session_id, random) : {}),
    ...(tells ? { external_user_id: `told-${below(3, random)}` } : {}),
    ...(random() < 0.08 ? { status: "error", error: { type: "Timeout", message: "too slow" } } : {}),
  };
}

/** Some know their own trees. */
function claimed(session_id: string, random: () => number): Sent {
  const ids = [1, 2, 3].map((number) => `${session_id.replace(/[^\w-]/g, "_").slice(-40)}-${number}`);
  return { trace_id: pick(ids, random), ...(random() < 0.3 ? { parent_trace_id: ids[0] } : {}) };
}

function llmCall(session: KnownSession, random: () => number, timestamp: string | undefined): Sent {
  const question = `What about order ${below(1000, random)}?`;
  return {
    type: "llm",
    ...said(session, random),
    ...(random() < 0.95 ? { model: pick(MODELS, random) } : {}),
    ...(random() < 0.9 ? { latency_ms: (below(9000, random) ** 2) >> below(12, random) } : {}),
    ...(random() < 0.2 && timestamp ? { started_at: before(timestamp, below(4000, random)) } : {}),
    timestamp,
    input: { messages: [{ role: "user", content: question }] },
    output: { content: `It is ${below(1000, random)}.`, ...usage(random) },
  };
}

function before(moment: string, milliseconds: number): string {
  return new Date(Date.parse(moment) - milliseconds).toISOString();
}

/** Without any, with zeros, plain, with cached ones in the input or beside it, with reasoning. */
function usage(random: () => number): Sent {
  const kind = below(6, random);
  const tokens = { input_tokens: 1 + below(20_000, random), output_tokens: 1 + below(3000, random) };
  if (kind === 0) return {};
  if (kind === 1) return { usage: { input_tokens: 0, output_tokens: 0 } };
  if (kind === 2) return { usage: tokens };
  if (kind === 3) {
    const cached_tokens = below(tokens.input_tokens + 1, random);
    return { usage: { ...tokens, input_tokens_details: { cached_tokens } } };
  }
  if (kind === 4) return { usage: { ...tokens, cache_read_input_tokens: tokens.input_tokens + 1 } };
  const reasoning_tokens = below(tokens.output_tokens, random);
  return { usage: { ...tokens, output_tokens_details: { reasoning_tokens } } };
}

function toolCall(session: KnownSession, random: () => number, timestamp: string | undefined): Sent {
  const failed = random() < 0.1;
  return {
    type: "tool",
    ...said(session, random),
    tool_name: pick(TOOLS, random),
    arguments: { order: below(1000, random) },
    result: failed ? { is_error: true, content: "no such order" } : "done",
    latency_ms: below(2500, random),
    timestamp,
  };
}

function handoff(session: KnownSession, random: () => number, timestamp: string | undefined): Sent {
  const { agent: _, ...step } = said(session, random);
  const [from_agent, to_agent] = [pick(AGENTS, random), pick(AGENTS, random)];
  return { type: "handoff", ...step, from_agent, to_agent, reason: "knows more", timestamp };
}

function log(session: KnownSession, random: () => number, timestamp: string | undefined): Sent {
  const { external_user_id: _, ...step } = said(session, random);
  const level = pick(["debug", "info", "warn", "error"], random);
  return { type: "log", ...step, level, message: `entry ${below(1e6, random)}`, timestamp };
}

function record(session: KnownSession, random: () => number, inserted_at: string | undefined): Sent {
  const hasTokens = random() < 0.5;
  const { trace_id: _, parent_trace_id: __, ...step } = said(session, random);
  return {
    ...step,
    agent: pick(AGENTS, random),
    msg: { role: pick(["user", "assistant"], random), content: `Record ${below(1e9, random)}` },
    inserted_at,
    ...(random() < 0.6 ? { model: pick(MODELS, random) } : {}),
    ...(hasTokens ? { input_tokens: below(5000, random), output_tokens: below(500, random) } : {}),
    ...(hasTokens && random() < 0.3 ? { cached_input_tokens: below(100, random), reasoning_tokens: 3 } : {}),
  };
}

interface SentSpan {
  id: number;
  parent?: number;
  at: string;
  milliseconds: number;
  failed?: boolean;
  attributes: Sent;
}

const chat = (model: string, input: number, output: number, more: Sent = {}): Sent => ({
  "gen_ai.operation.name": "chat",
  "gen_ai.request.model": model,
  "gen_ai.usage.input_tokens": BigInt(input),
  "gen_ai.usage.output_tokens": BigInt(output),
  "gen_ai.input.messages": JSON.stringify([
    { role: "user", parts: [{ type: "text", content: `Spend ${input}` }] },
  ]),
  ...more,
});
const agent = (name: string): Sent => ({
  "gen_ai.operation.name": "invoke_agent",
  "gen_ai.agent.name": name,
});
const tool = (name: string): Sent => ({ "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name });

export const SPAN_TREE = "5b8aa5a2d2c872e8321cf37308d69df2";
export const LATE_TREE = "6b8aa5a2d2c872e8321cf37308d69df3";
export const LATE_SESSION = { "session.id": "span-session", "user.id": "span-user" };

/** The requests of two OpenTelemetry traces: one with agents and a wrapper, one whose root tells session and user last of all. */
export function spanRequests(): object[] {
  const whole: SentSpan[] = [
    { id: 1, at: "2025-10-22T18:29:58Z", milliseconds: 9000, attributes: agent("planner") },
    {
      id: 2,
      parent: 1,
      at: "2025-10-22T18:29:58.100Z",
      milliseconds: 700,
      attributes: chat("gpt-4o-mini", 90, 9),
    },
    {
      id: 3,
      parent: 1,
      at: "2025-10-22T18:29:59Z",
      milliseconds: 4000,
      attributes: chat("gpt-4o-mini", 700, 70),
    },
    {
      id: 4,
      parent: 3,
      at: "2025-10-22T18:29:59.500Z",
      milliseconds: 3000,
      attributes: chat("gpt-4o-mini", 700, 70, { "gen_ai.usage.cache_read.input_tokens": 512n }),
    },
    {
      id: 5,
      parent: 1,
      at: "2025-10-22T18:30:03Z",
      milliseconds: 2000,
      failed: true,
      attributes: agent("researcher"),
    },
    {
      id: 6,
      parent: 5,
      at: "2025-10-22T18:30:03.500Z",
      milliseconds: 33,
      failed: true,
      attributes: tool("search"),
    },
    {
      id: 7,
      parent: 5,
      at: "2025-10-22T18:30:04Z",
      milliseconds: 40,
      attributes: { purpose: "a plain span" },
    },
  ];
  const late: SentSpan[] = [
    {
      id: 12,
      parent: 11,
      at: "2025-10-25T23:59:59.900Z",
      milliseconds: 800,
      attributes: chat(HOUSE_MODEL, 3000, 300),
    },
    { id: 13, parent: 11, at: "2025-10-26T00:00:01Z", milliseconds: 20, attributes: tool("refund") },
  ];
  const root: SentSpan = {
    id: 11,
    at: "2025-10-25T23:59:59.800Z",
    milliseconds: 5000,
    attributes: { ...agent("billing"), ...LATE_SESSION },
  };
  return [spansOf(SPAN_TREE, whole), spansOf(LATE_TREE, late), spansOf(LATE_TREE, [root])];
}

const nanoseconds = (milliseconds: number) => String(BigInt(milliseconds) * 1_000_000n);
const spanId = (id: number) => id.toString(16).padStart(16, "0");

function spansOf(traceId: string, spans: SentSpan[]): object {
  const sent = spans.map(({ id, parent, at, milliseconds, failed, attributes }) => ({
    traceId,
    spanId: spanId(id),
    ...(parent === undefined ? {} : { parentSpanId: spanId(parent) }),
    name: `span ${id}`,
    startTimeUnixNano: nanoseconds(Date.parse(at)),
    endTimeUnixNano: nanoseconds(Date.parse(at) + milliseconds),
    status: failed ? { code: 2, message: "failed" } : {},
    attributes: keyValues(attributes),
  }));
  const resource = { attributes: keyValues({ "service.name": NAMESPACES[0] }) };
  return { resourceSpans: [{ resource, scopeSpans: [{ spans: sent }] }] };
}
