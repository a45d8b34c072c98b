import { describe, expect, it } from "vitest";
import { type Api, newClient } from "../support/tenant.ts";

type Refusal = [name: string, path: string, body: unknown, code: string, named: string];

const REFUSALS: Refusal[] = [
  ["a missing namespace", "/v1/sessions/create", {}, "missing_field", "namespace"],
  ["a null namespace", "/v1/sessions/create", { namespace: null }, "missing_field", "namespace"],
  ["an empty namespace", "/v1/sessions/create", { namespace: "" }, "missing_field", "namespace"],
  ["a namespace of a wrong type", "/v1/sessions/create", { namespace: 5 }, "invalid_payload", "namespace"],
  [
    "a timeout of 0",
    "/v1/sessions/create",
    { namespace: "n", inactivity_timeout: 0 },
    "invalid_payload",
    "inactivity_timeout",
  ],
  [
    "metadata that is a list",
    "/v1/sessions/create",
    { namespace: "n", metadata: [] },
    "invalid_payload",
    "metadata",
  ],
  ["a missing user_id", "/v1/sessions/get-or-create", { namespace: "n" }, "missing_field", "user_id"],
  ["a missing session_id", "/v1/traces/llm", { model: "gpt-4" }, "missing_field", "session_id"],
  ["an input that is text", "/v1/traces/llm", { session_id: "s", input: "hi" }, "invalid_payload", "input"],
  [
    "a negative latency",
    "/v1/traces/llm",
    { session_id: "s", latency_ms: -1 },
    "invalid_payload",
    "latency_ms",
  ],
  [
    "a garbage timestamp",
    "/v1/traces/llm",
    { session_id: "s", timestamp: "yesterday" },
    "invalid_payload",
    "timestamp",
  ],
  ["a missing tool_name", "/v1/traces/tool", { session_id: "s" }, "missing_field", "tool_name"],
  [
    "a missing to_agent",
    "/v1/traces/handoff",
    { session_id: "s", from_agent: "a" },
    "missing_field",
    "to_agent",
  ],
  ["a missing message", "/v1/traces/log", { session_id: "s" }, "missing_field", "message"],
  ["a log of nowhere", "/v1/traces/log", { message: "m" }, "missing_field", "session_id"],
  [
    "an unknown level",
    "/v1/traces/log",
    { session_id: "s", message: "m", level: "fatal" },
    "invalid_payload",
    "level",
  ],
  ["an empty batch", "/v1/traces/batch", { traces: [] }, "invalid_payload", "traces"],
  ["a missing query", "/v1/record_query", { namespace: "n" }, "missing_field", "query"],
  [
    "a limit of 0",
    "/v1/record_query",
    { namespace: "n", query: { limit: 0 } },
    "invalid_payload",
    "query.limit",
  ],
  ["a limit of 1001", "/v1/logs/query", { namespace: "n", limit: 1001 }, "invalid_payload", "limit"],
  [
    "a negative offset",
    "/v1/record_query",
    { namespace: "n", query: { offset: -1 } },
    "invalid_payload",
    "query.offset",
  ],
  [
    "an invalid date",
    "/v1/logs/query",
    { namespace: "n", start_date: "2025-02-30" },
    "invalid_payload",
    "start_date",
  ],
  ["a body that is a list", "/v1/sessions/create", [], "invalid_payload", "body"],
  ["a body that is null", "/v1/sessions/create", "null", "invalid_payload", "body"],
];

const UNSTORABLE: [name: string, body: string, named: string][] = [
  ["\\u0000 in a field", '{"session_id":"a\\u0000b"}', "session_id"],
  [
    "\\u0000 deep in free-form input",
    '{"session_id":"s","input":{"messages":[{"content":"x\\u0000"}]}}',
    "input.messages[0].content",
  ],
  ["\\u0000 in a member's name", '{"session_id":"s","metadata":{"a\\u0000":1}}', "metadata"],
  ["half a surrogate pair in a member's name", '{"session_id":"s","metadata":{"a\\ud83d":1}}', "metadata"],
  ["a number beyond a double", '{"session_id":"s","metadata":{"n":1e999}}', "metadata.n"],
  [
    "nesting without end",
    `{"session_id":"s","metadata":{"n":${"[".repeat(5000)}${"]".repeat(5000)}}}`,
    "metadata.n[0]",
  ],
];

