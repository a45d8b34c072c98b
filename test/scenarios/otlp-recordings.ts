import { describe, expect, it } from "vitest";
import { ConversationRecord } from "../../functions/monkai-api/schemas/records.ts";
import { oneSpanEach } from "../support/otlp-parts.ts";
import {
  type Expected,
  expectedOf,
  RECORDINGS,
  type RecordedRequest,
  requestsOf,
} from "../support/otlp-recordings.ts";
import { type Api, type Client, newClient } from "../support/tenant.ts";

/** How the same requests may arrive. */
const ARRIVALS: Record<string, (requests: RecordedRequest[]) => RecordedRequest[]> = {
  "in order": (requests) => requests,
  reversed: (requests) => requests.toReversed(),
  "one span a request": (requests) => requests.flatMap(oneSpanEach),
  twice: (requests) => [...requests, ...requests],
};

// biome-ignore lint/suspicious/noExplicitAny: read as any client would
type Read = any;

/** What unmodified clients have sent gives what they really did, however it arrives. */
export function otlpRecordings(api: Api): void {
  describe.each(RECORDINGS)("the recording %s", (recording) => {
    const expected = expectedOf(recording);
    const requests = requestsOf(recording).filter(({ path }) => !path.endsWith("/metrics"));

    it.each(Object.keys(ARRIVALS))("%s", async (arrival) => {
      const client = await newClient(api);
      const read = [];
      for (const request of ARRIVALS[arrival]?.(requests) ?? []) {
        await sendRecorded(api, client, request);
        if (read.length < 3) read.push(await client.get("/v1/traces"));
      }
      await expectCalls(client, expected);
      await expectTools(client, expected);
      await expectTree(client, expected);
      await expectLogs(client, expected);
    });
  });
}

/** A recording keeps of the credentials but the scheme. */
export async function sendRecorded(
  api: Api,
  client: Client,
  { path, headers, sent }: RecordedRequest,
): Promise<void> {
  const scheme = headers.authorization?.split(" ")[0] ?? "Bearer";
  const credentials = scheme === "Basic" ? btoa(`pk-lf-1:${client.token}`) : client.token;
  const response = await api(path, {
    method: "POST",
    headers: {
      Authorization: `${scheme} ${credentials}`,
      "Content-Type": headers["content-type"] ?? "",
      ...(headers["content-encoding"] ? { "Content-Encoding": headers["content-encoding"] } : {}),
    },
    body: sent as Uint8Array<ArrayBuffer>,
  });
  const answer = await response.text();
  expect([response.status, answer]).toEqual([200, headers["content-type"]?.includes("json") ? "{}" : ""]);
}

/** Of those whose clients say how many tokens were cached; of OpenAI Agents' calls, the turns around them say so. */
const TELL_CACHED = new Set(["ns-agents", "ns-oi-openai", "ns-oi-langchain"]);

async function recordsOf(client: Client, { ns }: Expected, type: string): Promise<Read[]> {
  const { status, body } = await client.post("/v1/record_query", { namespace: ns, query: { limit: 100 } });
  expect([status, body.count]).toEqual([200, body.records.length]);
  const problems = body.records.map((record: Read) => ConversationRecord.safeParse(record).error?.issues);
  expect(problems).toEqual(body.records.map(() => undefined));
  return body.records
    .filter(({ trace_type }: Read) => trace_type === type)
    .sort((one: Read, other: Read) => (one.inserted_at < other.inserted_at ? -1 : 1));
}

async function expectCalls(client: Client, expected: Expected): Promise<void> {
  const records = await recordsOf(client, expected, "llm_call");
  const calls = records.filter(({ operation }) => operation !== "embeddings");
  expect(calls.map(({ input_tokens = 0, output_tokens = 0 }) => [input_tokens, output_tokens])).toEqual(
    expected.llm.map(({ input, output }) => [input, output]),
  );
  expect(TELL_CACHED.has(expected.ns) ? calls : []).toMatchObject(
    TELL_CACHED.has(expected.ns) ? expected.llm.map(({ cached }) => ({ cached_input_tokens: cached })) : [],
  );
  expect(calls.map(({ status }) => status === "error")).toEqual(
    expected.llm.map(({ error = false }) => error),
  );
  const wanted = expected.session ?? expect.stringMatching(/^[0-9a-f]{32}$/);
  expect(records.map(({ session_id }) => session_id)).toEqual(records.map(() => wanted));
  expect(records.map(({ inserted_at, started_at }) => inserted_at === started_at)).toEqual(
    records.map(() => true),
  );
  const unsaid = calls.filter(({ msg }) => !JSON.stringify(msg).includes(expected.mark));
  expect(expected.noContent ? [] : unsaid).toEqual([]);
}

async function expectTools(client: Client, expected: Expected): Promise<void> {
  const tools = await recordsOf(client, expected, "tool_call");
  expect(tools.map(({ tool_name }) => tool_name)).toEqual(expected.tools.map(({ name }) => name));
  for (const [place, { arguments: args, result }] of expected.tools.entries()) {
    if (args !== undefined) expect(tools[place].arguments).toEqual(args);
    if (typeof result === "string") expect(JSON.stringify(tools[place].result)).toContain(result);
    else if (result !== undefined) expect(tools[place].result).toEqual(result);
  }
}

async function expectTree(client: Client, expected: Expected): Promise<void> {
  const { status, body } = await client.get("/v1/traces?limit=100");
  expect(status).toBe(200);
  const traces = new Map<string, Read>(body.data.map((trace: Read) => [trace.id, trace]));
  const pathTo = ({ agent, parent_trace_id }: Read): string =>
    parent_trace_id ? `${pathTo(traces.get(parent_trace_id))}/${agent}` : agent;
  const paths = [...traces.values()].map((trace) => pathTo(trace).replace(`${expected.ns}/`, ""));
  const found = expected.looseAgents ? expected.agents : paths.filter((path) => path !== expected.ns);
  expect(found.sort()).toEqual([...expected.agents].sort());
}

async function expectLogs(client: Client, expected: Expected): Promise<void> {
  const { body } = await client.post("/v1/logs/query", { namespace: expected.ns, limit: 100 });
  for (const { level, has } of expected.logs ?? []) {
    const found = body.logs.filter(
      (entry: Read) => JSON.stringify(entry).includes(has) || entry.message.includes(has),
    );
    expect(found.length).toBeGreaterThan(0);
    if (level) expect(found.map((entry: Read) => entry.level)).toContain(level);
  }
}
