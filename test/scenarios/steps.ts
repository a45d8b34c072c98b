import { beforeEach, describe, expect, it } from "vitest";
import { SPAN_ID, TRACE_ID, traceOf } from "../support/otlp-steps.ts";
import { type Answer, type Api, type Client, newClient } from "../support/tenant.ts";

interface Skeleton {
  id: string;
  trace_id: string;
  [member: string]: unknown;
}

const idsOf = ({ body }: Answer): string[] => body.steps.map(({ id }: Skeleton) => id);
const namesOf = ({ body }: Answer) => body.steps.map(({ name }: Skeleton) => name);
const previewsOf = ({ body }: Answer) => body.steps.map(({ preview }: Skeleton) => preview);

/** A model call of the session `s` that says so much, at that second. */
const call = (agent: string, said: string, second: number) => ({
  session_id: "s",
  namespace: "n",
  agent,
  model: said,
  output: { content: said },
  started_at: new Date(Date.UTC(2026, 10, 21, 12, 0, second)).toISOString(),
});

async function idOf(answer: Promise<Answer>): Promise<string> {
  const { status, body } = await answer;
  expect([status, body.id]).toEqual([200, expect.any(String)]);
  return body.id;
}

/** All pages of a list, and the last of its answers. */
async function pagesOf(client: Client, path: string): Promise<Answer[]> {
  const pages = [await client.get(path)];
  for (let next = pages[0]?.body.next_cursor; next; next = pages.at(-1)?.body.next_cursor)
    pages.push(await client.get(`${path}&cursor=${next}`));
  return pages;
}

