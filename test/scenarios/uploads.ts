import { describe, expect, it } from "vitest";
import { type Api, Client, newClient, newToken } from "../support/tenant.ts";

const RECORD = { namespace: "n", agent: "bot", msg: { role: "user", content: "hi" } };

/** Every field of ConversationRecord. */
const WHOLE = {
  namespace: "n",
  agent: "support-bot",
  session_id: "session-abc",
  msg: [
    { role: "user", content: "Olá 👋 \u2028", sender: "João", tool_calls: null, refusal: null },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "c1", function: { name: "f", arguments: { deep: [null] } } }],
    },
    { role: "tool", content: [{ type: "text", text: "ok" }], tool_call_id: "c1", tool_name: "f" },
    {
      role: "tool",
      content: { any: { thing: [1, 2.5, true] } },
      is_internal_tool: true,
      internal_tool_type: "file_search_call",
    },
  ],
  input_tokens: 10,
  output_tokens: 5,
  process_tokens: 3,
  memory_tokens: 2,
  total_tokens: 99,
  cached_input_tokens: 4,
  reasoning_tokens: 1,
  transfers: [
    {
      from: "triage",
      to: "support-bot",
      reason: "refund",
      timestamp: "2025-10-29T15:30:00",
      ticket: { seat: null },
      note: null,
    },
  ],
  inserted_at: "2025-10-29T15:30:03.848108Z",
  user_id: "user123",
  user_whatsapp: "5521999998888",
  wam_id: "wamid.1",
  replied_whatsapp: "wamid.0",
  attachments: ["a.pdf", { url: "https://x.test/b.png", size: null }, 7, null],
  source: "openai-agents",
  model: "gpt-4",
  external_user_id: "5521999998888",
  external_user_name: "João Silva",
  external_user_channel: "whatsapp",
  status: "error",
  error: { type: "Timeout", message: "It took too long." },
  started_at: "2025-10-29T15:30:01.000Z",
};