export function errors(api: Api): void {
  describe("bad input", () => {
    it.each(REFUSALS)(
      "%s is a 400 that names the field, and nothing is stored",
      async (_, path, body, code, named) => {
        const client = await newClient(api);
        const answer = await client.post(path, body);
        expect(answer.status).toBe(400);
        expect(answer.body.error.code).toBe(code);
        expect(
          answer.body.error.message.startsWith(`${named} `) ||
            answer.body.error.message.startsWith(`${named}:`),
        ).toBe(true);
        expect(Object.keys(answer.body)).toEqual(["error"]);
        for (const namespace of ["n", "default"]) {
          const records = await client.post("/v1/record_query", { namespace, query: {} });
          const logs = await client.post("/v1/logs/query", { namespace });
          expect([records.body.count, logs.body.count]).toEqual([0, 0]);
        }
      },
    );

    it.each(UNSTORABLE)("%s is refused with invalid_payload naming the field", async (_, body, named) => {
      const client = await newClient(api);
      const answer = await client.post("/v1/traces/llm", body);
      expect(answer.status).toBe(400);
      expect(answer.body.error.code).toBe("invalid_payload");
      expect(answer.body.error.message).toContain(named);
      const stored = await client.post("/v1/record_query", { namespace: "default", query: {} });
      expect(stored.body.count).toBe(0);
    });

    it("half a surrogate pair (a cut emoji) is repaired, not lost", async () => {
      const client = await newClient(api);
      const sent = await client.post(
        "/v1/traces/llm",
        '{"session_id":"s","output":{"content":"cut \\ud83d"}}',
      );
      expect(sent.status).toBe(200);
      const { body } = await client.post("/v1/record_query", { namespace: "default", query: {} });
      expect(body.records[0].output.content).toBe("cut \ufffd");
    });

    it("a message says what is wrong, but does not give all of it back", async () => {
      const client = await newClient(api);
      const answer = await client.post(
        "/v1/traces/llm",
        `{"session_id":"s","metadata":{"${"x".repeat(90_000)}":1e999}}`,
      );
      expect(answer.status).toBe(400);
      expect(answer.body.error.message.length).toBeLessThan(1000);
    });

    it("a page of more than 16 MiB is 400 naming the limit; a smaller one is read", async () => {
      const client = await newClient(api);
      for (let sent = 0; sent < 2; sent += 1) {
        const trace = { type: "log", namespace: "n", message: "x".repeat(9_000_000) };
        expect((await client.post("/v1/traces/batch", { traces: [trace] })).status).toBe(200);
      }
      const large = await client.post("/v1/logs/query", { namespace: "n" });
      expect([large.status, large.body.error.code]).toEqual([400, "invalid_payload"]);
      expect(large.body.error.message).toContain("limit");
      const small = await client.post("/v1/logs/query", { namespace: "n", limit: 1 });
      expect([small.status, small.body.count, small.body.logs[0].message.length]).toEqual([
        200, 2, 9_000_000,
      ]);
    });

    it("malformed JSON is 400 bad_request", async () => {
      const client = await newClient(api);
      for (const body of ["{", "", "{'a':1}", "\u0000"]) {
        const answer = await client.post("/v1/sessions/create", body);
        expect([body, answer.status, answer.body.error.code]).toEqual([body, 400, "bad_request"]);
      }
    });

    it("a wrong media type is 415 invalid_payload", async () => {
      const client = await newClient(api);
      for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
        const answer = await client.post("/v1/sessions/create", { namespace: "n" }, { "Content-Type": type });
        expect([type, answer.status, answer.body.error.code]).toEqual([type, 415, "invalid_payload"]);
      }
    });

    it("a body over 1 MiB is 413 for a single trace and fits a batch; over 10 MiB is 413 there too", async () => {
      const client = await newClient(api);
      const trace = (bytes: number) => ({ type: "llm", session_id: "s", input: { text: "x".repeat(bytes) } });
      const single = await client.post("/v1/traces/llm", trace(1_100_000));
      expect([single.status, single.body.error.code]).toEqual([413, "invalid_payload"]);
      const batch = await client.post("/v1/traces/batch", { traces: [trace(1_100_000), trace(1_100_000)] });
      expect([batch.status, batch.body.succeeded]).toEqual([200, 2]);
      const large = await client.post("/v1/traces/batch", { traces: [trace(10_600_000)] });
      expect([large.status, large.body.error.code]).toEqual([413, "invalid_payload"]);
    });

    it("a streamed body without a length is held to the limit too", async () => {
      const client = await newClient(api);
      const chunk = new TextEncoder().encode(" ".repeat(300_000));
      const body = new ReadableStream({
        start(controller) {
          for (let sent = 0; sent < 5; sent += 1) controller.enqueue(chunk);
          controller.close();
        },
      });
      const answer = await client.request("/v1/sessions/create", {
        method: "POST",
        headers: { Authorization: `Bearer ${client.token}`, "Content-Type": "application/json" },
        body,
        duplex: "half",
      } as RequestInit);
      expect([answer.status, answer.body.error.code]).toEqual([413, "invalid_payload"]);
    });

    it("unknown extra fields are ignored, and null means absent", async () => {
      const client = await newClient(api);
      const answer = await client.post("/v1/sessions/create", {
        namespace: "n",
        user_id: null,
        metadata: null,
        inactivity_timeout: null,
        colour: "blue",
      });
      expect(answer.status).toBe(200);
      expect(answer.body.inactivity_timeout).toBe(120);
      expect(answer.body.metadata).toEqual({});
      expect(answer.body).not.toHaveProperty("colour");
    });

    it("an empty optional name is none: the trace is not lost over it", async () => {
      const client = await newClient(api);
      const sent = await client.post("/v1/traces/llm", { session_id: "s", agent: "", namespace: "" });
      expect(sent.status).toBe(200);
      const { body } = await client.post("/v1/record_query", { namespace: "default", query: { agent: "" } });
      expect(body.records).toMatchObject([{ agent: "default", session_id: "s" }]);
    });
  });
}
