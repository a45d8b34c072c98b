import { describe, expect, it } from "vitest";
import { ask } from "../support/operations.ts";
import { type Answer, type Api, Client, newClient, newToken } from "../support/tenant.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/;
const NO_ID = "00000000-0000-7000-8000-000000000000";
const SCORE = { trace_id: "t", name: "helpful", value: 1 };

const score = (client: Client, sent: object) => client.post("/v1/scores", sent);
const list = async (client: Client, query = "") => (await client.get(`/v1/scores${query}`)).body.scores;
const namesIn = async (client: Client, query: string) =>
  (await list(client, query)).map(({ name }: { name: string }) => name);

function expectRefusal({ status, body }: Answer, code: string, message: string): void {
  expect([status, body.error.code, body.error.message]).toEqual([
    code === "forbidden" ? 403 : 400,
    code,
    message,
  ]);
}

/** A token that may do everything, with a trace, a session and a step in `theirs`; and one that is bound to `mine`. */
async function wholeAndBound(api: Api) {
  const { token, tenant } = await newToken();
  const whole = new Client(api, token, tenant);
  const step = { namespace: "theirs", session_id: "s", trace_id: "t" };
  const { body } = await whole.post("/v1/traces/llm", step);
  const bound = await newClient(api, { tenant, namespaces: ["mine"] });
  return { whole, bound, stepId: body.id as string };
}