export function uploads(api: Api): void {
  describe("records/upload", () => {
    it("all fields of ConversationRecord survive a round trip unchanged", async () => {
      const client = await newClient(api);
      const sent = await client.post("/v1/records/upload", { records: [WHOLE] });
      expect([sent.status, sent.body]).toEqual([
        200,
        {
          inserted_count: 1,
          total_inserted: 1,
          dropped_count: 0,
          duplicates_skipped: 0,
          details: { dropped: [] },
        },
      ]);
      const { body } = await client.post("/v1/record_query", { namespace: "n", query: {} });
      const read = { id: expect.any(String), trace_id: expect.any(String) };
      expect(body).toEqual({ records: [{ ...WHOLE, ...read }], count: 1 });
    });

    it.each([
      ["a message", { role: "user", content: "hi" }],
      ["a list of messages", [{ role: "user", content: "hi" }]],
      ["any object", { text: "hi", nested: { kept: null } }],
    ])("msg may be %s", async (_, msg) => {
      const client = await newClient(api);
      expect((await client.post("/v1/records/upload", { records: [{ ...RECORD, msg }] })).status).toBe(200);
      const { body } = await client.post("/v1/record_query", { namespace: "n", query: {} });
      expect(body.records[0].msg).toEqual(msg);
    });

    it("null means absent in the record, and comes back as it was sent in its messages; total_tokens is computed", async () => {
      const client = await newClient(api);
      const msg = { role: "assistant", content: null, sender: null, tool_calls: null, tool_name: null };
      const nulls = {
        session_id: null,
        transfers: null,
        inserted_at: null,
        user_id: null,
        total_tokens: null,
      };
      const record = { ...RECORD, ...nulls, msg, input_tokens: 10, output_tokens: 5, memory_tokens: 1 };
      expect((await client.post("/v1/records/upload", { records: [record] })).status).toBe(200);
      const { body } = await client.post("/v1/record_query", { namespace: "n", query: {} });
      expect(body.records).toEqual([
        {
          ...{
            namespace: "n",
            agent: "bot",
            input_tokens: 10,
            output_tokens: 5,
            memory_tokens: 1,
            total_tokens: 16,
          },
          id: expect.any(String),
          trace_id: expect.any(String),
          inserted_at: expect.any(String),
          started_at: body.records[0].inserted_at,
          msg,
        },
      ]);
    });

    it.each([
      ["no agent", { agent: undefined }, "missing_field", "records[1].agent"],
      ["no namespace", { namespace: null }, "missing_field", "records[1].namespace"],
      ["no msg", { msg: undefined }, "missing_field", "records[1].msg"],
      ["a msg that is text", { msg: "hi" }, "invalid_payload", "records[1].msg"],
      ["a list with a text", { msg: [{ role: "user" }, "hi"] }, "invalid_payload", "records[1].msg"],
      ["an unknown status", { status: "fine" }, "invalid_payload", "records[1].status"],
      ["negative tokens", { input_tokens: -1 }, "invalid_payload", "records[1].input_tokens"],
      ["a garbage date", { inserted_at: "soon" }, "invalid_payload", "records[1].inserted_at"],
      ["a transfer to nobody", { transfers: [{ from: "a" }] }, "missing_field", "records[1].transfers[0].to"],
    ])(
      "%s fails the request with 400 naming index and field, nothing inserted",
      async (_, wrong, code, named) => {
        const client = await newClient(api);
        const answer = await client.post("/v1/records/upload", {
          records: [RECORD, { ...RECORD, ...wrong }],
        });
        expect([answer.status, answer.body.error.code]).toEqual([400, code]);
        expect(answer.body.error.message).toContain(named);
        expect((await client.post("/v1/record_query", { namespace: "n", query: {} })).body.count).toBe(0);
      },
    );

    it("an object without a role in a list is a message of the user, and no reason to refuse an upload", async () => {
      const client = await newClient(api);
      const msg = [
        { role: "assistant", content: "hi", audio: null },
        { text: "Sample payload", kept: null },
      ];
      const sent = await client.post("/v1/records/upload", { records: [{ ...RECORD, msg }] });
      expect([sent.status, sent.body.inserted_count]).toEqual([200, 1]);
      const { body } = await client.post("/v1/record_query", { namespace: "n", query: {} });
      expect(body.records[0].msg).toEqual([msg[0], { role: "user", ...msg[1] }]);
    });

    it("nor is one that is no message: it is the content of one, whole", async () => {
      const client = await newClient(api);
      const alien = { role: "alien", sender: "x", content: 5 };
      const records = [{ ...RECORD, msg: [{ role: "user" }, alien, { role: "developer", content: "hi" }] }];
      expect((await client.post("/v1/records/upload", { records })).body.inserted_count).toBe(1);
      const { body } = await client.post("/v1/record_query", { namespace: "n", query: {} });
      expect(body.records[0].msg).toEqual([
        { role: "user" },
        { role: "user", content: alien },
        { role: "system", sender: "developer", content: "hi" },
      ]);
    });

    it("takes 1,000 records in one call, and no more", async () => {
      const client = await newClient(api);
      const records = Array.from({ length: 1001 }, (_, index) => ({
        ...RECORD,
        msg: { role: "user", content: `${index}` },
      }));
      const sent = await client.post("/v1/records/upload", { records: records.slice(0, 1000) });
      expect([sent.status, sent.body.inserted_count]).toEqual([200, 1000]);
      expect((await client.post("/v1/records/upload", { records })).status).toBe(400);
      expect((await client.post("/v1/records/upload", { records: [] })).status).toBe(400);
      expect((await client.post("/v1/record_query", { namespace: "n", query: {} })).body.count).toBe(1000);
    });

    it("a repetition within 60 s is dropped; when all were, duplicate is true", async () => {
      const client = await newClient(api);
      expect((await client.post("/v1/records/upload", { records: [RECORD] })).body.inserted_count).toBe(1);
      const again = await client.post("/v1/records/upload", { records: [RECORD] });
      expect([again.status, again.body]).toEqual([
        200,
        {
          inserted_count: 0,
          total_inserted: 0,
          dropped_count: 1,
          duplicates_skipped: 1,
          duplicate: true,
          details: { dropped: [{ index: 0, reason: "duplicate" }] },
        },
      ]);
      const partly = await client.post("/v1/records/upload", {
        records: [{ ...RECORD, agent: "other" }, RECORD, { ...RECORD, agent: "other" }],
      });
      expect(partly.body).toMatchObject({ inserted_count: 1, dropped_count: 2 });
      expect(partly.body).not.toHaveProperty("duplicate");
      expect((await client.post("/v1/record_query", { namespace: "n", query: {} })).body.count).toBe(2);
    });

    it("a different message, user, agent, session, namespace, inserted_at or tenant is never dropped", async () => {
      const client = await newClient(api);
      const records = [
        RECORD,
        { ...RECORD, msg: { role: "user", content: "hi " } },
        { ...RECORD, msg: [{ role: "user", content: "hi" }] },
        { ...RECORD, agent: "b" },
        { ...RECORD, session_id: "s" },
        { ...RECORD, namespace: "m" },
        { ...RECORD, inserted_at: "2025-10-29T15:30:03Z" },
        { ...RECORD, inserted_at: "2025-10-29T15:30:04Z" },
        { ...RECORD, wam_id: "w1" },
        { ...RECORD, wam_id: "w2" },
        { ...RECORD, user_id: "u" },
        { ...RECORD, user_whatsapp: "u" },
        { ...RECORD, external_user_id: "u" },
        { ...RECORD, external_user_channel: "u" },
        { ...RECORD, attachments: ["a.png"] },
      ];
      const sent = await client.post("/v1/records/upload", { records });
      expect(sent.body).toMatchObject({ inserted_count: 15, dropped_count: 0 });
      const stranger = await newClient(api);
      expect((await stranger.post("/v1/records/upload", { records })).body.inserted_count).toBe(15);
    });

    it("the same message with its members in another order is a repetition", async () => {
      const client = await newClient(api);
      const records = ['{"role":"user","content":"1"}', '{"content":"1","role":"user"}'].map(
        (msg) => `{"namespace":"n","agent":"a","msg":${msg}}`,
      );
      const { body } = await client.post("/v1/records/upload", `{"records":[${records}]}`);
      expect(body).toMatchObject({ inserted_count: 1, dropped_count: 1 });
    });

    it("ten uploads of one record at once store it once", async () => {
      const client = await newClient(api);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => client.post("/v1/records/upload", { records: [RECORD] })),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(answers.filter(({ body }) => body.inserted_count === 1)).toHaveLength(1);
      expect((await client.post("/v1/record_query", { namespace: "n", query: {} })).body.count).toBe(1);
    });

    it("a refused upload leaves nothing of its other records: no session, no namespace", async () => {
      const { token, tenant } = await newToken();
      const whole = new Client(api, token);
      await whole.post("/v1/traces/llm", { namespace: "theirs", session_id: "theirs" });
      const bound = await newClient(api, { tenant, namespaces: ["n", "new"] });
      const record = { agent: "a", msg: {} };
      const { status } = await bound.post("/v1/records/upload", {
        records: [
          { ...record, namespace: "new", session_id: "new" },
          { ...record, namespace: "n", session_id: "theirs" },
        ],
      });
      expect(status).toBe(403);
      const { namespaces } = (await whole.get("/v1/namespaces")).body;
      expect(namespaces.map(({ namespace }: { namespace: string }) => namespace)).toEqual(["theirs"]);
    });

    it("a namespace or session that the token may not use is 403 for the whole request, nothing inserted", async () => {
      const client = await newClient(api, { namespaces: ["n"] });
      for (const records of [[RECORD, { ...RECORD, namespace: "theirs" }]]) {
        const answer = await client.post("/v1/records/upload", { records });
        expect([answer.status, answer.body.error.code]).toEqual([403, "forbidden"]);
      }
      expect((await client.post("/v1/record_query", { namespace: "n", query: {} })).body.count).toBe(0);
    });
  });

  describe("logs/upload", () => {
    it("all fields of LogEntry survive a round trip unchanged", async () => {
      const client = await newClient(api);
      const log = {
        namespace: "n",
        level: "error",
        message: "disk full 💾",
        timestamp: "2025-12-10T12:34:56.789Z",
        resource_id: "db-1",
        custom_object: { nested: { kept: [null, 1.5] }, gone: null },
        metadata: { gone: null },
        status: "error",
        error: { message: "no space left" },
        started_at: "2025-12-10T12:34:50.000Z",
      };
      const sent = await client.post("/v1/logs/upload", {
        logs: [log, { namespace: "n", level: "info", message: "" }],
      });
      expect([sent.status, sent.body.inserted_count, sent.body.dropped_count]).toEqual([200, 2, 0]);
      const { body } = await client.post("/v1/logs/query", { namespace: "n", level: "error" });
      expect(body).toEqual({ logs: [{ ...log, id: expect.any(String) }], count: 1 });
    });

    it("the same entry twice is two entries", async () => {
      const client = await newClient(api);
      const logs = Array.from({ length: 2 }, () => ({ namespace: "test", level: "info", message: "ping" }));
      expect((await client.post("/v1/logs/upload", { logs })).body.inserted_count).toBe(2);
    });

    it.each([
      ["no level", { level: undefined }, "missing_field", "logs[1].level"],
      ["an unknown level", { level: "fatal" }, "invalid_payload", "logs[1].level"],
      ["no message", { message: null }, "missing_field", "logs[1].message"],
      ["a custom_object that is a list", { custom_object: [] }, "invalid_payload", "logs[1].custom_object"],
    ])(
      "%s fails the request with 400 naming index and field, nothing inserted",
      async (_, wrong, code, named) => {
        const client = await newClient(api);
        const log = { namespace: "n", level: "info", message: "m" };
        const answer = await client.post("/v1/logs/upload", { logs: [log, { ...log, ...wrong }] });
        expect([answer.status, answer.body.error.code]).toEqual([400, code]);
        expect(answer.body.error.message).toContain(named);
        expect((await client.post("/v1/logs/query", { namespace: "n" })).body.count).toBe(0);
      },
    );
  });
}
