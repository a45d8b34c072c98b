import { describe, expect, it } from "vitest";
import { type Answer, type Api, type Client, newClient } from "../support/tenant.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));

/** What JSON is not, and what nobody can store: for `POST /v1/traces/llm`. */
const REFUSED: [name: string, body: string | Buffer, code: string][] = [
  ["JSON that is cut off in a text", '{"session_id":"s","input":{"a":"b', "bad_request"],
  ["JSON that is cut off in an escape", '{"session_id":"s\\u00', "bad_request"],
  ["JSON with more behind it", '{"session_id":"s"}{}', "bad_request"],
  ["UTF-16", Buffer.from('{"session_id":"s"}', "utf16le"), "bad_request"],
  ["compressed bytes", bytes([0x1f, 0x8b, 0x08, 0x00]), "bad_request"],
  ["invalid UTF-8 outside of a text", bytes('{"session_id":"s"', [0xff], "}"), "bad_request"],
  ["NaN", '{"session_id":"s","latency_ms":NaN}', "bad_request"],
  ["100,000 lists in one another", nested(100_000), "invalid_payload"],
  ["the same in a free field", `{"session_id":"s","input":{"a":${nested(100_000)}}}`, "invalid_payload"],
  ["the same in an unknown field", `{"session_id":"s","unknown":${nested(100_000)}}`, "invalid_payload"],
  ["the same in a name", `{"session_id":${nested(100_000)}}`, "invalid_payload"],
  ["1e400 in a count", '{"session_id":"s","latency_ms":1e400}', "invalid_payload"],
  ["-1e400 in a free field", '{"session_id":"s","output":{"n":-1e400}}', "invalid_payload"],
  ["a count past 2^53", '{"session_id":"s","latency_ms":9007199254740993}', "invalid_payload"],
  ["a name whose length is no number", '{"session_id":{"length":{"toString":""}}}', "invalid_payload"],
  ["a name that is an object with methods", '{"session_id":{"toString":"a","valueOf":1}}', "invalid_payload"],
  ["a session id of 10,000 characters", `{"session_id":"${"s".repeat(10_000)}"}`, "invalid_payload"],
  ["\\u0000 in a name", '{"session_id":"s","agent":"a\\u0000"}', "invalid_payload"],
  ["a second session id that is none", '{"session_id":"s","session_id":5}', "invalid_payload"],
  ["a session id for all objects", '{"__proto__":{"session_id":"s"}}', "missing_field"],
];

/** What is good JSON all the same: what comes back of `input`. */
const ACCEPTED: [name: string, input: string | Buffer, read: string][] = [
  ["the last of members of one name", '{"a":1,"a":2}', '{"a":2}'],
  ["invalid UTF-8 in a text, with U+FFFD in its place", bytes('{"a":"x', [0xc3], '"}'), '{"a":"x\ufffd"}'],
  ["surrogates as bytes, likewise", bytes('{"a":"', [0xed, 0xa0, 0x80], '"}'), '{"a":"\ufffd\ufffd\ufffd"}'],
  [
    "halves of surrogate pairs in the wrong order, likewise",
    '{"a":"\\udc4b\\ud83d"}',
    '{"a":"\ufffd\ufffd"}',
  ],
  ["a pair of surrogates as escapes", '{"a":"\\ud83d\\udc4b"}', '{"a":"👋"}'],
  ["__proto__, constructor", '{"__proto__":{"a":1},"constructor":{"prototype":1}}', ""],
  ["a backslash and u0000", '{"a":"\\\\u0000"}', '{"a":"\\\\u0000"}'],
  ["numbers at the ends of a double", '{"a":[1.7976931348623157e+308,5e-324]}', ""],
  ["lists in one another, as many as can be", `{"a":${nested(98)}}`, ""],
];

/** What the REST layer, SQL, paths and headers have a meaning for. */
const SYNTAX = [
  "eq.a",
  "or=(agent.eq.a,agent.neq.a)",
  "*",
  "%",
  "_",
  "a;drop table tenants;--",
  "' or '1'='1",
  '"a","b"',
  "%00",
  "..%2f..%2fadmin",
  "a\r\nX-Injected: yes",
  "{a}[0]->>'b'",
  "\\",
  "$1 {{a}} ?a",
];

/** Escapes that are no text in UTF-8, or none that can be stored. */
const MALFORMED = ["%", "%FF", "%ED%A0%80", "%C0%AF", "%00", "a%00b", "%u0041"];

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

function expectRefusal({ status, body }: Answer, wantedStatus: number, code: string): void {
  const error = { code, message: expect.any(String), request_id: expect.any(String) };
  expect([status, body.error]).toEqual([wantedStatus, error]);
  expect(body.error.message.length).toBeLessThan(1_000);
}

async function storedIn(client: Client, namespace = "default"): Promise<number[]> {
  const records = await client.post("/v1/record_query", { namespace, query: {} });
  const logs = await client.post("/v1/logs/query", { namespace });
  return [records.body.count, logs.body.count];
}

