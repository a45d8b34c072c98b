import { describe, expect, it } from "vitest";
import { type Answer, type Api, Client, newClient, newToken } from "../support/tenant.ts";

const ENDPOINTS: [string, Record<string, unknown>][] = [
  ["/v1/traces/llm", { session_id: "s", output: { usage: { input_tokens: 1, output_tokens: 2 } } }],
  ["/v1/traces/tool", { session_id: "s", tool_name: "t" }],
  ["/v1/traces/handoff", { session_id: "s", from_agent: "a", to_agent: "b" }],
  ["/v1/traces/log", { session_id: "s", message: "m" }],
  [
    "/v1/traces/batch",
    {
      traces: [
        { type: "llm", session_id: "s" },
        { type: "tool", session_id: "s" },
      ],
    },
  ],
  ["/v1/scores", { session_id: "s", name: "helpful", value: "yes", comment: "c" }],
  [
    "/v1/scores/batch",
    {
      scores: [
        { session_id: "s", name: "helpful", value: true },
        { session_id: "s", name: "about" },
      ],
    },
  ],
];

const TRACE = { session_id: "s", model: "gpt-4" };

async function stored(client: Client): Promise<number> {
  const records = await client.post("/v1/record_query", { namespace: "default", query: {} });
  const logs = await client.post("/v1/logs/query", { namespace: "default" });
  const scores = await client.get("/v1/scores");
  return records.body.count + logs.body.count + scores.body.scores.length;
}

function expectReplayOf(first: Answer, replay: Answer): void {
  expect(replay.status).toBe(200);
  expect(replay.body).toEqual(first.body);
  expect(replay.headers.get("idempotency-replay")).toBe("true");
  expect(replay.headers.get("idempotency-original-request-id")).toBe(first.headers.get("x-request-id"));
}

/** Sent once more with the same key, each answer with a request id of its own. */
const keyed = (client: Client, key: string, path = "/v1/traces/llm") => ({
  send: (body: unknown) => client.post(path, body, { "Idempotency-Key": key }),
});

