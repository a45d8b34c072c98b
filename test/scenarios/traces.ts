import { describe, expect, it } from "vitest";
import { type Api, newClient } from "../support/tenant.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const MESSAGES = [
  { role: "system", content: "Be kind." },
  { role: "user", content: "Olá, tudo bem? 👋" },
];

const USAGE = {
  prompt_tokens: 8,
  completion_tokens: 10,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 3 },
};

export function traces(api: Api): void {
  describe("traces/llm", () => {
    it("answers {success, trace_type: llm_call, tokens} and is read back as a ConversationRecord", async () => {
      const client = await newClient(api);
      const { body: session } = await client.post("/v1/sessions/create", { namespace: "chat", user_id: "u" });
      const trace = {
        session_id: session.session_id,
        agent: "greeter",
        model: "gpt-4",
        provider: "openai",
        input: { messages: MESSAGES, temperature: 0.2 },
        output: { content: "Tudo ótimo!", usage: USAGE },
        latency_ms: 450,
        metadata: { run: { id: 7, tags: [null, "a"] } },
        timestamp: "2025-10-29T15:30:03.848Z",
        external_user_id: "5521999998888",
        external_user_name: "João Silva",
        external_user_channel: "whatsapp",
      };
      const sent = await client.post("/v1/traces/llm", trace);
      expect(sent.status).toBe(200);
      expect(sent.body).toEqual({
        success: true,
        trace_type: "llm_call",
        tokens: { input: 8, output: 10 },
        id: expect.stringMatching(UUID),
      });

      const { body } = await client.post("/v1/record_query", { namespace: "chat", query: {} });
      expect(body.count).toBe(1);
      const { timestamp, ...kept } = trace;
      expect(body.records[0]).toEqual({
        ...kept,
        id: sent.body.id,
        trace_id: expect.stringMatching(/^agt_trace_\w{16}$/),
        namespace: "chat",
        inserted_at: timestamp,
        started_at: "2025-10-29T15:30:03.398Z",
        input_tokens: 8,
        output_tokens: 10,
        total_tokens: 18,
        cached_input_tokens: 4,
        reasoning_tokens: 3,
        trace_type: "llm_call",
        msg: [...MESSAGES, { role: "assistant", sender: "greeter", content: "Tudo ótimo!" }],
      });
    });

    it.each([
      [
        { prompt_tokens: 3, completion_tokens: 4 },
        { input: 3, output: 4 },
      ],
      [
        { input_tokens: 3, output_tokens: 4 },
        { input: 3, output: 4 },
      ],
      [
        { promptTokens: 3, completionTokens: 4 },
        { input: 3, output: 4 },
      ],
      [
        { inputTokens: 3, outputTokens: 4 },
        { input: 3, output: 4 },
      ],
      [{ input_tokens: 3 }, { input: 3, output: 0 }],
      [
        { prompt_tokens: "many", completion_tokens: -1 },
        { input: 0, output: 0 },
      ],
      [null, { input: 0, output: 0 }],
      [undefined, { input: 0, output: 0 }],
    ])("counts tokens from output.usage %j; absent means 0", async (usage, tokens) => {
      const client = await newClient(api);
      const { status, body } = await client.post("/v1/traces/llm", { session_id: "s", output: { usage } });
      expect([status, body.tokens]).toEqual([200, tokens]);
    });

    it("accepts an unknown session_id and creates the session, in the namespace given or else in default", async () => {
      const client = await newClient(api);
      expect((await client.post("/v1/traces/llm", { session_id: "offline-1" })).status).toBe(200);
      expect(
        (await client.post("/v1/traces/llm", { session_id: "offline-2", namespace: "bots" })).status,
      ).toBe(200);
      expect((await client.post("/v1/traces/llm", { session_id: "offline-2" })).status).toBe(200);

      const inDefault = await client.post("/v1/record_query", { namespace: "default", query: {} });
      expect(inDefault.body.records.map((record: { session_id: string }) => record.session_id)).toEqual([
        "offline-1",
      ]);
      const inBots = await client.post("/v1/record_query", { namespace: "bots", query: {} });
      expect(inBots.body.count).toBe(2);
      expect(inBots.body.records[0].agent).toBe("bots");
    });

    it("a session_id in a namespace that the token may not use is 403, and nothing is stored", async () => {
      const client = await newClient(api, { namespaces: ["mine"] });
      const answer = await client.post("/v1/traces/llm", { session_id: "s", namespace: "theirs" });
      expect([answer.status, answer.body.error.code]).toEqual([403, "forbidden"]);
      expect((await client.post("/v1/traces/llm", { session_id: "s", namespace: "mine" })).status).toBe(200);
      const { body } = await client.post("/v1/record_query", { namespace: "mine", query: {} });
      expect(body.count).toBe(1);
    });

    it.each(["emulator", "unknown"])(
      "the channel %s is stored as other, with what was sent in metadata",
      async (channel) => {
        const client = await newClient(api);
        await client.post("/v1/traces/llm", {
          session_id: "s",
          external_user_channel: channel,
          metadata: { a: 1 },
        });
        const { body } = await client.post("/v1/record_query", { namespace: "default", query: {} });
        expect(body.records[0].external_user_channel).toBe("other");
        expect(body.records[0].metadata).toEqual({ a: 1, external_user_channel: channel });
      },
    );

    it.each([
      ["2025-10-29T15:30:03.848108", "2025-10-29T15:30:03.848108Z"],
      ["2025-10-29 15:30:03", "2025-10-29T15:30:03.000Z"],
      ["2025-10-29", "2025-10-29T00:00:00.000Z"],
      ["2025-10-29T15:30:03+03:00", "2025-10-29T12:30:03.000Z"],
    ])("the timestamp %s is kept as %s", async (timestamp, kept) => {
      const client = await newClient(api);
      expect((await client.post("/v1/traces/llm", { session_id: "s", timestamp })).status).toBe(200);
      const { body } = await client.post("/v1/record_query", { namespace: "default", query: {} });
      expect(body.records[0].inserted_at).toBe(kept);
    });
  });

  describe("traces/tool", () => {
    it.each([
      ["an object", { temperature: 25 }, { temperature: 25 }],
      ["a text", "sunny", "sunny"],
      ["a number", 0, "0"],
      ["a truth value", false, "false"],
      ["a list of objects", [{ a: 1 }], [{ a: 1 }]],
      [
        "a mixed list",
        [1, "b"],
        [
          { type: "text", text: "1" },
          { type: "text", text: "b" },
        ],
      ],
    ])("result may be %s", async (_, result, content) => {
      const client = await newClient(api);
      const sent = await client.post("/v1/traces/tool", {
        session_id: "s",
        tool_name: "get_weather",
        arguments: { city: "São Paulo" },
        result,
        latency_ms: 120,
        agent: "weather-assistant",
      });
      expect(sent.status).toBe(200);
      expect(sent.body).toEqual({
        success: true,
        trace_type: "tool_call",
        tool_name: "get_weather",
        id: expect.stringMatching(UUID),
      });

      const { body } = await client.post("/v1/record_query", { namespace: "default", query: {} });
      const call = { type: "function", function: { name: "get_weather", arguments: { city: "São Paulo" } } };
      expect(body.records[0]).toMatchObject({
        agent: "weather-assistant",
        trace_type: "tool_call",
        latency_ms: 120,
        arguments: { city: "São Paulo" },
        msg: [{ role: "tool", tool_name: "get_weather", content, tool_calls: [call] }],
      });
      expect(body.records[0].result).toEqual(result);
    });
  });

  describe("traces/handoff", () => {
    it("answers {success, trace_type: handoff, from, to} and is read back as a transfer", async () => {
      const client = await newClient(api);
      const sent = await client.post("/v1/traces/handoff", {
        session_id: "s",
        from_agent: "triage-agent",
        to_agent: "sales-agent",
        reason: "Customer wants to purchase",
      });
      expect(sent.status).toBe(200);
      expect(sent.body).toEqual({
        success: true,
        trace_type: "handoff",
        from: "triage-agent",
        to: "sales-agent",
        id: expect.stringMatching(UUID),
      });

      const { body } = await client.post("/v1/record_query", { namespace: "default", query: {} });
      const [record] = body.records;
      expect(record.agent).toBe("triage-agent");
      expect(record.msg).toMatchObject([
        { role: "system", content: expect.stringContaining("Customer wants to purchase") },
      ]);
      expect(record.transfers).toEqual([
        {
          from: "triage-agent",
          to: "sales-agent",
          reason: "Customer wants to purchase",
          timestamp: record.inserted_at,
        },
      ]);
    });
  });

  describe("every trace endpoint", () => {
    it.each([
      ["/v1/traces/llm", {}],
      ["/v1/traces/tool", { tool_name: "t" }],
      ["/v1/traces/handoff", { from_agent: "x", to_agent: "y" }],
      ["/v1/traces/log", { message: "m" }],
    ])("%s takes agent, namespace, timestamp and metadata", async (path, trace) => {
      const client = await newClient(api);
      const common = { agent: "scribe", metadata: { run: 7 }, timestamp: "2025-10-29T15:30:03.848Z" };
      expect((await client.post(path, { ...trace, ...common, session_id: "s", namespace: "n" })).status).toBe(
        200,
      );
      const records = await client.post("/v1/record_query", { namespace: "n", query: {} });
      const logs = await client.post("/v1/logs/query", { namespace: "n" });
      const [read] = [...records.body.records, ...logs.body.logs];
      expect(read).toMatchObject({ agent: "scribe", namespace: "n", session_id: "s" });
      expect(read.metadata ?? read.custom_object).toEqual({ run: 7 });
      expect(read.inserted_at ?? read.timestamp).toBe(common.timestamp);
    });

    it.each([
      ["/v1/traces/llm", {}],
      ["/v1/traces/tool", { tool_name: "t" }],
      ["/v1/traces/handoff", { from_agent: "x", to_agent: "y" }],
    ])("%s keeps who the user is", async (path, trace) => {
      const client = await newClient(api);
      const user = {
        external_user_id: "5521",
        external_user_name: "João Silva",
        external_user_channel: "web",
      };
      expect((await client.post(path, { ...trace, ...user, session_id: "s" })).status).toBe(200);
      const { body } = await client.post("/v1/record_query", { namespace: "default", query: {} });
      expect(body.records).toMatchObject([user]);
    });
  });

  describe("how a step went, and when it began", () => {
    const KINDS: [string, object][] = [
      ["llm", {}],
      ["tool", { tool_name: "t" }],
      ["handoff", { from_agent: "x", to_agent: "y" }],
      ["log", { message: "m" }],
    ];

    /** Sends a step alone and in a batch; gives both as they are read back. */
    async function sentTwice(type: string, step: object): Promise<Record<string, unknown>[]> {
      const client = await newClient(api);
      const sent = { session_id: "s", namespace: "n", ...step };
      const one = await client.post(`/v1/traces/${type}`, sent);
      const many = await client.post("/v1/traces/batch", { traces: [{ type, ...sent }] });
      expect([one.status, many.body.succeeded]).toEqual([200, 1]);
      const { records } = (await client.post("/v1/record_query", { namespace: "n", query: {} })).body;
      const { logs } = (await client.post("/v1/logs/query", { namespace: "n" })).body;
      expect([...records, ...logs]).toHaveLength(2);
      return [...records, ...logs];
    }

    it.each(KINDS)("%s: as told, alone and in a batch", async (type, step) => {
      const told = {
        status: "error",
        error: { type: "Timeout", message: "too slow" },
        started_at: "2025-10-29T15:00:00.000Z",
      };
      for (const read of await sentTwice(type, { ...step, ...told, timestamp: "2025-10-29T15:30:00Z" }))
        expect(read).toMatchObject(told);
    });

    it.each(KINDS)("%s: an error makes it one, and may be a text", async (type, step) => {
      for (const read of await sentTwice(type, { ...step, status: "", error: "too slow" }))
        expect(read).toMatchObject({ status: "error", error: { message: "too slow" } });
    });

    it.each(KINDS)("%s: not told is absent, null and empty too", async (type, step) => {
      for (const read of await sentTwice(type, { ...step, status: null, error: "", started_at: null })) {
        expect(read).not.toHaveProperty("status");
        expect(read).not.toHaveProperty("error");
      }
    });

    it("a tool's result with is_error: true is an error", async () => {
      for (const read of await sentTwice("tool", { tool_name: "t", result: { is_error: true, text: null } }))
        expect(read).toMatchObject({ status: "error", result: { is_error: true, text: null } });
    });

    it("a start that is not told is the end less latency_ms, to the microsecond", async () => {
      const ended = { timestamp: "2025-10-29T15:30:03.848108Z", latency_ms: 1_500 };
      for (const read of await sentTwice("llm", ended))
        expect(read).toMatchObject({
          started_at: "2025-10-29T15:30:02.348108Z",
          inserted_at: ended.timestamp,
        });
      for (const { started_at, inserted_at } of await sentTwice("llm", { latency_ms: 1_500 }))
        expect(Date.parse(String(inserted_at)) - Date.parse(String(started_at))).toBe(1_500);
      for (const read of await sentTwice("llm", { timestamp: "2025-10-29", latency_ms: 1e15 }))
        expect(read.started_at).toBe("0001-01-01T00:00:00.000Z");
    });

    it.each([
      [{ status: "fine" }, "status"],
      [{ started_at: "soon" }, "started_at"],
      [{ error: 5 }, "error"],
      [{ error: { type: "Timeout" } }, "error"],
    ])("%j is 400 naming it", async (wrong, named) => {
      const client = await newClient(api);
      const answer = await client.post("/v1/traces/llm", { session_id: "s", ...wrong });
      expect([answer.status, answer.body.error.code]).toEqual([400, "invalid_payload"]);
      expect(answer.body.error.message).toMatch(new RegExp(`^${named}:`));
    });
  });

  describe("traces/log", () => {
    it("answers {success, trace_type: log} and is read back through logs/query", async () => {
      const client = await newClient(api);
      const sent = await client.post("/v1/traces/log", {
        session_id: "s",
        namespace: "ops",
        level: "warn",
        message: "User completed onboarding flow",
        resource_id: "flow-1",
        metadata: { step: 5, duration_ms: 3200 },
        timestamp: "2025-12-10T12:34:56.789Z",
      });
      expect(sent.status).toBe(200);
      expect(sent.body).toEqual({ success: true, trace_type: "log", id: expect.stringMatching(UUID) });

      const { body } = await client.post("/v1/logs/query", { namespace: "ops" });
      expect(body).toEqual({
        count: 1,
        logs: [
          {
            id: sent.body.id,
            trace_id: expect.stringMatching(/^agt_trace_/),
            namespace: "ops",
            session_id: "s",
            level: "warn",
            message: "User completed onboarding flow",
            resource_id: "flow-1",
            custom_object: { step: 5, duration_ms: 3200 },
            timestamp: "2025-12-10T12:34:56.789Z",
            started_at: "2025-12-10T12:34:56.789Z",
          },
        ],
      });
    });

    it("keeps a custom_object, and metadata beside it", async () => {
      const client = await newClient(api);
      const objects = { custom_object: { attempt: 2 }, metadata: { run: null } };
      for (const sent of [objects, { metadata: objects.metadata }])
        await client.post("/v1/traces/log", { namespace: "n", message: "m", ...sent });
      const { logs } = (await client.post("/v1/logs/query", { namespace: "n" })).body;
      expect(logs).toMatchObject([{ custom_object: { run: null } }, objects]);
      expect(logs[0]).not.toHaveProperty("metadata");
    });

    it("needs no session when there is a namespace; the level defaults to info", async () => {
      const client = await newClient(api);
      expect((await client.post("/v1/traces/log", { namespace: "test", message: "" })).status).toBe(200);
      const { body } = await client.post("/v1/logs/query", { namespace: "test" });
      expect(body.logs).toMatchObject([{ level: "info", message: "" }]);
    });
  });
}
