import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { SPAN_ID, TRACE_ID, traceOf } from "../support/otlp-steps.ts";
import { type Answer, type Api, type Client, newClient } from "../support/tenant.ts";

const MOMENT = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$/;
const PRICES = { prices: [{ model: "m*", input: "1", cached_input: "0.5", output: "2" }] };
/** The figures of a session without steps. */
const NOTHING = {
  agents: [],
  models: [],
  trace_count: 0,
  step_count: 0,
  error_count: 0,
  input_tokens: 0,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  cost: { amount: "0", currency: "USD", unpriced_steps: 0 },
  duration_ms: null,
  first_message: null,
  last_message: null,
  scores: {},
};

interface Listed {
  session_id: string;
  namespace: string;
  last_activity_at: string;
}

const namesOf = ({ body }: Answer): string[] => body.sessions.map(({ session_id }: Listed) => session_id);
const at = (second: number) => new Date(Date.UTC(2026, 10, 20, 12, 0, second)).toISOString();
const pathOf = (sessionId: string) => `/v1/sessions/${encodeURIComponent(sessionId)}`;

export function sessionList(api: Api): void {
  describe("reading sessions", () => {
    let client: Client;
    beforeEach(async () => {
      client = await newClient(api);
    });

    async function send(kind: string, body: object): Promise<string> {
      const answer = await client.post(`/v1/traces/${kind}`, { session_id: "s", namespace: "n", ...body });
      expect([answer.status, answer.body.id]).toEqual([200, expect.any(String)]);
      return answer.body.id;
    }
    async function create(body: object): Promise<string> {
      const answer = await client.post("/v1/sessions/create", { namespace: "n", ...body });
      expect([answer.status, answer.body.session_id]).toEqual([200, expect.any(String)]);
      return answer.body.session_id;
    }
    const list = (query = "") => client.get(`/v1/sessions${query}`);

    it("a session has the figures of its steps, in the list and by itself", async () => {
      await client.put("/v1/model-prices", PRICES);
      const wanted = { namespace: "n", user_id: "u", inactivity_timeout: 300, metadata: { kept: null } };
      const { session_id, created_at } = (await client.post("/v1/sessions/get-or-create", wanted)).body;
      const placed = { session_id, agent: "a" };
      const llm = await send("llm", {
        ...placed,
        model: "m-1",
        input: { messages: [{ role: "user", content: "How warm\n is it?" }] },
        output: {
          content: "Let me see.",
          usage: {
            prompt_tokens: 100,
            completion_tokens: 10,
            prompt_tokens_details: { cached_tokens: 60 },
            completion_tokens_details: { reasoning_tokens: 4 },
          },
        },
        started_at: at(0),
        latency_ms: 500,
      });
      await send("tool", { ...placed, tool_name: "t", error: "timeout", started_at: at(1), latency_ms: 70 });
      await send("handoff", { session_id, from_agent: "a", to_agent: "b", timestamp: at(2) });
      const output = { content: "29 degrees" };
      await send("llm", {
        ...placed,
        agent: "b",
        model: "other",
        output,
        started_at: at(3),
        latency_ms: 2500,
      });
      const { data } = (await client.get("/v1/traces?root_only=true")).body;
      for (const [about, value] of [
        [{ session_id }, true],
        [{ trace_id: data[0].id }, false],
        [{ step_id: llm }, true],
      ])
        await client.post("/v1/scores", { ...(about as object), name: "helpful", value });

      const session = {
        session_id,
        namespace: "n",
        user_id: "u",
        created_at,
        last_activity_at: expect.stringMatching(MOMENT),
        active: false,
        agents: ["a", "b"],
        models: ["m-1", "other"],
        trace_count: 2,
        step_count: 4,
        error_count: 1,
        input_tokens: 100,
        cached_input_tokens: 60,
        output_tokens: 10,
        reasoning_tokens: 4,
        cost: { amount: "0.00009", currency: "USD", unpriced_steps: 1 },
        duration_ms: 5500,
        first_message: "How warm is it?",
        last_message: "29 degrees",
        scores: { helpful: { count: 3, average: 2 / 3 } },
      };
      const { status, body } = await list();
      expect([status, body]).toEqual([200, { sessions: [session], count: 1 }]);
      expect((await client.get(pathOf(session_id))).body).toEqual({
        ...session,
        namespaces: ["n"],
        root_trace_ids: [data[0].id],
        metadata: { kept: null },
      });
    });

    it("the latest activity comes first: a session is raised by what happens, and not by what is told of the past or the future", async () => {
      for (const session_id of ["1", "2", "3"]) await send("log", { session_id, message: "m" });
      expect(namesOf(await list())).toEqual(["3", "2", "1"]);
      await send("log", { session_id: "2", message: "m", timestamp: "2020-01-01T00:00:00Z" });
      expect(namesOf(await list())).toEqual(["3", "2", "1"]);
      await send("log", { session_id: "1", message: "m", timestamp: "2999-01-01T00:00:00Z" });
      expect(namesOf(await list())).toEqual(["1", "3", "2"]);
      const created = await create({});
      expect(namesOf(await list())).toEqual([created, "1", "3", "2"]);
    });

    it("every filter finds its sessions, alone and with others", async () => {
      const ok = { agent: "a", model: "m-1", external_user_id: "u 1" };
      await send("llm", { session_id: "1", ...ok });
      await send("llm", { session_id: "2", agent: "b", model: "m-1", external_user_id: "v" });
      await send("tool", { session_id: "2", agent: "b", tool_name: "t", error: "e" });
      await send("llm", { session_id: "3", agent: "a", model: "m-2", namespace: "m" });
      await send("llm", { session_id: "3", agent: "c", model: "m-3", namespace: "m" });
      const created = await create({ user_id: "u 1" });
      const { sessions } = (await list()).body as { sessions: Listed[] };
      const activity = (session: string) =>
        sessions.find(({ session_id }) => session_id === session)?.last_activity_at;

      const expected: [query: string, found: string[]][] = [
        ["", [created, "3", "2", "1"]],
        ["namespace=n", [created, "2", "1"]],
        ["namespace=m", ["3"]],
        ["status=error", ["2"]],
        ["status=ok", [created, "3", "1"]],
        ["agent=a", ["3", "1"]],
        ["agent=nobody", []],
        ["model=m-1", ["2", "1"]],
        ["user_id=u%201", [created, "1"]],
        ["user_id=u%201&model=m-1", ["1"]],
        ["agent=a&model=m-1", ["1"]],
        ["agent=c&model=m-2", ["3"]],
        ["agent=b&model=m-2", []],
        ["agent=b&status=ok", []],
        ["namespace=n&agent=a&status=ok&user_id=u%201&model=m-1", ["1"]],
        ["namespace=m&agent=b", []],
        [`start_date=${activity("2")}`, [created, "3", "2"]],
        [`end_date=${activity("2")}`, ["2", "1"]],
        [`start_date=${activity("2")}&end_date=${activity("3")}&agent=a`, ["3"]],
        ["start_date=2099-01-01", []],
        ["end_date=2020-01-01", []],
        ["agent=&model=&limit=", [created, "3", "2", "1"]],
      ];
      for (const [query, found] of expected) {
        const answer = await list(`?${query}`);
        expect([query, answer.status, answer.body.count, namesOf(answer)]).toEqual([
          query,
          200,
          found.length,
          found,
        ]);
      }
    });

    it("the filter `text` finds the sessions in which it was said", async () => {
      await send("llm", { session_id: "1", output: { content: "It is raining in Recife." } });
      await send("tool", { session_id: "2", tool_name: "t", result: { weather: "rain" } });
      await send("llm", { session_id: "3", output: { content: "It is sunny." } });
      expect(namesOf(await list("?text=RAIN"))).toEqual(["2", "1"]);
      expect(namesOf(await list("?text=in%20recife"))).toEqual(["1"]);
      expect((await list("?text=snow")).body).toEqual({ sessions: [], count: 0 });
    });

    it("pages lose and repeat nothing of what stays as it is, while sessions come and others go on", async () => {
      const names = Array.from({ length: 25 }, (_, number) => `s${number}`);
      const traces = names.map((session_id) => ({ type: "llm", session_id, namespace: "n", agent: "a" }));
      expect((await client.post("/v1/traces/batch", { traces })).body.succeeded).toBe(25);
      for (const filter of ["", "&namespace=n", "&agent=a"]) {
        const seen: string[] = [];
        let page = await list(`?limit=4${filter}`);
        const total = page.body.count;
        seen.push(...namesOf(page));
        while (page.body.next_cursor) {
          await send("llm", { session_id: crypto.randomUUID(), agent: "a" });
          await send("llm", { session_id: seen.at(-1), agent: "a" });
          page = await list(`?limit=4${filter}&cursor=${page.body.next_cursor}`);
          expect([page.status, page.body.count]).toEqual([200, total]);
          seen.push(...namesOf(page));
        }
        expect(seen.length).toBe(total);
        expect(new Set(seen).size).toBe(total);
        expect(names.filter((name) => !seen.includes(name))).toEqual([]);
      }
    });

    it("all sessions are counted; of those that are filtered, 500, and it is said that there are more", async () => {
      const record = { namespace: "n", agent: "a", msg: { role: "user", content: "hi" } };
      for (const [from, to] of [
        [0, 500],
        [500, 501],
      ] as const) {
        const records = Array.from({ length: to - from }, (_, number) => ({
          ...record,
          session_id: `s${from + number}`,
        }));
        expect((await client.post("/v1/records/upload", { records })).body.inserted_count).toBe(to - from);
        const { body } = await list("?agent=a&limit=2");
        expect([body.count, body.count_is_at_least]).toEqual([500, to > 500 ? true : undefined]);
      }
      const first = await list("?agent=a&limit=200");
      const second = await list(`?agent=a&limit=200&cursor=${first.body.next_cursor}`);
      expect([second.body.count, second.body.count_is_at_least]).toEqual([500, true]);
      expect(new Set([...namesOf(first), ...namesOf(second)]).size).toBe(400);
      const { body } = await list("?namespace=n&limit=1");
      expect([body.count, body.count_is_at_least]).toEqual([501, undefined]);
    });

    it("a session that was created and has no steps is listed with nothing", async () => {
      const { body: created } = await client.post("/v1/sessions/create", { namespace: "n", user_id: "u" });
      const { session_id, created_at } = created;
      const empty = {
        ...NOTHING,
        session_id,
        namespace: "n",
        user_id: "u",
        created_at,
        last_activity_at: created_at,
        active: true,
      };
      expect((await list()).body).toEqual({ sessions: [empty], count: 1 });
      const whole = { ...empty, namespaces: ["n"], root_trace_ids: [], metadata: {} };
      expect((await client.get(pathOf(session_id))).body).toEqual(whole);
      await send("log", { session_id, message: "m" });
      expect((await list()).body).toMatchObject({ sessions: [{ session_id, step_count: 1 }], count: 1 });
    });

    it("a session in two namespaces is listed once for each, with the figures of what is there; by itself it is all of it", async () => {
      await send("llm", { agent: "a", model: "m-1", output: { content: "in n" }, timestamp: at(1) });
      const there = { namespace: "m", agent: "b", model: "m-2", timestamp: at(3), error: "e" };
      await send("llm", { ...there, output: { content: "in m" } });
      await send("tool", { namespace: "m", agent: "b", tool_name: "t", timestamp: at(9) });
      const { body } = await list();
      expect(body).toMatchObject({
        sessions: [
          {
            session_id: "s",
            namespace: "m",
            agents: ["b"],
            models: ["m-2"],
            step_count: 2,
            error_count: 1,
            trace_count: 1,
            duration_ms: 6000,
            last_message: "in m",
          },
          {
            session_id: "s",
            namespace: "n",
            agents: ["a"],
            models: ["m-1"],
            step_count: 1,
            error_count: 0,
            trace_count: 1,
            duration_ms: 0,
            last_message: "in n",
          },
        ],
        count: 2,
      });
      const whole = (await client.get("/v1/sessions/s")).body;
      expect(whole).toMatchObject({
        namespaces: ["m", "n"],
        agents: ["a", "b"],
        models: ["m-1", "m-2"],
        step_count: 3,
        error_count: 1,
        trace_count: 2,
        duration_ms: 8000,
        last_message: "in m",
      });
      expect(whole.root_trace_ids).toHaveLength(2);
      expect((await client.get("/v1/sessions/s?namespace=m")).body).toMatchObject({
        ...body.sessions[0],
        namespaces: ["m"],
      });

      const bound = await newClient(api, { tenant: client.tenant, namespaces: ["m"] });
      expect((await bound.get("/v1/sessions")).body).toEqual({ sessions: [body.sessions[0]], count: 1 });
      const seen = (await bound.get("/v1/sessions/s")).body;
      expect([seen.namespaces, seen.step_count, seen.agents]).toEqual([["m"], 2, ["b"]]);
      for (const path of ["/v1/sessions?namespace=n", "/v1/sessions/s?namespace=n"]) {
        const { status, body } = await bound.get(path);
        expect([status, body.error.code]).toEqual([403, "forbidden"]);
      }
    });

    it("a session that only spans tell of is one; one that is told later takes the place of the trace's id", async () => {
      const chat = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m-1", "user.id": "u" };
      const service = { "service.name": "n" };
      const below = { spanId: "00000000000000aa", parentSpanId: SPAN_ID };
      expect((await client.post("/v1/traces", traceOf(chat, below, service))).status).toBe(200);
      const placeholder = await list();
      expect(placeholder.body).toMatchObject({
        sessions: [{ session_id: TRACE_ID, namespace: "n", user_id: "u", step_count: 1, models: ["m-1"] }],
        count: 1,
      });
      await client.post("/v1/traces", traceOf({ "session.id": "told" }, {}, service));
      const { body } = await list();
      expect(body).toMatchObject({
        sessions: [{ session_id: "told", step_count: 2, trace_count: 1, duration_ms: 100, user_id: "u" }],
        count: 1,
      });
      expect((await client.get("/v1/sessions/told")).body.root_trace_ids).toEqual([TRACE_ID]);
      expect((await client.get(`/v1/sessions/${TRACE_ID}`)).status).toBe(404);
    });

    it("messages are the first and the last that was said, by when it was, and not by when it came", async () => {
      await send("llm", { output: { content: "last" }, started_at: at(5) });
      await send("llm", { input: { prompt: "first" }, output: { content: "second" }, started_at: at(1) });
      await send("tool", { tool_name: "t", result: "no message", started_at: at(0) });
      await send("log", { message: "no message", timestamp: at(9) });
      expect((await list()).body.sessions).toMatchObject([{ first_message: "first", last_message: "last" }]);
      const record = { session_id: "s", namespace: "n", agent: "a", inserted_at: at(-1) };
      const msg = { role: "user", content: "said before" };
      await client.post("/v1/records/upload", { records: [{ ...record, msg }] });
      expect((await list()).body.sessions).toMatchObject([
        { first_message: "said before", last_message: "last" },
      ]);
    });

    it("what was said is gone from the list when it was taken away", async () => {
      await send("llm", { trace_id: "t", input: { prompt: "asked" }, output: { content: "answered" } });
      expect((await list()).body.sessions).toMatchObject([
        { first_message: "asked", last_message: "answered" },
      ]);
      await client.send("/v1/traces/t/content", undefined, { method: "DELETE" });
      expect((await list()).body.sessions).toMatchObject([
        { step_count: 1, first_message: null, last_message: null },
      ]);
    });

    it("a session is active for as long as its timeout after the last step", async () => {
      const session_id = await create({ inactivity_timeout: 1 });
      const active = async () => (await client.get(pathOf(session_id))).body.active;
      await sleep(1100);
      expect(await active()).toBe(false);
      await send("log", { session_id, message: "m" });
      expect(await active()).toBe(true);
    });

    it.each(["a b", "100%", "%2F", "👋 olá", "?x=1&y#z", "create "])(
      "the session %j is found by its id",
      async (session_id) => {
        await send("log", { session_id, message: "m" });
        const { status, body } = await client.get(pathOf(session_id));
        expect([status, body.session_id, body.step_count]).toEqual([200, session_id, 1]);
      },
    );

    it("another tenant's session is not there", async () => {
      await send("log", { message: "m" });
      const stranger = await newClient(api);
      for (const path of ["/v1/sessions/s", "/v1/sessions/s?namespace=n", "/v1/sessions/nothing"]) {
        const { status, body } = await stranger.get(path);
        expect([status, body.error.code, body.error.message]).toEqual([
          404,
          "not_found",
          "There is no such session.",
        ]);
      }
      expect((await stranger.get("/v1/sessions")).body).toEqual({ sessions: [], count: 0 });
    });

    it.each([
      ["/v1/sessions?agents=a", /^there is no filter `agents` \(did you mean `agent`\?\)/],
      ["/v1/sessions?user=u", /^there is no filter `user` \(did you mean `user_id`\?\)/],
      ["/v1/sessions?tool=t", /^there is no filter `tool` /],
      ["/v1/sessions?status=failed", /^status: /],
      ["/v1/sessions?limit=0", /^limit: /],
      ["/v1/sessions?limit=201", /^limit: /],
      ["/v1/sessions?limit=x", /^limit: /],
      ["/v1/sessions?start_date=yesterday", /^start_date: /],
      ["/v1/sessions?cursor=x", /cursor is not one of this list/],
      [`/v1/sessions?text=${"x".repeat(201)}`, /^text: /],
      [`/v1/sessions?namespace=${"x".repeat(129)}`, /^namespace: /],
      ["/v1/sessions?agent=a%00b", /^agent: must not contain the character/],
      ["/v1/sessions/s?limit=1", /there is no filter `limit`/],
      ["/v1/sessions/a%00b", /session_id: must not contain the character/],
    ])("GET %s is 400 invalid_payload, naming what is wrong", async (path, message) => {
      const { status, body } = await client.get(path);
      expect([status, body.error.code, body.error.message]).toEqual([
        400,
        "invalid_payload",
        expect.stringMatching(message),
      ]);
    });

    it("what the client has already is 304 without a body, until a step comes or a price changes", async () => {
      await send("llm", {
        agent: "a",
        model: "m-1",
        input: { prompt: "x" },
        output: { usage: { prompt_tokens: 9 } },
      });
      const known = (path: string, etag: string) =>
        client.request(path, { headers: { tracer_token: client.token, "If-None-Match": etag } });
      const versions = new Map<string, string>();
      const expectNews = async (paths: string[]) => {
        for (const path of paths) {
          const { status, headers } = await known(path, versions.get(path) ?? "none");
          expect([path, status, headers.get("cache-control")]).toEqual([path, 200, "private, no-cache"]);
          const etag = headers.get("etag") ?? "";
          expect(etag).toMatch(/^W\/"[\da-f]{32}"$/);
          expect(etag).not.toBe(versions.get(path));
          versions.set(path, etag);
          const again = await known(path, etag);
          expect([again.status, again.body, again.headers.get("etag")]).toEqual([304, undefined, etag]);
          expect(again.headers.get("x-ratelimit-limit")).toBe(path === "/v1/model-prices" ? "60" : "300");
        }
      };
      const withCosts = ["/v1/sessions", "/v1/sessions/s", "/v1/usage?by=model"];
      const others = ["/v1/token", "/v1/scores", "/v1/model-prices"];
      const expectKnown = async (paths: string[]) => {
        for (const path of paths) {
          expect([path, (await known(path, versions.get(path) ?? "")).status]).toEqual([path, 304]);
        }
      };
      await expectNews([...withCosts, "/v1/facets", ...others]);
      await send("llm", { agent: "a", model: "m-1" });
      await expectNews([...withCosts, "/v1/facets"]);
      await client.put("/v1/model-prices", PRICES);
      await expectNews([...withCosts, "/v1/model-prices"]);
      await expectKnown(["/v1/facets", "/v1/token", "/v1/scores"]);
      await client.post("/v1/scores", { session_id: "s", name: "helpful", value: true });
      await expectNews([...withCosts, "/v1/scores"]);
      await expectKnown(["/v1/facets", "/v1/token", "/v1/model-prices"]);
    });
  });
}