export function scores(api: Api): void {
  describe("scores", () => {
    it.each([
      ["a trace", { trace_id: "t" }],
      ["a session", { session_id: "s 1" }],
      ["a step", { step_id: NO_ID }],
    ])("a score of %s that is not there yet is kept, and comes back as it was answered", async (_, about) => {
      const client = await newClient(api);
      const sent = {
        ...about,
        name: "helpful",
        value: 0.1,
        comment: "Olá 👋",
        source: "human",
        namespace: "n",
        created_at: "2026-11-20T10:00:00.123456Z",
      };
      const { status, body } = await score(client, sent);
      expect(status).toBe(200);
      expect(body).toEqual({ id: expect.stringMatching(UUID_V7), ...sent });
      expect(await list(client)).toEqual([body]);
    });

    it.each([0, -1.5, 1e308, 5e-324, 2 ** 53, 1 / 3, true, false, "", "very good", "0", "x".repeat(1000)])(
      "the value %j comes back as what it is",
      async (value) => {
        const client = await newClient(api);
        const { status, body } = await score(client, { ...SCORE, value });
        expect([status, body.value]).toEqual([200, value]);
        expect(await list(client)).toEqual([body]);
      },
    );

    it("a score without a time was made when it came, in the namespace `default`", async () => {
      const client = await newClient(api);
      const { body } = await score(client, SCORE);
      expect(body).toEqual({
        id: expect.any(String),
        namespace: "default",
        ...SCORE,
        created_at: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$/),
      });
      expect(Math.abs(Date.parse(body.created_at) - Date.now())).toBeLessThan(60_000);
    });

    it.each([
      [
        { trace_id: undefined },
        "missing_field",
        /^trace_id is required where there is no session_id and no step_id$/,
      ],
      [{ session_id: "s" }, "invalid_payload", /^session_id: cannot be combined with trace_id: /],
      [
        { trace_id: undefined, session_id: "s", step_id: NO_ID },
        "invalid_payload",
        /^step_id: cannot be .* session_id/,
      ],
      [{ trace_id: "a b" }, "invalid_payload", /^trace_id: /],
      [{ trace_id: undefined, step_id: "s" }, "invalid_payload", /^step_id: /],
      [{ name: undefined }, "missing_field", /^name is required$/],
      [{ name: "" }, "invalid_payload", /^name: /],
      [{ name: "x".repeat(129) }, "invalid_payload", /^name: /],
      [{ value: undefined }, "missing_field", /^value is required$/],
      [{ value: {} }, "invalid_payload", /^value: must be a number, true or false, or a text/],
      [{ value: "x".repeat(1001) }, "invalid_payload", /^value: /],
      [{ comment: "x".repeat(10_001) }, "invalid_payload", /^comment: /],
      [{ source: "cat" }, "invalid_payload", /^source: /],
      [{ created_at: "yesterday" }, "invalid_payload", /^created_at: /],
      [{ comment: "a\u0000b" }, "invalid_payload", /^comment: /],
    ])("%j is 400 %s, naming the field, and nothing is stored", async (change, code, message) => {
      const client = await newClient(api);
      const { status, body } = await score(client, { ...SCORE, ...change });
      expect([status, body.error.code, body.error.message]).toEqual([
        400,
        code,
        expect.stringMatching(message),
      ]);
      expect(await list(client)).toEqual([]);
    });

    it("a number beyond a double is 400", async () => {
      const client = await newClient(api);
      const answer = await client.post("/v1/scores", '{"trace_id":"t","name":"n","value":1e999}');
      expect([answer.status, answer.body.error.code]).toEqual([400, "invalid_payload"]);
    });

    it("a batch stores what it can, reports each in its order, and lists them in the order of the request", async () => {
      const client = await newClient(api);
      const sent = [
        SCORE,
        { name: "about nothing", value: 1 },
        { session_id: "s", name: "solved", value: true },
        "no",
      ];
      const { status, body } = await client.post("/v1/scores/batch", { scores: sent.slice(0, 3) });
      expect(status).toBe(200);
      expect(body).toEqual({
        success: false,
        total: 3,
        succeeded: 2,
        failed: 1,
        results: [
          { index: 0, status: "ok", result: expect.objectContaining(SCORE) },
          {
            index: 1,
            status: "error",
            error: {
              code: "missing_field",
              message: "trace_id is required where there is no session_id and no step_id",
            },
          },
          { index: 2, status: "ok", result: expect.objectContaining({ session_id: "s", value: true }) },
        ],
      });
      expect(await list(client)).toEqual([body.results[2].result, body.results[0].result]);
      expect((await client.post("/v1/scores/batch", { scores: sent })).status).toBe(400);
    });

    it.each([[[]], [Array(101).fill(SCORE)], ["no list"], [null]])("a batch of %j is 400", async (scores) => {
      const client = await newClient(api);
      expect((await client.post("/v1/scores/batch", { scores })).status).toBe(400);
    });

    it("the list is found by what scores are about, by name, source, namespace and time, newest first", async () => {
      const client = await newClient(api);
      const at = (day: number) => ({ created_at: `2026-11-0${day}T12:00:00Z` });
      for (const sent of [
        { trace_id: "t", name: "a", value: 1, source: "human", namespace: "n", ...at(1) },
        { session_id: "s", name: "b", value: 2, source: "llm", namespace: "n", ...at(3) },
        { step_id: NO_ID.replace("7", "4"), name: "c", value: 3, namespace: "m", ...at(2) },
      ])
        expect((await score(client, sent)).status).toBe(200);
      expect(await namesIn(client, "")).toEqual(["b", "c", "a"]);
      for (const [query, names] of [
        ["?trace_id=t", "a"],
        ["?session_id=s", "b"],
        [`?step_id=${NO_ID.replace("7", "4")}`, "c"],
        ["?name=c", "c"],
        ["?source=llm", "b"],
        ["?namespace=n", "b,a"],
        ["?namespace=nowhere", ""],
        ["?start_date=2026-11-02", "b,c"],
        ["?end_date=2026-11-02", "c,a"],
        ["?namespace=n&source=human&name=a&limit=1", "a"],
        ["?trace_id=t&session_id=s", ""],
        ["?trace_id=&name=", "b,c,a"],
      ] as const)
        expect([query, (await namesIn(client, query)).join()]).toEqual([query, names]);
    });

    it("the cursor reads each score once, whatever is made meanwhile, and is good for this list alone", async () => {
      const client = await newClient(api);
      const scores = Array.from({ length: 7 }, (_, index) => ({ ...SCORE, name: `n${index}` }));
      await client.post("/v1/scores/batch", { scores });
      const names: string[] = [];
      let query = "?limit=3";
      for (const more of [true, true, false]) {
        const { body } = await client.get(`/v1/scores${query}`);
        names.push(...body.scores.map(({ name }: { name: string }) => name));
        expect(body.next_cursor !== undefined).toBe(more);
        query = `?limit=3&cursor=${body.next_cursor}`;
        await score(client, SCORE);
      }
      expect(names).toEqual(["n6", "n5", "n4", "n3", "n2", "n1", "n0"]);

      for (let number = 0; number < 2; number += 1)
        await client.post("/v1/traces/log", { session_id: "s", message: "m" });
      const { next_cursor } = (await client.post("/v1/logs/query", { namespace: "default", limit: 1 })).body;
      expect(next_cursor).toEqual(expect.any(String));
      const answer = await client.get(`/v1/scores?cursor=${next_cursor}`);
      expect([answer.status, answer.body.error.code]).toEqual([400, "invalid_payload"]);
    });

    it.each([
      ["?trace=t", "there is no filter `trace` (did you mean `trace_id`?)"],
      ["?from=2026-11-01", "there is no filter `from` (did you mean `start_date`?)"],
      ["?stepid=s", "there is no filter `stepid` (did you mean `step_id`?)"],
    ])("GET /scores%s is 400 and says what was meant", async (query, message) => {
      expectRefusal(await (await newClient(api)).get(`/v1/scores${query}`), "invalid_payload", message);
    });

    it("DELETE takes a score away and answers it; again it is 404, as is another tenant's, and no id is 400", async () => {
      const [client, stranger] = [await newClient(api), await newClient(api)];
      const { body } = await score(client, SCORE);
      const call = { method: "DELETE", path: `/v1/scores/${body.id}` };
      expect(await ask(stranger, call)).toMatch(/^404 .*"not_found"/);
      const answer = await ask(client, call);
      expect([answer.slice(0, 4), JSON.parse(answer.slice(4))]).toEqual(["200 ", body]);
      expect(await list(client)).toEqual([]);
      expect(await ask(client, call)).toMatch(/^404 .*"not_found"/);
      expect(await ask(client, { ...call, path: "/v1/scores/no-id" })).toMatch(/^400 .*"invalid_payload"/);
    });

    it("a score goes to the namespace of its trace, session or step, unless it names another", async () => {
      const { whole, stepId } = await wholeAndBound(api);
      const sent = [
        { trace_id: "t" },
        { session_id: "s" },
        { step_id: stepId },
        { step_id: stepId.toUpperCase() },
      ];
      for (const about of sent)
        expect((await score(whole, { ...about, name: "n", value: 1 })).body.namespace).toBe("theirs");
      expect((await score(whole, { ...SCORE, namespace: "other" })).body.namespace).toBe("other");
      expect(await namesIn(whole, `?step_id=${stepId}`)).toEqual(["n", "n"]);
      const namespaces = (await whole.get("/v1/namespaces")).body.namespaces;
      expect(namespaces.map(({ namespace }: { namespace: string }) => namespace)).toContain("other");
    });

    it("a score goes to the namespace of a trace that OpenTelemetry or a session has opened", async () => {
      const client = await newClient(api);
      await client.post("/v1/traces/llm", { namespace: "n", session_id: "s", agent: "a" });
      const trace_id = (await client.get("/v1/traces")).body.data[0].id;
      expect((await score(client, { ...SCORE, trace_id })).body.namespace).toBe("n");
      const span = {
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
        name: "chat",
        startTimeUnixNano: "1795262400000000000",
        endTimeUnixNano: "1795262400820000000",
        attributes: [{ key: "monkai.namespace", value: { stringValue: "spans" } }],
      };
      const body = { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] };
      expect((await client.post("/v1/traces", body)).status).toBe(200);
      expect((await score(client, { ...SCORE, trace_id: span.traceId })).body.namespace).toBe("spans");
    });

    it("a bound token writes, sees and deletes scores of its own namespaces alone", async () => {
      const { whole, bound, stepId } = await wholeAndBound(api);
      const { body: theirs } = await score(whole, SCORE);
      const elsewhere = "This tracer token may not use the namespace of what this score is about.";
      for (const about of [{ trace_id: "t" }, { session_id: "s" }, { step_id: stepId }])
        for (const namespace of [undefined, "mine", "theirs"])
          expectRefusal(
            await score(bound, { ...about, name: "n", value: 1, namespace }),
            "forbidden",
            elsewhere,
          );
      const named = (name: string) => `This tracer token may not use the namespace "${name}".`;
      expectRefusal(await score(bound, { ...SCORE, trace_id: "new" }), "forbidden", named("default"));
      expectRefusal(await bound.get("/v1/scores?namespace=theirs"), "forbidden", named("theirs"));

      const scores = [SCORE, { ...SCORE, trace_id: "new", namespace: "mine" }];
      const { body } = await bound.post("/v1/scores/batch", { scores });
      expect([body.succeeded, body.results[0].error.code]).toEqual([1, "forbidden"]);
      expect(await list(bound)).toEqual([body.results[1].result]);
      expect(await list(bound, "?namespace=mine")).toEqual([body.results[1].result]);
      expect(await list(bound, "?trace_id=t")).toEqual([]);
      expect(await list(whole)).toEqual([body.results[1].result, theirs]);
      expect(await ask(bound, { method: "DELETE", path: `/v1/scores/${theirs.id}` })).toMatch(/^404 /);
      expect(await ask(bound, { method: "DELETE", path: `/v1/scores/${body.results[1].result.id}` })).toMatch(
        /^200 /,
      );
      expect(await list(whole)).toEqual([theirs]);
    });

    it("nor does an idempotency key tell it of a score elsewhere", async () => {
      const { whole, bound } = await wholeAndBound(api);
      const key = { "Idempotency-Key": "k" };
      expect((await whole.post("/v1/scores", SCORE, key)).status).toBe(200);
      const answer = await bound.post("/v1/scores", SCORE, key);
      expect([answer.status, answer.body.error.code]).toEqual([403, "forbidden"]);
      expect(JSON.stringify(answer.body)).not.toContain("theirs");
      expect((await whole.post("/v1/scores", SCORE, key)).headers.get("idempotency-replay")).toBe("true");
    });

    it("comments and texts are anonymized, answered so, and so again on a replay", async () => {
      const client = await newClient(api);
      expect((await client.put("/v1/anonymization-rules", { toggles: { email: true } })).status).toBe(200);
      const sent = { ...SCORE, name: "a@b.co", value: "ask a@b.co", comment: "said a@b.co" };
      const key = { "Idempotency-Key": "k" };
      const { status, body } = await client.post("/v1/scores", sent, key);
      expect([status, body.value, body.comment]).toEqual([200, "ask [EMAIL]", "said [EMAIL]"]);
      expect(body.name).toBe("a@b.co");
      expect(await list(client)).toEqual([body]);
      const replay = await client.post("/v1/scores", sent, key);
      expect([replay.headers.get("idempotency-replay"), replay.body]).toEqual(["true", body]);
      expect(await list(client)).toHaveLength(1);
    });

    it("what was said of a trace, of those below it and of their steps goes with their content; figures stay", async () => {
      const client = await newClient(api);
      const { body: step } = await client.post("/v1/traces/llm", { session_id: "s", trace_id: "t" });
      await client.post("/v1/traces/tool", {
        session_id: "s",
        tool_name: "x",
        trace_id: "u",
        parent_trace_id: "t",
      });
      await client.post("/v1/traces/llm", { session_id: "s", trace_id: "other" });
      const said = { value: "said", comment: "said" };
      for (const about of [
        { trace_id: "t" },
        { trace_id: "u" },
        { step_id: step.id },
        { trace_id: "other" },
        { session_id: "s" },
      ]) {
        await score(client, { ...about, name: "text", ...said });
        await score(client, { ...about, name: "number", value: 1, comment: "said" });
      }
      expect(await ask(client, { method: "DELETE", path: "/v1/traces/t/content" })).toMatch(/^200 /);
      for (const about of ["trace_id=t", "trace_id=u", `step_id=${step.id}`]) {
        const [number, text] = await list(client, `?${about}`);
        expect([about, number.value, number.comment, text.value, text.comment]).toEqual([
          about,
          1,
          undefined,
          null,
          undefined,
        ]);
      }
      for (const about of ["trace_id=other", "session_id=s"])
        expect((await list(client, `?${about}`))[1]).toMatchObject(said);
    });
  });
}
