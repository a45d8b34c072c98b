import { expect } from "vitest";
import type { Client } from "../../support/tenant.ts";

/** What a client did, as the API tells it. */
export interface ReadBack {
  sessions: string[];
  users: string[];
  /** Of each tree: its agents, and behind a `/` those below them. */
  agents: string[];
  /** All that is stored: spans and log entries, none of them twice. */
  steps: number;
  calls: Call[];
  tools: Tool[];
  handoffs: string[];
  /** Level and message. */
  logs: string[];
}

interface Call {
  agent: string;
  model?: string;
  tokens?: [input: number, output: number];
  /** The contents of the first message and of the last one. */
  asked?: unknown;
  answered?: unknown;
  error?: string;
}

interface Tool {
  agent: string;
  name: string;
  arguments: unknown;
  result?: unknown;
  error?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: read as any client would
type Read = any;

export async function readBack(client: Client): Promise<ReadBack> {
  const trees = await treesOf(client);
  const traces = trees.flatMap(allOf);
  const namespaces = [...new Set<string>(traces.map(({ namespace }) => namespace))];
  const records = (await Promise.all(namespaces.map((name) => recordsOf(client, name)))).flat();
  const logs = (await Promise.all(namespaces.map((name) => logsOf(client, name)))).flat();
  const ofType = (type: string) => records.filter(({ trace_type }) => trace_type === type);
  return {
    sessions: differing([...traces, ...records, ...logs].map(({ session_id }) => session_id)),
    users: differing(records.map(({ external_user_id }) => external_user_id).filter(Boolean)),
    agents: trees.flatMap(pathsOf).sort(),
    steps: traces.reduce((sum, { step_count }) => sum + step_count, 0),
    calls: ofType("llm_call").map(callOf),
    tools: ofType("tool_call").map(toolOf),
    handoffs: ofType("handoff").map(({ msg }) => msg[0].content),
    logs: logs.map(({ level, message }) => `${level} ${message}`).sort(),
  };
}

async function treesOf(client: Client): Promise<Read[]> {
  const { body } = await client.get("/v1/traces?root_only=true&limit=100");
  return Promise.all(body.data.map(({ id }: Read) => treeOf(client, id)));
}

export async function treeOf(client: Client, id: string): Promise<Read> {
  const { status, body } = await client.get(`/v1/traces/${id}/tree`);
  expect(status).toBe(200);
  return body;
}

const allOf = (trace: Read): Read[] => [trace, ...trace.children.flatMap(allOf)];

const pathsOf = ({ agent, children }: Read): string[] => [
  agent,
  ...children.flatMap(pathsOf).map((path: string) => `${agent}/${path}`),
];

/** No call of a fake model costs as much: those that failed come last. */
const NEVER = 999;

/** By tokens, which rise from call to call, then by tools and their arguments: several may begin in one millisecond. */
async function recordsOf(client: Client, namespace: string): Promise<Read[]> {
  const { body } = await client.post("/v1/record_query", { namespace, query: { limit: 100 } });
  const place = ({ input_tokens = NEVER, tool_name, arguments: args }: Read) =>
    JSON.stringify([input_tokens, tool_name, args]);
  return body.records.sort((one: Read, other: Read) => (place(one) < place(other) ? -1 : 1));
}

async function logsOf(client: Client, namespace: string): Promise<Read[]> {
  return (await client.post("/v1/logs/query", { namespace, limit: 100 })).body.logs;
}

function callOf({ agent, model, input_tokens, output_tokens, msg, error }: Read): Call {
  const contents = msg.map(({ content }: Read) => content);
  return {
    agent,
    model,
    ...(input_tokens === undefined ? {} : { tokens: [input_tokens, output_tokens] }),
    ...(contents.length > 0 ? { asked: contents[0] } : {}),
    ...(contents.length > 1 ? { answered: contents.at(-1) } : {}),
    ...failure(error),
  };
}

function toolOf({ agent, tool_name, arguments: args, result, error }: Read): Tool {
  return {
    agent,
    name: tool_name,
    arguments: args,
    ...(result === undefined ? {} : { result }),
    ...failure(error),
  };
}

/** Without the stack trace that some put behind it. */
const failure = (error: Read) => (error ? { error: error.message.split("\n")[0] } : {});

const differing = (texts: string[]) => [...new Set(texts)].sort();
