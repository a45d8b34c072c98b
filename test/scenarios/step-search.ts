import { beforeEach, describe, expect, it } from "vitest";
import { anyValue, keyValues, logOf, SPAN_ID, TRACE_ID } from "../support/otlp-steps.ts";
import { type Answer, type Api, Client, newClient, newToken } from "../support/tenant.ts";

interface Found {
  id: string;
  match?: { field: string; excerpt: string; at: [number, number] };
  [member: string]: unknown;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ago = (milliseconds: number) => new Date(Date.now() - milliseconds).toISOString();

const search = (client: Client, query: object, namespace?: string): Promise<Answer> =>
  client.post("/v1/steps/query", { namespace, query });

async function found(client: Client, query: object, namespace?: string): Promise<Found[]> {
  const { status, body } = await search(client, query, namespace);
  expect([status, body.steps]).toEqual([200, expect.any(Array)]);
  return body.steps;
}

/** What of a step its match points at. */
const marked = ({ match }: Found) => match?.excerpt.slice(...match.at);

async function sent(answer: Promise<Answer>): Promise<string> {
  const { status, body } = await answer;
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.id;
}

/** A model call that says so. */
const say = (client: Client, content: string, more: object = {}) =>
  sent(client.post("/v1/traces/llm", { session_id: "s", namespace: "n", output: { content }, ...more }));

/** A span of the trace, which began so many minutes ago and took a second. */
function span(place: number, parent: number | undefined, minutes: number, attributes: object): object {
  const begin = BigInt(Date.now() - minutes * MINUTE) * 1_000_000n;
  return {
    traceId: TRACE_ID,
    spanId: `${place}`.padStart(16, "0"),
    parentSpanId: parent === undefined ? undefined : `${parent}`.padStart(16, "0"),
    name: `span ${place}`,
    startTimeUnixNano: `${begin}`,
    endTimeUnixNano: `${begin + 1_000_000_000n}`,
    attributes: keyValues({ "monkai.namespace": "n", ...attributes }),
  };
}

const spansOf = (spans: object[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

/** One step of each kind, in two namespaces and two sessions, each a minute older than the one before it; by letters. */
async function furnish(client: Client): Promise<Map<string, string>> {
  const session = await client.post("/v1/sessions/create", { namespace: "n", user_id: "u-1" });
  const placed = { namespace: "n", session_id: session.body.session_id as string, agent: "planner" };
  const at = (minutes: number) => ({ timestamp: ago(minutes * MINUTE) });
  const log = { namespace: "n", message: "Nobody's order", ...at(1) };
  const handoff = { from_agent: "planner", to_agent: "buyer", reason: "To order", ...at(2) };
  const tool = { tool_name: "find_order", error: "timeout", latency_ms: 5_000, ...at(3) };
  const llm = { model: "gpt-4", output: { content: "Your order" }, status: "ok", latency_ms: 500, ...at(4) };
  const steps = new Map<string, string>();
  steps.set(await sent(client.post("/v1/traces/log", log)), "log");
  steps.set(await sent(client.post("/v1/traces/handoff", { ...placed, ...handoff })), "handoff");
  steps.set(await sent(client.post("/v1/traces/tool", { ...placed, ...tool })), "tool");
  steps.set(await sent(client.post("/v1/traces/llm", { ...placed, ...llm })), "llm");
  const record = {
    namespace: "m",
    session_id: "s-2",
    agent: "clerk",
    msg: { role: "user", content: "An order" },
    inserted_at: ago(5 * MINUTE),
  };
  await client.post("/v1/records/upload", { records: [record] });
  const [uploaded] = (await client.post("/v1/record_query", { namespace: "m", query: {} })).body.records;
  return steps.set(uploaded.id, "message");
}

export function stepSearch(api: Api): void {
  describe("searching steps", () => {
    let client: Client;
    beforeEach(async () => {
      client = await newClient(api);
    });

    it("a step is found as its skeleton, with its session and namespace, and where the text is", async () => {
      await say(client, "The search had a TimeOut again", {
        trace_id: "t",
        agent: "a",
        model: "gpt-4",
        latency_ms: 9,
      });
      const [skeleton] = (await client.get("/v1/traces/t/steps")).body.steps;
      const place = { session_id: "s", namespace: "n" };
      expect((await search(client, { text: "timeout" })).body).toEqual({
        steps: [
          {
            ...skeleton,
            ...place,
            match: { field: "output", excerpt: "The search had a TimeOut again", at: [17, 24] },
          },
        ],
      });
      expect((await search(client, {})).body).toEqual({ steps: [{ ...skeleton, ...place }] });
    });

    it("filters alone and together give the steps that fit them all, newest first", async () => {
      const letters = await furnish(client);
      const [{ trace_id, session_id }] = (await found(client, { type: "llm_call" })) as [Found];
      const all = "log,handoff,tool,llm,message";
      for (const [query, steps, namespace] of [
        [{}, all],
        [{}, "log,handoff,tool,llm", "n"],
        [{}, "message", "m"],
        [{}, "", "nowhere"],
        [{ type: "llm_call" }, "llm"],
        [{ type: "tool_call" }, "tool"],
        [{ type: "handoff" }, "handoff"],
        [{ type: "message" }, "message"],
        [{ type: "log" }, "log"],
        [{ type: "agent" }, ""],
        [{ type: "span" }, ""],
        [{ status: "ok" }, "llm"],
        [{ status: "error" }, "tool"],
        [{ status: "not_told" }, "log,handoff,message"],
        [{ agent: "planner" }, "handoff,tool,llm"],
        [{ agent: "plan" }, ""],
        [{ model: "gpt-4" }, "llm"],
        [{ tool_name: "find_order" }, "tool"],
        [{ user_id: "u-1" }, "handoff,tool,llm"],
        [{ session_id }, "handoff,tool,llm"],
        [{ session_id: "s-2" }, "message"],
        [{ trace_id }, "handoff,tool,llm"],
        [{ trace_id, session_id }, "handoff,tool,llm"],
        [{ trace_id, session_id: "s-2" }, ""],
        [{ min_duration_ms: 500 }, "tool,llm"],
        [{ min_duration_ms: 501 }, "tool"],
        [{ start_date: ago(2.5 * MINUTE) }, "log,handoff"],
        [{ end_date: ago(2.5 * MINUTE) }, "tool,llm,message"],
        [{ text: "order" }, all],
        [{ text: "order", limit: 2 }, "log,handoff"],
        [{ text: "order", type: "llm_call", agent: "planner", status: "ok", user_id: "u-1" }, "llm"],
        [{ text: "timeout", tool_name: "find_order", session_id, min_duration_ms: 1 }, "tool"],
        [{ text: "order", agent: null, user_id: "", type: null }, all],
      ] as [object, string, string?][]) {
        const ids = (await found(client, query, namespace)).map(({ id }) => letters.get(id));
        expect([query, namespace, ids.join()]).toEqual([query, namespace, steps]);
      }
    });

    it("a log entry that belongs to no trace is found, and has no number", async () => {
      const id = await sent(client.post("/v1/traces/log", { namespace: "n", message: "said" }));
      expect(await found(client, { text: "said" })).toEqual([
        expect.objectContaining({ id, type: "log", trace_id: null, step_number: null, session_id: null }),
      ]);
    });

    it("what spans do not say themselves is found by what follows from their tree", async () => {
      const whose = { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner" };
      const spans = [
        span(1, undefined, 4, { ...whose, "session.id": "s", "user.id": "u" }),
        span(2, 1, 3, { "gen_ai.operation.name": "chat", "gen_ai.request.model": "outer" }),
        span(3, 2, 2, { "gen_ai.operation.name": "chat", "gen_ai.request.model": "inner" }),
        span(4, 1, 1, { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find" }),
      ];
      expect((await client.post("/v1/traces", spansOf(spans))).status).toBe(200);
      const typesFound = async (query: object) => (await found(client, query)).map(({ type }) => type);
      const all = ["tool_call", "llm_call", "span", "agent"];
      for (const query of [
        { session_id: "s" },
        { agent: "planner" },
        { user_id: "u" },
        { trace_id: TRACE_ID },
      ])
        expect([query, await typesFound(query)]).toEqual([query, all]);
      expect(await typesFound({ agent: "planner", session_id: "s", text: "PLANNER" })).toEqual(all);
      expect(await typesFound({ type: "span" })).toEqual(["span"]);
      expect(await found(client, { type: "llm_call" })).toEqual([
        expect.objectContaining({ name: "inner", agent: "planner", session_id: "s" }),
      ]);
    });

    it("without a start_date it is the time since seven days before now, or before end_date", async () => {
      await say(client, "old", { timestamp: ago(8 * DAY) });
      await say(client, "new", { timestamp: ago(6 * DAY) });
      const said = async (query: object) => (await found(client, query)).map(({ preview }) => preview);
      expect(await said({})).toEqual(["new"]);
      await say(client, "ahead", { timestamp: ago(-MINUTE) });
      expect(await said({})).toEqual(["ahead", "new"]);
      expect(await said({ end_date: ago(0) })).toEqual(["new"]);
      expect(await said({ start_date: ago(9 * DAY) })).toEqual(["ahead", "new", "old"]);
      expect(await said({ end_date: ago(7 * DAY) })).toEqual(["old"]);
      expect(await said({ end_date: ago(20 * DAY) })).toEqual([]);
    });

    it("pages have each step once, whatever is written meanwhile; the last has no cursor", async () => {
      const wanted: string[] = [];
      const when = ago(MINUTE); // of one moment, so that their ids tell which is the newer
      for (let number = 0; number < 7; number += 1)
        wanted.unshift(await say(client, `said ${number}`, { timestamp: when }));
      await say(client, "else", { timestamp: when });
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const { body } = await search(client, { text: "said", limit: 3, cursor });
        ids.push(...body.steps.map(({ id }: Found) => id));
        expect(body.searched_until).toBeUndefined();
        cursor = body.next_cursor;
        await say(client, "said meanwhile");
      } while (cursor);
      expect(ids).toEqual(wanted);
    });

    it.each([
      ["مرحبا بالعالم", "بالع"],
      ["订单在哪里？", "在哪"],
      ["ПРИВЕТ, мир", "привет, МИР"],
      ["Ελλάδα ΟΔΟΣ", "οδοσ"],
      ["São Paulo É AQUI", "são paulo é"],
      ["İstanbul", "istanbul"],
      ["👩‍👩‍👧 family 🎉", "🎉"],
      ['she said "no"', '"NO"'],
      ["C:\\temp\\new", "\\TEMP\\n"],
      ["one\ntwo\tthree", "one\nTWO\tthree"],
      ["100% _sure_", "100% _SURE"],
      ["\u001b[31mred", "\u001b[31mR"],
    ])("%j is found by %j", async (said, text) => {
      await say(client, said);
      expect((await found(client, { text })).map(marked)).toHaveLength(1);
      expect(await found(client, { text: `${text}x` })).toEqual([]);
    });

    it.each([
      ["Sao Paulo", "são"],
      ["ends with n", "\\n"],
      ["a\nb", "a b"],
      ["anything", "%"],
    ])("%j is not found by %j", async (said, text) => {
      await say(client, said);
      expect(await found(client, { text })).toEqual([]);
    });

    it("the excerpt is one line around the first place, cut between characters, and `at` counts as JavaScript does", async () => {
      const before = "🎉".repeat(50);
      await say(client, `${before}\n\n Needle\t\tX needle ${"б".repeat(80)}`);
      const [step] = (await found(client, { text: "nEEDLE\t\tx" })) as [Found];
      const head = `...${"🎉".repeat(37)} `;
      expect(step.match).toEqual({
        field: "output",
        excerpt: `${head}Needle X needle ${"б".repeat(52)}...`,
        at: [head.length, head.length + "Needle X".length],
      });
    });

    it.each([
      ["input", { input: { messages: [{ role: "user", content: "find me" }] } }],
      ["output", { output: { parts: [{ text: ["deep", { deeper: "find me" }] }] } }],
      ["metadata", { metadata: { note: "find me" } }],
      ["error", { error: { type: "Find_me", message: "m" } }, "find_me"],
      ["error", { error: "do not find me" }],
      ["model", { model: "find me" }],
      ["agent", { agent: "find me" }],
    ])("the match names the field: %s", async (field, body, text = "find me") => {
      await say(client, "", { output: undefined, ...body });
      expect((await found(client, { text })).map(({ match }) => match?.field)).toEqual([field]);
    });

    it("names of members, numbers and ids are not what was said", async () => {
      await say(client, "hello", {
        input: { messages: [{ role: "user", content: "hi" }] },
        metadata: { price: 4711 },
      });
      for (const text of ["content", "role", "messages", "metadata", "price", "4711", "null"])
        expect([text, await found(client, { text })]).toEqual([text, []]);
      expect(await found(client, { text: "user" })).toHaveLength(1);
    });

    it("what a log record tells of a model call is found in the log entry, as that is read back", async () => {
      const event = { timeUnixNano: `${Date.now()}000000`, traceId: TRACE_ID, spanId: SPAN_ID };
      const record = { ...event, body: anyValue({ content: "hi there" }) };
      const sent = logOf({ "event.name": "gen_ai.user.message", "monkai.namespace": "n" }, record);
      expect((await client.post("/v1/logs", sent)).status).toBe(200);
      expect(await found(client, { text: "hi there" })).toEqual([
        expect.objectContaining({ type: "log", match: expect.objectContaining({ field: "message" }) }),
      ]);
      expect(await found(client, { text: "input" })).toEqual([]); // the side of the call, as it is stored
    });

    it("what was taken away is not found, and the step itself still is", async () => {
      await say(client, "secret word", { trace_id: "t", model: "gpt-4", error: "secret fault" });
      expect(await found(client, { text: "secret" })).toHaveLength(1);
      expect(
        (
          await client.request("/v1/traces/t/content", {
            method: "DELETE",
            headers: { tracer_token: client.token },
          })
        ).status,
      ).toBe(200);
      expect(await found(client, { text: "secret" })).toEqual([]);
      expect(await found(client, { trace_id: "t", text: "gpt" })).toHaveLength(1);
    });

    it("what was redacted is found by what stands in its place alone", async () => {
      expect((await client.put("/v1/anonymization-rules", { toggles: { email: true } })).status).toBe(200);
      await say(client, "write to a@b.co please");
      expect(await found(client, { text: "a@b.co" })).toEqual([]);
      expect(await found(client, { text: "write to" })).toHaveLength(1);
    });

    it("a bound token finds what is in its namespaces, by whatever; a read-only one finds all", async () => {
      const { token, tenant } = await newToken();
      const whole = new Client(api, token, tenant);
      const placed = { session_id: "s", trace_id: "t", agent: "a" };
      await say(whole, "theirs said", { ...placed, namespace: "theirs" });
      const id = await say(whole, "mine said", { ...placed, namespace: "mine" });
      const bound = await newClient(api, { tenant, namespaces: ["mine"] });
      for (const query of [{}, { text: "said" }, { session_id: "s" }, { trace_id: "t" }, { agent: "a" }])
        expect((await found(bound, query)).map((step) => step.id)).toEqual([id]);
      const refused = await search(bound, { text: "said" }, "theirs");
      expect([refused.status, refused.body.error.code]).toEqual([403, "forbidden"]);
      const reader = await newClient(api, { tenant, scope: "read" });
      expect(await found(reader, { text: "said" })).toHaveLength(2);
    });

    it("a tenant finds nothing of another one", async () => {
      await say(client, "said", { trace_id: "t" });
      const stranger = await newClient(api);
      for (const query of [{}, { text: "said" }, { session_id: "s" }, { trace_id: "t" }])
        expect(await found(stranger, query, "n")).toEqual([]);
    });

    it.each([
      [{ query: { text: "" } }, /^query\.text: /],
      [{ query: { text: "x".repeat(201) } }, /^query\.text: /],
      [{ query: { text: ["a"] } }, /^query\.text: /],
      [{ query: { text: "a\u0000" } }, /^query\.text: /],
      [{ query: { type: "llm" } }, /^query\.type: /],
      [{ query: { status: "failed" } }, /^query\.status: /],
      [{ query: { min_duration_ms: -1 } }, /^query\.min_duration_ms: /],
      [{ query: { min_duration_ms: 1e300 } }, /^query\.min_duration_ms: /],
      [{ query: { start_date: "yesterday" } }, /^query\.start_date: /],
      [{ query: { limit: 201 } }, /^query\.limit: /],
      [{ query: { limit: 0 } }, /^query\.limit: /],
      [{ query: { cursor: "made up" } }, /^The cursor is not one of this list/],
      [{ query: { tool: "t" } }, /^query: there is no filter `tool` \(did you mean `tool_name`\?\)$/],
      [{ query: { search: "t" } }, /^query: there is no filter `search` \(did you mean `text`\?\)$/],
      [{ text: "t", query: {} }, /^there is no filter `text` \(did you mean `query\.text`\?\)$/],
      [{ namespace: "n" }, /^query is required$/],
      [{ query: [] }, /^query: /],
    ])("%j is 400 and says what is wrong", async (body, message) => {
      const answer = await client.post("/v1/steps/query", body);
      expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringMatching(message)]);
    });

    it("a cursor of another list is 400", async () => {
      for (let number = 0; number < 2; number += 1) await say(client, "said");
      const { next_cursor } = (await client.post("/v1/record_query", { namespace: "n", query: { limit: 1 } }))
        .body;
      expect(next_cursor).toEqual(expect.any(String));
      expect((await search(client, { cursor: next_cursor })).status).toBe(400);
    });
  });
}
