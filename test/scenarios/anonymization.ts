import { describe, expect, it } from "vitest";
import { type Api, type Client, forceRules, newClient, requireRegistration } from "../support/tenant.ts";

const PATH = "/v1/anonymization-rules";
const NONE = { toggles: {}, custom: [] };
const RULES = {
  toggles: { cpf: true, email: true, phone: false },
  custom: [{ name: "customer", pattern: "MK-(\\d+)", replacement: "[CUSTOMER $1]" }],
};
const SAID = "CPF 529.982.247-25, joao@exemplo.com.br, MK-42";
const REDACTED = "CPF [CPF], [EMAIL], [CUSTOMER 42]";

async function withRules(api: Api): Promise<Client> {
  const client = await newClient(api);
  expect((await client.put(PATH, { rules: RULES })).status).toBe(200);
  return client;
}

async function records(client: Client, namespace = "n"): Promise<Record<string, unknown>[]> {
  return (await client.post("/v1/record_query", { namespace, query: {} })).body.records;
}

async function logs(client: Client): Promise<Record<string, unknown>[]> {
  return (await client.post("/v1/logs/query", { namespace: "n" })).body.logs;
}

const record = { namespace: "n", agent: "a", msg: { role: "user", content: SAID } };

export function anonymization(api: Api): void {
  describe("GET and PUT /anonymization-rules", () => {
    it("are version 0 and empty at first; each PUT raises the version and replaces all", async () => {
      const client = await newClient(api);
      const first = await client.get(PATH);
      expect([first.status, first.body]).toEqual([200, { version: 0, rules: NONE }]);
      const put = await client.put(PATH, { rules: RULES });
      expect([put.status, put.body]).toEqual([200, { version: 1, rules: RULES }]);
      expect((await client.get(PATH)).body).toEqual({ version: 1, rules: RULES });
      const again = await client.put(PATH, { rules: { toggles: { rg: true } } });
      expect(again.body).toEqual({ version: 2, rules: { toggles: { rg: true }, custom: [] } });
      expect((await client.get(PATH)).body).toEqual(again.body);
    });

    it("the body may be the rules themselves; null means absent", async () => {
      const client = await newClient(api);
      expect((await client.put(PATH, RULES)).body).toEqual({ version: 1, rules: RULES });
      const nulls = { rules: { toggles: { cpf: true, rg: null }, custom: null }, expected_version: null };
      expect((await client.put(PATH, nulls)).body).toEqual({
        version: 2,
        rules: { toggles: { cpf: true }, custom: [] },
      });
    });

    it("a stale expected_version is 409 and changes nothing; of ten that expect the same one, one is taken", async () => {
      const client = await newClient(api);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => client.put(PATH, { rules: RULES, expected_version: 0 })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)]);
      const stale = answers.find(({ status }) => status === 409);
      expect([stale?.body.error.code, stale?.body.version]).toEqual(["bad_request", 1]);
      expect((await client.put(PATH, { ...RULES, expected_version: 0 })).status).toBe(409);
      const put = await client.put(PATH, { rules: NONE, expected_version: 1 });
      expect([put.status, put.body.version]).toEqual([200, 2]);
    });

    it.each([
      ["no rules", {}, "missing_field", ["rules"]],
      ["rules that are a list", { rules: [] }, "invalid_payload", ["rules"]],
      [
        "an unknown class",
        { rules: { toggles: { ssn: true } } },
        "invalid_payload",
        ["rules", "toggles", "ssn"],
      ],
      ["a toggle that is no boolean", { toggles: { cpf: "yes" } }, "invalid_payload", ["toggles", "cpf"]],
      [
        "no pattern",
        { custom: [{ name: "a", replacement: "b" }] },
        "missing_field",
        ["custom", 0, "pattern"],
      ],
      [
        "a negative expected_version",
        { rules: NONE, expected_version: -1 },
        "invalid_payload",
        ["expected_version"],
      ],
      ...[
        "(",
        "[a",
        "*",
        "(?=a)",
        "(?<!a)b",
        "(a)\\1",
        "\\Z",
        "a{1001}",
        "(a{30}){30}",
        ".{1000}.{1000}",
        "(?P<n",
        "\\p{Nope}",
      ].map((pattern): [string, object, string, unknown[]] => [
        `the pattern ${pattern}`,
        { rules: { custom: [RULES.custom[0], { name: "a", pattern, replacement: "b" }] } },
        "invalid_payload",
        ["rules", "custom", 1, "pattern"],
      ]),
      ...["$2", "$0", "a$", "$<n>", "\\1"].map((replacement): [string, object, string, unknown[]] => [
        `the replacement ${replacement}`,
        { custom: [{ name: "a", pattern: "(a)", replacement }] },
        "invalid_payload",
        ["custom", 0, "replacement"],
      ]),
      [
        "patterns that are too much together",
        { custom: Array.from({ length: 3 }, () => ({ name: "a", pattern: "a{400}", replacement: "b" })) },
        "invalid_payload",
        ["custom"],
      ],
      [
        "more than 50 custom rules",
        { custom: Array.from({ length: 51 }, () => ({ name: "a", pattern: "a", replacement: "b" })) },
        "invalid_payload",
        ["custom"],
      ],
      [
        "a version beyond all versions",
        { rules: NONE, expected_version: 3e9 },
        "invalid_payload",
        ["expected_version"],
      ],
      ["a misspelt member", { rules: { toggle: { cpf: true } } }, "invalid_payload", ["rules"]],
    ])("%s is 400 with issues of path and message, and changes nothing", async (_, body, code, path) => {
      const client = await newClient(api);
      const answer = await client.put(PATH, body);
      expect([answer.status, answer.body.error.code]).toEqual([400, code]);
      expect(answer.body.issues).toEqual([{ path, message: expect.any(String) }]);
      expect((await client.get(PATH)).body.version).toBe(0);
    });

    it("are the tenant's own; a token bound to namespaces reads them, and may not change them: 403", async () => {
      const client = await withRules(api);
      expect((await (await newClient(api)).get(PATH)).body.version).toBe(0);
      const bound = await newClient(api, { tenant: client.tenant, namespaces: ["n"] });
      expect((await bound.get(PATH)).body).toEqual({ version: 1, rules: RULES });
      const answer = await bound.put(PATH, { rules: NONE });
      expect([answer.status, answer.body.error.code]).toEqual([403, "forbidden"]);
      await requireRegistration(client.tenant);
      expect((await client.put(PATH, { rules: NONE })).status).toBe(200);
    });
  });

  describe("anonymization before anything is stored", () => {
    it("off by default: what was said is stored as it was sent", async () => {
      const client = await newClient(api);
      await client.post("/v1/records/upload", { records: [record] });
      expect(await records(client)).toMatchObject([{ msg: record.msg }]);
      expect((await records(client))[0]).not.toHaveProperty("anonymization_version");
    });

    it("records: the content of messages, tool calls, attachments and reasons; users, names and ids are kept", async () => {
      const client = await withRules(api);
      const call = { id: "c1", type: "function", function: { name: "find", arguments: `{"to": "${SAID}"}` } };
      const sent = {
        ...record,
        session_id: "joao@exemplo.com.br",
        user_id: "joao@exemplo.com.br",
        msg: [
          record.msg,
          { role: "assistant", content: null, tool_calls: [call] },
          { role: "tool", content: [{ type: "text", text: SAID }], tool_call_id: "c1" },
        ],
        transfers: [
          { from: "MK-1", to: "b", reason: SAID, summary: SAID, timestamp: "2025-06-01T12:00:00Z" },
        ],
      };
      expect((await client.post("/v1/records/upload", { records: [sent] })).body.inserted_count).toBe(1);
      const redactedCall = { ...call, function: { name: "find", arguments: `{"to": "${REDACTED}"}` } };
      expect(await records(client)).toEqual([
        {
          ...sent,
          id: expect.any(String),
          trace_id: expect.any(String),
          inserted_at: expect.any(String),
          started_at: expect.any(String),
          msg: [
            { role: "user", content: REDACTED },
            { role: "assistant", content: null, tool_calls: [redactedCall] },
            { role: "tool", content: [{ type: "text", text: REDACTED }], tool_call_id: "c1" },
          ],
          transfers: [
            {
              from: "MK-1",
              to: "b",
              reason: REDACTED,
              summary: REDACTED,
              timestamp: "2025-06-01T12:00:00Z",
            },
          ],
          anonymization_version: 1,
        },
      ]);
    });

    it("traces of every kind, single and in a batch: inputs, outputs, arguments, results, reasons, metadata", async () => {
      const client = await withRules(api);
      const common = {
        session_id: "s",
        namespace: "n",
        metadata: { note: SAID },
        external_user_id: "joao@exemplo.com.br",
      };
      const traces = [
        { type: "llm", ...common, input: { messages: [record.msg] }, output: { content: SAID } },
        { type: "tool", ...common, tool_name: "find", arguments: { who: [SAID] }, result: SAID },
        { type: "handoff", ...common, from_agent: "a", to_agent: "b", reason: SAID },
        { type: "log", ...common, message: SAID },
      ];
      for (const { type, ...trace } of traces)
        expect((await client.post(`/v1/traces/${type}`, trace)).status).toBe(200);
      expect((await client.post("/v1/traces/batch", { traces })).body.succeeded).toBe(4);

      const said = JSON.stringify([await records(client), await logs(client)]);
      expect(said).not.toMatch(/529\.982|MK-42|"note":"CPF 5/);
      expect(said.split(REDACTED).length - 1).toBe(2 * (5 + 5 + 3 + 2));
      expect(said.split("joao@exemplo.com.br").length - 1).toBe(6);
    });

    it("errors, of every kind of step: their type and their message", async () => {
      const client = await withRules(api);
      const error = { type: "MK-42", message: `{"said": "${SAID}"}` };
      const step = { namespace: "n", session_id: "s", error };
      const traces = [
        { type: "llm", ...step },
        { type: "tool", ...step, tool_name: "t" },
        { type: "handoff", ...step, from_agent: "a", to_agent: "b" },
        { type: "log", ...step, message: "m" },
      ];
      expect((await client.post("/v1/traces/batch", { traces })).body.succeeded).toBe(4);
      await client.post("/v1/records/upload", { records: [{ ...record, error }] });
      await client.post("/v1/logs/upload", { logs: [{ ...step, level: "info", message: "m" }] });
      const read = [...(await records(client)), ...(await logs(client))];
      const redacted = { type: "[CUSTOMER 42]", message: `{"said": "${REDACTED}"}` };
      expect(read.map((row) => row.error)).toEqual(Array(6).fill(redacted));
    });

    it("logs: messages and custom objects", async () => {
      const client = await withRules(api);
      const entry = {
        namespace: "n",
        level: "info",
        message: SAID,
        custom_object: { deep: [{ said: SAID }] },
      };
      expect((await client.post("/v1/logs/upload", { logs: [entry] })).body.inserted_count).toBe(1);
      expect(await logs(client)).toMatchObject([
        { message: REDACTED, custom_object: { deep: [{ said: REDACTED }] }, anonymization_version: 1 },
      ]);
    });

    it.each([
      ["absent", undefined, REDACTED, 2],
      ["older", 1, REDACTED, 2],
      ["the current one", 2, SAID, 2],
      ["one that never was", 7, REDACTED, 2],
    ])("anonymization_version %s", async (_, anonymization_version, content, stored) => {
      const client = await withRules(api);
      await client.put(PATH, { rules: RULES });
      await client.post("/v1/records/upload", { records: [{ ...record, anonymization_version }] });
      expect(await records(client)).toMatchObject([{ msg: { content }, anonymization_version: stored }]);
    });

    it("without rules, a client's anonymization_version is kept", async () => {
      const client = await newClient(api);
      await client.post("/v1/records/upload", { records: [{ ...record, anonymization_version: 4 }] });
      expect(await records(client)).toMatchObject([{ msg: record.msg, anonymization_version: 4 }]);
    });

    it("the current rules at once, for every token of the tenant, and when they are taken back", async () => {
      const client = await newClient(api);
      const other = await newClient(api, { tenant: client.tenant });
      const send = async (who: Client, said: string) =>
        expect((await who.post("/v1/traces/log", { namespace: "n", message: said })).status).toBe(200);
      await send(other, "a@b.co 1");
      await client.put(PATH, { rules: RULES });
      await send(other, "a@b.co 2");
      await send(client, "a@b.co 3");
      await other.put(PATH, { rules: { toggles: {} } });
      await send(client, "a@b.co 4");
      expect((await logs(client)).map(({ message }) => message)).toEqual([
        "a@b.co 4",
        "[EMAIL] 3",
        "[EMAIL] 2",
        "a@b.co 1",
      ]);
    });

    it("two records that are one after redaction are two: a different message is never dropped", async () => {
      const client = await withRules(api);
      const records = ["a@b.co", "c@d.co"].map((content) => ({ ...record, msg: { role: "user", content } }));
      for (const [inserted_count, dropped_count] of [
        [2, 0],
        [0, 2],
      ]) {
        const { body } = await client.post("/v1/records/upload", { records });
        expect(body).toMatchObject({ inserted_count, dropped_count });
      }
    });

    it("an Idempotency-Key replays across a change of rules, and nothing is stored twice", async () => {
      const client = await newClient(api);
      const trace = { session_id: "s", namespace: "n", input: { prompt: "a@b.co" } };
      const send = () => client.post("/v1/traces/llm", trace, { "Idempotency-Key": "k" });
      expect((await send()).headers.get("idempotency-replay")).toBeNull();
      const other = await newClient(api, { tenant: client.tenant });
      await other.put(PATH, { rules: RULES });
      expect((await send()).headers.get("idempotency-replay")).toBe("true");
      expect(await records(client)).toHaveLength(1);
    });

    it("counts as one request, whether the rules were known or not", async () => {
      const client = await newClient(api);
      const other = await newClient(api, { tenant: client.tenant });
      await other.put(PATH, { rules: RULES });
      for (const remaining of ["599", "598"]) {
        const { headers } = await client.post("/v1/traces/log", { namespace: "n", message: "m" });
        expect(headers.get("x-ratelimit-remaining")).toBe(remaining);
      }
    });

    it("nor is anything stored that its rules make too large", async () => {
      const client = await newClient(api);
      const custom = [{ name: "a", pattern: "a", replacement: "-".repeat(100) }];
      expect((await client.put(PATH, { custom })).status).toBe(200);
      const answer = await client.post("/v1/traces/log", { namespace: "n", message: "a".repeat(200_000) });
      expect([answer.status, answer.body.error?.code]).toEqual([500, "anonymization_error"]);
      expect(await logs(client)).toEqual([]);
    });

    it("if redaction fails, the request fails with anonymization_error and nothing is stored", async () => {
      const client = await newClient(api);
      await forceRules(client.tenant, {
        toggles: {},
        custom: [{ name: "a", pattern: "(", replacement: "" }],
      });
      const sent = [
        await client.post("/v1/records/upload", { records: [record] }),
        await client.post("/v1/logs/upload", { logs: [{ namespace: "n", level: "info", message: "m" }] }),
        await client.post("/v1/traces/llm", { session_id: "s", namespace: "n" }),
        await client.post("/v1/traces/batch", { traces: [{ type: "llm", session_id: "s", namespace: "n" }] }),
      ];
      expect(sent.map(({ status, body }) => [status, body.error.code])).toEqual(
        sent.map(() => [500, "anonymization_error"]),
      );
      expect([await records(client), await logs(client)]).toEqual([[], []]);
      expect((await client.get("/v1/namespaces")).body.namespaces).toEqual([]);
    });
  });
}