export function hostile(api: Api): void {
  describe("hostile input", () => {
    const raw = (client: Client, body: string | Buffer, headers = {}) =>
      client.request("/v1/traces/llm", {
        method: "POST",
        headers: { tracer_token: client.token, "Content-Type": "application/json", ...headers },
        body: body as BodyInit,
      });

    it.each(REFUSED)("%s is a 400 in the envelope, and nothing is stored", async (_, body, code) => {
      const client = await newClient(api);
      expectRefusal(await raw(client, body), 400, code);
      expect(await storedIn(client)).toEqual([0, 0]);
    });

    it.each(ACCEPTED)("%s is stored, and read back", async (_, input, read) => {
      const client = await newClient(api);
      const sent = await raw(client, bytes('{"session_id":"s","input":', [...Buffer.from(input)], "}"));
      expect([sent.status, sent.body.success]).toEqual([200, true]);
      const response = await client.send("/v1/records/export", { namespace: "default" });
      expect(await response.text()).toContain(`"input":${read || input},`);
    });

    it("a member __proto__ of a message or a transfer of an upload is read back", async () => {
      const client = await newClient(api);
      const msg = '{"role":"user","content":"c","__proto__":{"a":1}}';
      const transfers = '[{"to":"b","from":"a","__proto__":{"a":1}}]';
      const record = `{"namespace":"default","agent":"a","msg":[${msg}],"transfers":${transfers}}`;
      const sent = await client.post("/v1/records/upload", `{"records":[${record}]}`);
      expect([sent.status, sent.body.inserted_count]).toEqual([200, 1]);
      const response = await client.send("/v1/records/export", { namespace: "default" });
      const text = await response.text();
      expect(text).toContain(`"msg":[${msg}],`);
      expect(text).toContain(`"transfers":${transfers},`);
    });

    it.each(["1e308", "-1e308", "1e-308"])(
      "numbers that would take up three hundred times their room are 400; some of them are read back: %s",
      async (number) => {
        const client = await newClient(api);
        const body = (count: number) => `{"session_id":"s","input":{"n":[${Array(count).fill(number)}]}}`;
        expectRefusal(await raw(client, body(4_000)), 400, "invalid_payload");
        expect(await storedIn(client)).toEqual([0, 0]);
        expect((await raw(client, body(3_000))).status).toBe(200);
        const { records } = (await client.post("/v1/record_query", { namespace: "default", query: {} })).body;
        expect(records[0].input.n).toEqual(Array(3_000).fill(Number(number)));
      },
    );

    it("numbers that take up about their room are taken, however many", async () => {
      const client = await newClient(api);
      const sent = await raw(client, `{"session_id":"s","input":{"n":[${Array(60_000).fill("9e20")}]}}`);
      expect([sent.status, sent.body.success]).toEqual([200, true]);
    });

    it("a text of 10 MiB is 413, wherever it is", async () => {
      const client = await newClient(api);
      const text = "x".repeat(10 * 1024 * 1024);
      for (const [path, body] of [
        ["/v1/traces/llm", { session_id: text }],
        ["/v1/records/upload", { records: [{ namespace: "default", agent: "a", msg: { text } }] }],
        ["/v1/logs/query", { namespace: "default", resource_id: text }],
      ] as const) {
        expectRefusal(await client.post(path, body), 413, "invalid_payload");
      }
      expect(await storedIn(client)).toEqual([0, 0]);
    });

    it("one item of a batch that cannot be stored is that item's error alone", async () => {
      const client = await newClient(api);
      const item = '{"type":"log","session_id":"s","message":"m"}';
      const bad = `{"type":"log","session_id":"s","message":"m","metadata":{"a":${nested(100_000)}}}`;
      const answer = await client.post("/v1/traces/batch", `{"traces":[${item},${bad}]}`);
      expect([answer.status, answer.body.succeeded, answer.body.results[1].error.code]).toEqual([
        200,
        1,
        "invalid_payload",
      ]);
      expect(await storedIn(client)).toEqual([0, 1]);
    });

    it.each(SYNTAX)("%j is a name like any other, in every field and in every filter", async (text) => {
      const [client, other] = [await newClient(api), await newClient(api)];
      const names = { session_id: text, namespace: text, agent: text };
      const said = { model: text, provider: text, external_user_id: text, external_user_name: text };
      const traces = [
        { type: "llm", ...names, ...said, input: { [text]: text }, metadata: { [text]: text } },
        { type: "log", ...names, message: text, resource_id: text, level: "info" },
        { type: "llm", session_id: "another", namespace: text, agent: "another" },
        { type: "log", session_id: "another", namespace: text, message: "another" },
      ];
      for (const each of [client, other]) {
        const { status, body } = await each.post("/v1/traces/batch", { traces });
        expect([status, body.succeeded]).toEqual([200, 4]);
      }
      const query = { agent: text, session_id: text };
      const records = await client.post("/v1/record_query", { namespace: text, query });
      expect([records.body.count, records.body.records]).toMatchObject([
        1,
        [{ ...names, ...said, input: { [text]: text }, metadata: { [text]: text } }],
      ]);
      const logs = await client.post("/v1/logs/query", { namespace: text, resource_id: text });
      expect(logs.body).toMatchObject({ count: 1, logs: [{ ...names, message: text, resource_id: text }] });
      const address = new URLSearchParams({ project_id: text, session_id: text, agent: text });
      const listed = await client.get(`/v1/traces?${address}`);
      expect([listed.status, listed.body.total, listed.body.data[0]]).toMatchObject([200, 1, names]);

      const exported = await client.send("/v1/records/export", { namespace: text });
      expect(exported.headers.get("content-disposition")).toMatch(/^attachment; filename="[\w.-]+"$/);
      expect(exported.headers.get("x-injected")).toBeNull();
      expect((await exported.json()).records).toHaveLength(2);
    });

    it.each(SYNTAX)(
      "%j in a path or as an unknown parameter finds nothing that it should not",
      async (text) => {
        const client = await newClient(api);
        await client.post("/v1/traces/llm", { session_id: "s", trace_id: "a" });
        const encoded = encodeURIComponent(text);
        for (const path of [
          `/v1/traces/${encoded}`,
          `/v1/traces/${encoded}/tree`,
          `/v1/files/file_${encoded}`,
        ]) {
          expectRefusal(await client.get(path), 404, "not_found");
        }
        expectRefusal(await client.get(`/v1/traces?start_date=${encoded}`), 400, "invalid_payload");
        expectRefusal(await client.get(`/v1/traces?limit=${encoded}`), 400, "invalid_payload");
        for (const name of ["select", "agent.eq", "or", encoded])
          expectRefusal(await client.get(`/v1/traces?${name}=${encoded}`), 400, "invalid_payload");
      },
    );

    it.each([...MALFORMED.map((text) => [text, text]), ["10,000 characters", "x".repeat(10_000)]])(
      "a path or a parameter with %s is a 4xx in the envelope, or is not found",
      async (_, text) => {
        const client = await newClient(api);
        const code = { 400: "invalid_payload", 404: "not_found" };
        for (const path of [`/v1/traces/${text}`, `/v1/files/${text}/download`, `/v1/${text}`]) {
          const answer = await client.get(path);
          expectRefusal(answer, answer.status, code[answer.status as 400 | 404]);
        }
        const listed = await client.get(`/v1/traces?agent=${text}`);
        if (listed.status !== 200) return expectRefusal(listed, 400, "invalid_payload");
        expect(listed.body.total).toBe(0);
      },
    );

    it("headers of 10,000 characters, or out of form, are refused or left alone", async () => {
      const client = await newClient(api);
      const long = "x".repeat(10_000);
      const body = '{"session_id":"s"}';
      expectRefusal(await raw(client, body, { "Idempotency-Key": long }), 400, "bad_request");
      expectRefusal(await raw(client, body, { "Idempotency-Key": "caf\u00e9" }), 400, "bad_request");
      expectRefusal(await raw(client, body, { tracer_token: `tk_${long}` }), 401, "invalid_token");
      expectRefusal(await raw(client, body, { tracer_token: "' or true; --" }), 401, "invalid_token");
      expect(await storedIn(client)).toEqual([0, 0]);

      const answer = await raw(client, body, { "X-Request-ID": long, "X-HTTP-Method-Override": "DELETE" });
      expect([answer.status, answer.headers.get("x-request-id")]).toEqual([
        200,
        expect.stringMatching(/^.{36}$/),
      ]);
      const key = `"eq.a',or=(*);--%00`;
      const [first, again] = [
        await raw(client, body, { "Idempotency-Key": key }),
        await raw(client, body, { "Idempotency-Key": key }),
      ];
      expect([first.status, again.status, again.headers.get("idempotency-replay")]).toEqual([
        200,
        200,
        "true",
      ]);
    });

    it("every wrong method at every path of the document is 405 with Allow", async () => {
      const client = await newClient(api);
      const { body: document } = await client.request("/v1/openapi.json");
      const paths = Object.entries(document.paths as Record<string, object>);
      const wrong = paths.flatMap(([path, item]) => {
        const allowed = new Set(Object.keys(item).map((method) => method.toUpperCase()));
        if (allowed.has("GET")) allowed.add("HEAD");
        return METHODS.filter((method) => !allowed.has(method)).map((method) => ({ path, method, allowed }));
      });
      expect(wrong.length).toBeGreaterThan(100);
      await Promise.all(
        wrong.map(async ({ path, method, allowed }) => {
          const answer = await client.request(`/v1${path.replace(/\{\w+\}/, "a")}`, { method });
          const named = (answer.headers.get("allow") ?? "").split(", ").filter((name) => name !== "HEAD");
          const wanted = [...allowed].filter((name) => name !== "HEAD");
          expect([method, path, answer.status, named.sort()]).toEqual([method, path, 405, wanted.sort()]);
          if (method !== "HEAD") expectRefusal(answer, 405, "bad_request");
        }),
      );
    });

    it("the API still answers", async () => {
      const client = await newClient(api);
      expect((await client.post("/v1/traces/llm", { session_id: "s" })).status).toBe(200);
      expect(await storedIn(client)).toEqual([1, 0]);
    });
  });
}