export function steps(api: Api): void {
  describe("reading steps", () => {
    let client: Client;
    beforeEach(async () => {
      client = await newClient(api);
    });
    const llm = (body: object) => idOf(client.post("/v1/traces/llm", body));
    const rootOf = async (session: string) =>
      (await client.get(`/v1/traces?session_id=${session}&root_only=true`)).body.data[0].id;

    it("a trace's steps come as skeletons, in the order in which they happened", async () => {
      const placed = { session_id: "s", namespace: "n", trace_id: "t" };
      const log = await idOf(
        client.post("/v1/traces/log", { ...placed, message: "a\n line", timestamp: "2026-11-21T12:00:09Z" }),
      );
      const first = await llm({
        ...placed,
        agent: "a",
        model: "gpt-4",
        input: { messages: [{ role: "user", content: "hi" }] },
        output: { content: "hello", usage: { prompt_tokens: 3, completion_tokens: 4 } },
        latency_ms: 500,
        timestamp: "2026-11-21T12:00:01.500Z",
      });
      const tool = await idOf(
        client.post("/v1/traces/tool", {
          ...placed,
          agent: "a",
          tool_name: "weather",
          arguments: { city: "Recife" },
          error: "timeout",
          started_at: "2026-11-21T12:00:02Z",
        }),
      );
      const { status, body } = await client.get("/v1/traces/t/steps");
      const untold = {
        trace_id: "t",
        status: null,
        error: null,
        input_tokens: null,
        output_tokens: null,
        cost: null,
        to_trace_id: null,
        time_told: true,
      };
      expect([status, body]).toEqual([
        200,
        {
          traces: [{ id: "t", parent_trace_id: null, agent: "a" }],
          steps: [
            {
              ...untold,
              id: first,
              step_number: 2,
              type: "llm_call",
              agent: "a",
              name: "gpt-4",
              started_at: "2026-11-21T12:00:01.000Z",
              duration_ms: 500,
              input_tokens: 3,
              output_tokens: 4,
              cost: { amount: "0.00033", currency: "USD" },
              bytes: expect.any(Number),
              preview: "hello",
            },
            {
              ...untold,
              id: tool,
              step_number: 3,
              type: "tool_call",
              agent: "a",
              name: "weather",
              started_at: "2026-11-21T12:00:02.000Z",
              duration_ms: null,
              status: "error",
              error: "timeout",
              bytes: '{"arguments": {"city": "Recife"}}'.length,
              preview: '{"city": "Recife"}',
            },
            {
              ...untold,
              id: log,
              step_number: 1,
              type: "log",
              agent: null,
              name: null,
              started_at: "2026-11-21T12:00:09.000Z",
              duration_ms: null,
              time_told: false,
              bytes: expect.any(Number),
              preview: "a line",
            },
          ],
          count: 3,
          watermark: expect.any(String),
        },
      ]);
    });

    it("scope=tree has the steps of all traces of the tree, whichever of them is asked for", async () => {
      await llm(call("a", "1", 1));
      const handoff = { session_id: "s", namespace: "n", from_agent: "a", to_agent: "b" };
      await client.post("/v1/traces/handoff", { ...handoff, timestamp: "2026-11-21T12:00:02Z" });
      await llm(call("b", "3", 3));
      const back = { ...handoff, from_agent: "b", to_agent: "a", timestamp: "2026-11-21T12:00:04Z" };
      await client.post("/v1/traces/handoff", back);
      await llm(call("a", "5", 5));
      const root = await rootOf("s");
      const tree = await client.get(`/v1/traces/${root}/steps?scope=tree`);
      const below = tree.body.traces[1].id;
      expect(tree.body.traces).toEqual([
        { id: root, parent_trace_id: null, agent: "a" },
        { id: below, parent_trace_id: root, agent: "b" },
      ]);
      expect(namesOf(tree)).toEqual(["1", "b", "3", "a", "5"]);
      expect(tree.body.steps.map(({ to_trace_id }: Skeleton) => to_trace_id)).toEqual([
        null,
        below,
        null,
        root,
        null,
      ]);
      expect(previewsOf(tree)).toEqual(["1", "to: b", "3", "to: a", "5"]);
      expect((await client.get(`/v1/traces/${below}/steps?scope=tree`)).body).toEqual(tree.body);
      expect(namesOf(await client.get(`/v1/traces/${below}/steps`))).toEqual(["3", "a"]);
      expect((await client.get("/v1/sessions/s/steps?namespace=n")).body).toEqual(tree.body);
    });

    it.each(["/v1/traces/t/steps?limit=2", "/v1/sessions/s/steps?limit=2"])(
      "%s: all pages are of the moment of the first; what comes meanwhile is after its watermark",
      async (path) => {
        const sent = [];
        for (const second of [5, 3, 1, 4, 2])
          sent.push(await llm({ ...call("a", `${second}`, second), trace_id: "t" }));
        const first = await client.get(path);
        await llm({ ...call("a", "early", 0), trace_id: "t" });
        const late = await llm({ ...call("a", "late", 9), trace_id: "t" });
        expect([namesOf(first), first.body.count]).toEqual([["1", "2"], 5]);
        const second = await client.get(`${path}&cursor=${first.body.next_cursor}`);
        const third = await client.get(`${path}&cursor=${second.body.next_cursor}`);
        expect([...namesOf(second), ...namesOf(third), third.body.next_cursor]).toEqual([
          "3",
          "4",
          "5",
          undefined,
        ]);
        expect([third.body.count, third.body.watermark]).toEqual([5, first.body.watermark]);
        const since = await client.get(`${path}&after=${third.body.watermark}`);
        expect([namesOf(since), since.body.count]).toEqual([["early", "late"], 2]);
        const [page, rest] = await pagesOf(client, `${path.replace("2", "1")}&after=${first.body.watermark}`);
        expect([namesOf(page as Answer), idsOf(rest as Answer)]).toEqual([["early"], [late]]);
        const nothing = await client.get(`${path}&after=${since.body.watermark}`);
        expect([idsOf(nothing), nothing.body.count, nothing.body.watermark]).toEqual([
          [],
          0,
          since.body.watermark,
        ]);
        expect(namesOf(await client.get(path.replace("2", "5000")))).toEqual([
          "early",
          "1",
          "2",
          "3",
          "4",
          "5",
          "late",
        ]);
      },
    );

    it("a trace that is claimed for the tree late brings its steps, old as they are", async () => {
      const old = await llm({ ...call("b", "old", 1), trace_id: "b" });
      await llm({ ...call("a", "a", 2), trace_id: "a" });
      const before = await client.get("/v1/traces/a/steps?scope=tree");
      expect(namesOf(before)).toEqual(["a"]);
      const joins = await llm({ ...call("b", "joins", 3), trace_id: "b", parent_trace_id: "a" });
      const since = await client.get(`/v1/traces/a/steps?scope=tree&after=${before.body.watermark}`);
      expect(idsOf(since)).toEqual([old, joins]);
      const above = await llm({ ...call("a", "x", 4), trace_id: "a", parent_trace_id: "root" });
      const more = await client.get(`/v1/traces/b/steps?scope=tree&after=${since.body.watermark}`);
      expect(more.body.traces.map(({ id }: { id: string }) => id).sort()).toEqual(["a", "b", "root"]);
      expect(idsOf(more)).toContain(above);
    });

    it("a purged step has no preview and no bytes, and comes again after the watermark", async () => {
      const step = await llm({ ...call("a", "secret", 1), trace_id: "t", error: "told in confidence" });
      const before = await client.get("/v1/traces/t/steps");
      expect([previewsOf(before), before.body.steps[0].error]).toEqual([["secret"], "told in confidence"]);
      await client.send("/v1/traces/t/content", undefined, { method: "DELETE" });
      const since = await client.get(`/v1/traces/t/steps?after=${before.body.watermark}`);
      expect(since.body.steps).toMatchObject([{ id: step, preview: null, bytes: 0, error: null }]);
      const { body } = await client.get(`/v1/steps?ids=${step}`);
      expect(body.steps).toMatchObject([{ id: step, type: "llm_call", msg: [] }]);
    });

    it("spans are steps; a model call with another one below it is a span", async () => {
      const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "session.id": "s" };
      const inner = {
        spanId: "00000000000000aa",
        parentSpanId: SPAN_ID,
        startTimeUnixNano: "1795273220200000000",
      };
      await client.post(
        "/v1/traces",
        traceOf({ ...chat, "gen_ai.output.messages": "outer" }, { name: "wrap" }),
      );
      await client.post("/v1/traces", traceOf(chat, inner));
      const agent = {
        spanId: "00000000000000ab",
        startTimeUnixNano: "1795273220210000000",
        parentSpanId: SPAN_ID,
      };
      const invoke = { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper" };
      await client.post("/v1/traces", traceOf(invoke, agent));
      const { body } = await client.get(`/v1/traces/${TRACE_ID}/steps?scope=tree`);
      expect(body.steps.map(({ type }: Skeleton) => type)).toEqual(["span", "llm_call", "agent"]);
      const ids = body.steps.map(({ id }: Skeleton) => id);
      const whole = await client.get(`/v1/steps?ids=${ids}`);
      expect(whole.body.steps.map(({ type }: Skeleton) => type)).toEqual(["span", "llm_call", "agent"]);
    });

    it("a handoff of OpenAI Agents leads to the trace of the agent who begins next", async () => {
      const run = `trace_${TRACE_ID}`;
      const span = (number: number, span_data: object) => ({
        object: "trace.span",
        id: `span_${String(number).padStart(16, "0")}`,
        trace_id: run,
        parent_id: number === 2 ? `span_${String(1).padStart(16, "0")}` : null,
        started_at: `2026-11-21T12:00:0${number}Z`,
        ended_at: `2026-11-21T12:00:0${number}Z`,
        span_data,
      });
      const data = [
        { object: "trace", id: run, workflow_name: "n" },
        span(1, { type: "agent", name: "one" }),
        span(2, { type: "handoff", from_agent: "one", to_agent: "two" }),
        span(3, { type: "agent", name: "two" }),
      ];
      await client.post("/v1/traces/ingest", { data });
      const { body } = await client.get(`/v1/traces/${run}/steps?scope=tree`);
      const two = body.traces.find(({ agent }: { agent: string }) => agent === "two");
      const handoff = body.steps.find(({ type }: Skeleton) => type === "handoff");
      expect(handoff).toMatchObject({ name: "two", preview: "to: two", to_trace_id: two.id });
      expect(two.parent_trace_id).toBe(handoff.trace_id);
    });

    it.each([
      ["llm", { output: { choices: [{ message: { content: "chosen" } }] } }, "chosen"],
      ["llm", { output: { content: [{ type: "text", text: "in a part" }] } }, "in a part"],
      ["llm", { output: { content: null, answer: 42 } }, '{"answer": 42, "content": null}'],
      ["llm", { input: { prompt: "asked" } }, "asked"],
      ["llm", { output: { content: "x".repeat(500) } }, "x".repeat(120)],
      ["llm", { output: { content: " \n\t " } }, null],
      ["tool", { tool_name: "t", result: "sunny" }, "sunny"],
      ["tool", { tool_name: "t", result: 7 }, "7"],
      ["tool", { tool_name: "t" }, null],
      ["log", { message: "👋 olá" }, "👋 olá"],
      [
        "llm",
        { output: { content: null, tool_calls: [{ function: { name: "a" } }, { function: { name: "b" } }] } },
        "calls: a, b",
      ],
      [
        "llm",
        {
          input: { messages: [{ content: [{ type: "text", text: "what is it?" }, { type: "image_url" }] }] },
        },
        "what is it?",
      ],
    ])("the preview of %s %j", async (kind, said, preview) => {
      const body = { session_id: "s", trace_id: "t", ...said };
      expect((await client.post(`/v1/traces/${kind}`, body)).status).toBe(200);
      expect(previewsOf(await client.get("/v1/traces/t/steps"))).toEqual([preview]);
    });

    it("the preview of a record is the first of its messages, and its transfer leads on", async () => {
      const msg = [
        { role: "user", content: "first" },
        { role: "assistant", content: "last" },
      ];
      const record = {
        namespace: "n",
        agent: "a",
        session_id: "s",
        msg,
        transfers: [{ from: "a", to: "b" }],
      };
      await client.post("/v1/records/upload", { records: [record] });
      const { body } = await client.get("/v1/sessions/s/steps");
      expect(body.steps).toMatchObject([{ type: "message", agent: "a", preview: "first" }]);
      const receiver = body.traces.find(({ agent }: { agent: string }) => agent === "b");
      expect(body.steps[0].to_trace_id).toBe(receiver.id);
    });

    it("what the client has already is 304 without a body, until something changes", async () => {
      const id = await llm({ ...call("a", "1", 1), trace_id: "t" });
      const known = (path: string, etag: string) =>
        client.request(path, { headers: { tracer_token: client.token, "If-None-Match": etag } });
      const read: [path: string, etag: string][] = [];
      for (const path of ["/v1/traces/t/steps", "/v1/sessions/s/steps", `/v1/steps?ids=${id}`]) {
        const { status, headers } = await client.get(path);
        const etag = headers.get("etag") ?? "";
        expect([status, headers.get("cache-control")]).toEqual([200, "private, no-cache"]);
        expect(etag).toMatch(/^W\/"[\da-f]{32}"$/);
        for (const sent of [etag, `"other", ${etag.slice(2)}`, "*"]) {
          const again = await known(path, sent);
          expect([again.status, again.body, again.headers.get("etag")]).toEqual([304, undefined, etag]);
          expect(again.headers.get("x-ratelimit-limit")).toBe("300");
        }
        read.push([path, etag]);
      }
      await client.send("/v1/traces/t/content", undefined, { method: "DELETE" });
      for (const [path, etag] of read) {
        const { status, headers } = await known(path, etag);
        expect([path, status]).toEqual([path, 200]);
        expect(headers.get("etag")).not.toBe(etag);
      }
    });

    it("a bound token sees the traces and steps of its namespaces, and a parent that it may not see is null", async () => {
      await llm({ ...call("a", "theirs", 1), namespace: "theirs", session_id: "x", trace_id: "top" });
      const mine = await llm({
        ...call("b", "mine", 2),
        namespace: "mine",
        trace_id: "low",
        parent_trace_id: "top",
      });
      const foreign = await llm({
        ...call("b", "foreign", 3),
        namespace: "theirs",
        session_id: "x",
        trace_id: "low",
      });
      const bound = await newClient(api, { tenant: client.tenant, namespaces: ["mine"] });
      for (const path of [
        "/v1/traces/low/steps",
        "/v1/traces/low/steps?scope=tree",
        "/v1/sessions/s/steps",
      ]) {
        const { body } = await bound.get(path);
        expect(body.traces).toEqual([{ id: "low", parent_trace_id: null, agent: "b" }]);
        expect([body.steps.map(({ id }: Skeleton) => id), body.count]).toEqual([[mine], 1]);
      }
      expect((await bound.get(`/v1/steps?ids=${foreign},${mine}`)).body.steps).toMatchObject([{ id: mine }]);
      for (const path of ["/v1/traces/top/steps", "/v1/sessions/x/steps"]) {
        const { status, body } = await bound.get(path);
        expect([status, body.error.code]).toEqual([404, "not_found"]);
      }
      const elsewhere = await bound.get("/v1/sessions/s/steps?namespace=theirs");
      expect([elsewhere.status, elsewhere.body.error.code]).toEqual([403, "forbidden"]);
      const whole = await client.get("/v1/traces/low/steps?scope=tree");
      expect(namesOf(whole)).toEqual(["theirs", "mine", "foreign"]);
    });

    it("a session has its steps of one namespace or of all; without any it is empty", async () => {
      await llm({ ...call("a", "1", 1), namespace: "one" });
      await llm({ ...call("a", "2", 2), namespace: "two" });
      expect(namesOf(await client.get("/v1/sessions/s/steps"))).toEqual(["1", "2"]);
      const one = await client.get("/v1/sessions/s/steps?namespace=one");
      expect([namesOf(one), one.body.traces.length]).toEqual([["1"], 1]);
      const { session_id } = (await client.post("/v1/sessions/create", { namespace: "n", user_id: "u" }))
        .body;
      const empty = await client.get(`/v1/sessions/${encodeURIComponent(session_id)}/steps`);
      expect(empty.body).toMatchObject({ traces: [], steps: [], count: 0 });
    });

    it.each([
      ["/v1/traces/nothing/steps", 404, "not_found", /no such trace/],
      ["/v1/sessions/nothing/steps", 404, "not_found", /no such session/],
      ["/v1/traces/t/steps?since=x", 400, "invalid_payload", /`since` \(did you mean `after`\?\)/],
      ["/v1/traces/t/steps?scope=all", 400, "invalid_payload", /scope/],
      ["/v1/traces/t/steps?limit=5001", 400, "invalid_payload", /limit/],
      ["/v1/traces/t/steps?limit=0", 400, "invalid_payload", /limit/],
      ["/v1/traces/t/steps?cursor=x", 400, "invalid_payload", /cursor is not one of this list/],
      ["/v1/traces/t/steps?after=x", 400, "invalid_payload", /watermark is not one of this list/],
      ["/v1/sessions/s/steps?namespaces=n", 400, "invalid_payload", /did you mean `namespace`/],
      ["/v1/steps", 400, "missing_field", /ids is required/],
      ["/v1/steps?ids=", 400, "invalid_payload", /ids: must be up to 50 ids/],
      ["/v1/steps?ids=stp_9", 400, "invalid_payload", /ids: must be up to 50 ids/],
      [`/v1/steps?ids=${Array(51).fill(crypto.randomUUID())}`, 400, "invalid_payload", /up to 50 ids/],
      ["/v1/steps?id=x", 400, "missing_field", /ids is required/],
    ])("GET %s is %i %s", async (path, status, code, message) => {
      await llm({ ...call("a", "1", 1), trace_id: "t" });
      const answer = await client.get(path);
      expect([answer.status, answer.body.error.code]).toEqual([status, code]);
      expect(answer.body.error.message).toMatch(message);
    });

    it("whole steps are those of the file, in the order of their ids; what is not there is absent", async () => {
      const placed = { session_id: "s", namespace: "n", trace_id: "t" };
      const one = await llm({ ...placed, agent: "a", input: { prompt: "asked" }, output: { content: null } });
      const two = await idOf(client.post("/v1/traces/log", { ...placed, message: "m", level: "warn" }));
      const loose = await idOf(client.post("/v1/traces/log", { namespace: "n", message: "loose" }));
      const file = (await client.get("/v1/files/file_t/download")).body;
      const [{ step_number: _, ...first }, { step_number: __, ...second }] = file;
      const { status, body } = await client.get(
        `/v1/steps?ids=${[two, crypto.randomUUID(), loose, one.toUpperCase()]}`,
      );
      expect([status, body.steps]).toEqual([
        200,
        [second, expect.objectContaining({ id: loose, type: "log", message: "loose" }), first],
      ]);
    });

    it("of a step larger than max_bytes the largest members are left out, and it says which", async () => {
      const id = await llm({
        session_id: "s",
        input: { prompt: "x".repeat(100_000) },
        output: { content: "short" },
        metadata: { run: 1 },
      });
      const { body } = await client.get(`/v1/steps?ids=${id}`);
      expect(body.steps).toMatchObject([
        { id, truncated: true, left_out: ["input"], output: { content: "short" }, metadata: { run: 1 } },
      ]);
      expect(JSON.stringify(body).length).toBeLessThan(1_000);
      const whole = (await client.get(`/v1/steps?ids=${id}&max_bytes=200000`)).body.steps[0];
      expect([whole.truncated, whole.left_out, whole.input.prompt.length]).toEqual([
        undefined,
        undefined,
        100_000,
      ]);
      const nothing = (await client.get(`/v1/steps?ids=${id}&max_bytes=0`)).body.steps[0];
      expect([nothing.left_out, nothing.msg]).toEqual([["input", "metadata", "output"], []]);
    });
  });
}