export function idempotency(api: Api): void {
  describe("idempotency keys", () => {
    it.each(ENDPOINTS)(
      "%s: same key + identical body -> cached replay, no DB inserts",
      async (path, body) => {
        const client = await newClient(api);
        const { send } = keyed(client, "op 1", path);
        const first = await send(body);
        expect(first.status).toBe(200);
        expect(first.headers.get("idempotency-replay")).toBeNull();
        expect(first.headers.get("idempotency-original-request-id")).toBeNull();
        const before = await stored(client);

        const replay = await send(body);
        expectReplayOf(first, replay);
        expect(replay.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
        expect(await stored(client)).toBe(before);
      },
    );

    it.each(ENDPOINTS)(
      "%s: same key + different body -> 422 idempotency_key_conflict",
      async (path, body) => {
        const client = await newClient(api);
        const { send } = keyed(client, "op", path);
        expect((await send(body)).status).toBe(200);
        const before = await stored(client);
        const conflict = await send({ ...body, extra: 1 });
        expect([conflict.status, conflict.body.error.code]).toEqual([422, "idempotency_key_conflict"]);
        expect(conflict.headers.get("idempotency-replay")).toBeNull();
        expect(await stored(client)).toBe(before);
      },
    );

    it("different or missing key -> fresh execution", async () => {
      const client = await newClient(api);
      for (const headers of [{ "Idempotency-Key": "a" }, { "Idempotency-Key": "b" }, {}, {}]) {
        const answer = await client.post("/v1/traces/llm", TRACE, headers as Record<string, string>);
        expect([answer.status, answer.headers.get("idempotency-replay")]).toEqual([200, null]);
      }
      expect(await stored(client)).toBe(4);
    });

    it("Idempotency-Original-Request-ID mirrors the X-Request-ID of the first call, on every retry", async () => {
      const client = await newClient(api);
      const send = (id: string) =>
        client.post("/v1/traces/llm", TRACE, { "Idempotency-Key": "k", "X-Request-ID": id });
      await send("first");
      for (const id of ["second", "third"]) {
        const replay = await send(id);
        expect(replay.headers.get("x-request-id")).toBe(id);
        expect(replay.headers.get("idempotency-original-request-id")).toBe("first");
      }
    });

    it("versioned and unversioned paths are one route; another route with the same key is a conflict", async () => {
      const client = await newClient(api);
      const first = await keyed(client, "k", "/v1/traces/llm").send(TRACE);
      for (const path of ["/traces/llm", "/functions/v1/monkai-api/v1/traces/llm"]) {
        expectReplayOf(first, await keyed(client, "k", path).send(TRACE));
      }
      const other = await keyed(client, "k", "/v1/traces/tool").send({ ...TRACE, tool_name: "t" });
      expect([other.status, other.body.error.code]).toEqual([422, "idempotency_key_conflict"]);
    });

    it("the hash covers the body's bytes: another member order is another body", async () => {
      const client = await newClient(api);
      const { send } = keyed(client, "k");
      const first = await send('{"session_id":"s","model":"m"}');
      expectReplayOf(first, await send('{"session_id":"s","model":"m"}'));
      expect((await send('{"model":"m","session_id":"s"}')).status).toBe(422);
      expect((await send('{"session_id":"s", "model":"m"}')).status).toBe(422);
    });

    it("errors are not cached: retrying a failed call with the same key naturally re-executes", async () => {
      const { token, tenant } = await newToken();
      const bound = await newClient(api, { tenant, namespaces: ["mine"] });
      const body = { ...TRACE, namespace: "theirs" };
      const refused = await keyed(bound, "k").send(body);
      expect([refused.status, refused.body.error.code]).toEqual([403, "forbidden"]);
      const again = await keyed(bound, "k").send(body);
      expect([again.status, again.headers.get("idempotency-replay")]).toEqual([403, null]);

      const allowed = await keyed(new Client(api, token), "k").send(body);
      expect([allowed.status, allowed.headers.get("idempotency-replay")]).toEqual([200, null]);

      const invalid = await keyed(bound, "j").send({});
      expect(invalid.status).toBe(400);
      expect((await keyed(bound, "j").send({ session_id: "t", namespace: "mine" })).status).toBe(200);
    });

    it("a batch answered 200 is remembered, failed items and all", async () => {
      const client = await newClient(api, { namespaces: ["mine"] });
      const { send } = keyed(client, "k", "/v1/traces/batch");
      const batch = {
        traces: [
          { type: "llm", session_id: "s", namespace: "mine" },
          { type: "tool", session_id: "s" },
          { type: "llm", session_id: "t", namespace: "theirs" },
        ],
      };
      const first = await send(batch);
      expect(first.body).toMatchObject({ success: false, succeeded: 1, failed: 2 });
      expectReplayOf(first, await send(batch));
      const records = await client.post("/v1/record_query", { namespace: "mine", query: {} });
      expect(records.body.count).toBe(1);
    });

    it.each(["", "x".repeat(129), "caf\u00e9"])(
      "a malformed key (%j) is 400 bad_request, and nothing is stored",
      async (key) => {
        const client = await newClient(api);
        const answer = await keyed(client, key).send(TRACE);
        expect([answer.status, answer.body.error.code]).toEqual([400, "bad_request"]);
        expect(answer.body.error.message).toContain("Idempotency-Key");
        expect(answer.headers.get("x-ratelimit-remaining")).toBe("599");
        expect(await stored(client)).toBe(0);
      },
    );

    it("other endpoints do not heed the key", async () => {
      const client = await newClient(api);
      for (const path of ["/v1/sessions/create", "/v1/sessions/create"]) {
        const answer = await keyed(client, "k", path).send({ namespace: "n", user_id: "u" });
        expect([answer.status, answer.headers.get("idempotency-replay")]).toEqual([200, null]);
      }
    });

    it("fifty simultaneous requests with one key insert once, and all fifty get the same body", async () => {
      // A token each: fifty requests of one token would stand in line at its rate limit's count.
      const { tenant } = await newToken();
      const clients = await Promise.all(Array.from({ length: 50 }, () => newClient(api, { tenant })));
      const answers = await Promise.all(clients.map((client) => keyed(client, "stampede").send(TRACE)));
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      const firsts = answers.filter(({ headers }) => headers.get("idempotency-replay") === null);
      expect(firsts).toHaveLength(1);
      const ids = answers
        .map(({ headers }) => headers.get("idempotency-original-request-id"))
        .filter(Boolean);
      expect(new Set(ids)).toEqual(new Set([firsts[0]?.headers.get("x-request-id")]));
      expect(await stored(clients[0] as Client)).toBe(1);
    });

    it("the network drops between the server's write and the client's read: the retry is a replay", async () => {
      const client = await newClient(api);
      const { send } = keyed(client, "dropped");
      const lost = await send(TRACE);
      expect(lost.status).toBe(200);
      for (let retry = 0; retry < 2; retry += 1) expectReplayOf(lost, await send(TRACE));
      expect(await stored(client)).toBe(1);
    });

    it("two tokens of one tenant share keys; two tenants do not", async () => {
      const { token, tenant } = await newToken();
      const first = await keyed(new Client(api, token), "k").send(TRACE);
      expectReplayOf(first, await keyed(await newClient(api, { tenant }), "k").send(TRACE));
      const stranger = await keyed(await newClient(api), "k").send(TRACE);
      expect([stranger.status, stranger.headers.get("idempotency-replay")]).toEqual([200, null]);
    });
  });
}
