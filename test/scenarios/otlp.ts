import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { gzipBomb } from "../support/bomb.ts";
import { asProtobuf, numberAndText, partialSuccess } from "../support/otlp-protobuf.ts";
import { bytesOf, logOf, SPAN_ID, TRACE_ID, traceOf } from "../support/otlp-steps.ts";
import { type Api, type Client, newClient } from "../support/tenant.ts";

const JSON_TYPE = "application/json";
const PROTOBUF = "application/x-protobuf";
const MEBIBYTE = 1024 * 1024;

const newSpan = () => ({
  traceId: randomBytes(16).toString("hex"),
  spanId: randomBytes(8).toString("hex"),
});
const newTrace = (span: object = {}) =>
  traceOf({ "gen_ai.operation.name": "chat" }, { ...newSpan(), ...span });
const newLog = () => logOf({ "session.id": "s" }, { severityNumber: 9 });

type Headers = Record<string, string>;

export function otlp(api: Api): void {
  describe("OpenTelemetry", () => {
    const send = (client: Client, path: string, body: unknown, headers: Headers = {}) =>
      api(path, {
        method: "POST",
        headers: { Authorization: `Bearer ${client.token}`, "Content-Type": JSON_TYPE, ...headers },
        body: body as BodyInit,
      });

    /** A request that is refused, in both forms: their statuses, types, codes and messages are the same. */
    async function refusedInBoth(client: Client, path: string, bodies: [unknown, unknown], headers: Headers) {
      const json = await send(client, path, bodies[0], headers);
      const binary = await send(client, path, bodies[1], { "Content-Type": PROTOBUF, ...headers });
      expect([json, binary].map((answer) => answer.headers.get("content-type"))).toEqual([
        JSON_TYPE,
        PROTOBUF,
      ]);
      expect([json, binary].map((answer) => answer.headers.get("x-request-id"))).toEqual(
        Array(2).fill(expect.any(String)),
      );
      const { code, message, ...rest } = await json.json();
      expect(rest).toEqual({});
      expect([binary.status, numberAndText(await binary.bytes()).number]).toEqual([json.status, code]);
      return { status: json.status, code, message, headers: json.headers };
    }

    it.each([
      ["/v1/traces", "TracesData", newTrace],
      ["/v1/logs", "LogsData", newLog],
    ] as const)(
      "%s takes JSON and protobuf, plain or gzip, and answers in the same",
      async (path, type, body) => {
        const client = await newClient(api);
        const forms: [BodyInit, Headers][] = [
          [bytesOf(body()) as BodyInit, { "Content-Type": "application/json; charset=utf-8" }],
          [gzipSync(bytesOf(body())), { "Content-Encoding": "gzip" }],
          [bytesOf(body()) as BodyInit, { "Content-Encoding": "identity" }],
          [asProtobuf(body(), type) as BodyInit, { "Content-Type": PROTOBUF }],
          [gzipSync(asProtobuf(body(), type)), { "Content-Type": PROTOBUF, "Content-Encoding": "gzip" }],
          [new Uint8Array(), { "Content-Type": PROTOBUF }],
          ["{}", {}],
        ];
        for (const [sent, headers] of forms) {
          const answer = await send(client, path, sent, headers);
          const isProtobuf = headers["Content-Type"] === PROTOBUF;
          expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([
            200,
            isProtobuf ? PROTOBUF : JSON_TYPE,
            isProtobuf ? "" : "{}",
          ]);
        }
      },
    );

    it.each([
      "/traces",
      "/v1/traces/",
      "/functions/v1/monkai-api/v1/traces",
      "/api/public/otel/v1/traces",
      "/v1/api/public/otel/v1/logs",
      "/functions/v1/monkai-api/api/public/otel/v1/traces",
      "/monkai-api/logs",
    ])("%s is one of their paths", async (path) => {
      const answer = await send(await newClient(api), path, "{}");
      expect([answer.status, await answer.json()]).toEqual([200, {}]);
    });

    it("a body without a length is the normal case, plain or gzip", async () => {
      const client = await newClient(api);
      for (const [bytes, headers] of [
        [bytesOf(newTrace()), {}],
        [gzipSync(bytesOf(newTrace())), { "Content-Encoding": "gzip" }],
      ] as const) {
        const body = new ReadableStream({
          start(controller) {
            for (const byte of [...bytes.subarray(0, 10)]) controller.enqueue(new Uint8Array([byte]));
            controller.enqueue(bytes.subarray(10));
            controller.close();
          },
        });
        const answer = await api("/v1/traces", {
          method: "POST",
          headers: { tracer_token: client.token, "Content-Type": JSON_TYPE, ...headers },
          body,
          duplex: "half",
        } as RequestInit);
        expect([answer.status, await answer.json()]).toEqual([200, {}]);
      }
    });

    it("large bodies are taken: 9 MiB as they are, 19 MiB as gzip", async () => {
      const client = await newClient(api);
      const traceOfSize = (mebibytes: number) =>
        bytesOf(traceOf({ text: "x".repeat(mebibytes * MEBIBYTE) }, newSpan()));
      const plain = await send(client, "/v1/traces", traceOfSize(9));
      expect([plain.status, await plain.text()]).toEqual([200, "{}"]);
      // Blanks: what is stored stays small.
      const padded = Buffer.concat([bytesOf(newTrace()), Buffer.alloc(19 * MEBIBYTE, " ")]);
      const packed = await send(client, "/v1/traces", gzipSync(padded), { "Content-Encoding": "gzip" });
      expect([packed.status, await packed.text()]).toEqual([200, "{}"]);
    });

    it("more than 10 MiB on the wire, or 20 MiB inflated, is 413 in the request's form", async () => {
      const client = await newClient(api);
      const large = new Uint8Array(10 * MEBIBYTE + 1);
      const plain = await refusedInBoth(client, "/v1/traces", [large, large], {});
      expect([plain.status, plain.code, plain.message]).toEqual([413, 8, expect.stringContaining("10 MiB")]);
      const packed = gzipSync(Buffer.alloc(20 * MEBIBYTE + 1, " "));
      const refused = await refusedInBoth(client, "/v1/traces", [packed, packed], {
        "Content-Encoding": "gzip",
      });
      expect([refused.status, refused.code]).toEqual([413, 8]);
      expect(refused.message).toContain("20 MiB when it is inflated");
    });

    it("a bomb of gzip is 413 before it goes off, and the API still answers", async () => {
      const client = await newClient(api);
      const bomb = gzipBomb(5 * MEBIBYTE);
      const begun = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 2 }, () => send(client, "/v1/logs", bomb, { "Content-Encoding": "gzip" })),
      );
      expect(answers.map(({ status }) => status)).toEqual([413, 413]);
      expect(performance.now() - begun).toBeLessThan(10_000);
      expect((await send(client, "/v1/logs", "{}")).status).toBe(200);
    });

    it("gzip that is none, or cut off, is 400", async () => {
      const client = await newClient(api);
      const packed = gzipSync(bytesOf(newTrace()));
      for (const broken of [
        bytesOf(newTrace()),
        packed.subarray(0, -9),
        packed.subarray(0, 5),
        new Uint8Array(),
      ]) {
        const answer = await refusedInBoth(client, "/v1/traces", [broken, broken], {
          "Content-Encoding": "gzip",
        });
        expect([answer.status, answer.code]).toEqual([400, 3]);
        expect(answer.message).toMatch(/gzip/);
      }
    });

    it.each([
      ["text/plain", {}],
      ["application/octet-stream", {}],
      ["", {}],
      [JSON_TYPE, { "Content-Encoding": "br" }],
      [PROTOBUF, { "Content-Encoding": "deflate" }],
    ])("Content-Type %j with %j is 415 that says what is taken", async (type, headers) => {
      const client = await newClient(api);
      for (const path of ["/v1/traces", "/v1/logs"]) {
        const answer = await send(client, path, new Uint8Array([1]), { ...headers, "Content-Type": type });
        const isProtobuf = type === PROTOBUF;
        expect([answer.status, answer.headers.get("content-type")]).toEqual([
          415,
          isProtobuf ? PROTOBUF : JSON_TYPE,
        ]);
        const { code, message } = isProtobuf
          ? { code: 12, message: numberAndText(await answer.bytes()).text }
          : await answer.json();
        expect([code, message]).toEqual([12, expect.stringMatching(/application\/x-protobuf|gzip/)]);
      }
    });

    it("a call has the input of the agent's step around it, as long as that is there and in its namespace", async () => {
      const client = await newClient(api);
      const call = { ...newSpan(), parentSpanId: "1".repeat(16) };
      const around = { traceId: call.traceId, spanId: call.parentSpanId };
      const input = JSON.stringify([{ role: "user", content: "How warm is it?" }]);
      const answered = [{ role: "assistant", content: "21 degrees." }];
      const step = { "mastra.span.type": "model_step", "mastra.model_step.input": input };
      const told = { "gen_ai.operation.name": "chat", "gen_ai.output.messages": JSON.stringify(answered) };
      const read = async () => {
        const query = { namespace: "mine", query: { trace_id: call.traceId } };
        return (await client.post("/v1/record_query", query)).body.records[0].msg;
      };
      const mine = { "service.name": "mine" };
      expect((await send(client, "/v1/traces", bytesOf(traceOf(told, call, mine)))).status).toBe(200);
      expect(await read()).toEqual(answered);

      expect((await send(client, "/v1/traces", bytesOf(traceOf(step, around, mine)))).status).toBe(200);
      expect(await read()).toEqual([{ role: "user", content: "How warm is it?" }, ...answered]);
      const { body } = await client.get(`/v1/files/file_${call.traceId}/download`);
      expect(body.find(({ type }: { type: string }) => type === "span")).toMatchObject({
        input: [{ role: "user", content: "How warm is it?" }],
      });
      expect(JSON.stringify(body)).not.toContain("has_input_of_call");

      const elsewhere = { ...newSpan(), parentSpanId: "2".repeat(16) };
      const above = { traceId: elsewhere.traceId, spanId: elsewhere.parentSpanId };
      const theirs = { "service.name": "theirs" };
      expect((await send(client, "/v1/traces", bytesOf(traceOf(step, above, theirs)))).status).toBe(200);
      expect((await send(client, "/v1/traces", bytesOf(traceOf(told, elsewhere, mine)))).status).toBe(200);
      const other = { namespace: "mine", query: { trace_id: elsewhere.traceId } };
      expect((await client.post("/v1/record_query", other)).body.records[0].msg).toEqual(answered);
    });

    it("a body that is neither is 400 that says where, and does not give all of it back", async () => {
      const client = await newClient(api);
      const nonsense = `{"resourceSpans": [{"scopeSpans": "${"x".repeat(9_000)}"}]}`;
      const answer = await refusedInBoth(client, "/v1/traces", [nonsense, "{}"], {});
      expect([answer.status, answer.code, answer.message]).toEqual([
        400,
        3,
        "resourceSpans[0].scopeSpans is not a list.",
      ]);
      for (const [path, broken] of [
        ["/v1/traces", "{"],
        ["/v1/logs", ""],
        ["/v1/logs", "[]"],
        ["/v1/logs", "null"],
        ["/v1/traces", `{"resourceSpans": {"${"y".repeat(9_000)}": 1}}`],
      ] as const) {
        const refused = await send(client, path, broken);
        const { code, message } = await refused.json();
        expect([refused.status, code, message.length < 300]).toEqual([400, 3, true]);
      }
    });

    it("without a good token it is 401 in the request's form, before anything is said of the body", async () => {
      const client = await newClient(api);
      for (const headers of [{ Authorization: "" }, { Authorization: "Bearer tk_unknown" }] as Headers[]) {
        for (const path of ["/v1/traces", "/v1/logs"]) {
          const answer = await refusedInBoth(client, path, ["{", "{"], headers);
          expect([answer.status, answer.code, answer.headers.get("www-authenticate")]).toEqual([
            401,
            16,
            "Bearer",
          ]);
        }
      }
    });

    it("the token is taken as the password of HTTP Basic", async () => {
      const client = await newClient(api);
      const Authorization = `Basic ${btoa(`pk-lf-mine:${client.token}`)}`;
      const answer = await send(client, "/api/public/otel/v1/traces", bytesOf(newTrace()), { Authorization });
      expect([answer.status, await answer.text()]).toEqual([200, "{}"]);
    });

    it("single spans that cannot be are told of, in both forms, and the others are taken", async () => {
      const client = await newClient(api);
      const body = {
        resourceSpans: [
          ...(newTrace() as { resourceSpans: object[] }).resourceSpans,
          ...(newTrace({ spanId: "0000000000000000" }) as { resourceSpans: object[] }).resourceSpans,
          ...(newTrace({ name: "" }) as { resourceSpans: object[] }).resourceSpans,
        ],
      };
      const json = await send(client, "/v1/traces", bytesOf(body));
      const { partialSuccess: partial } = await json.json();
      expect([json.status, partial.rejectedSpans]).toEqual([200, "2"]);
      expect(partial.errorMessage).toMatch(/spanId.*has no name/);
      const binary = await send(client, "/v1/traces", asProtobuf(body, "TracesData"), {
        "Content-Type": PROTOBUF,
      });
      expect([binary.status, partialSuccess(await binary.bytes())]).toEqual([
        200,
        { number: 2, text: partial.errorMessage },
      ]);
    });

    it("so are those of a namespace that the token may not use", async () => {
      const client = await newClient(api, { namespaces: ["mine"] });
      const inNamespace = (namespace: string) => traceOf({ "monkai.namespace": namespace }, newSpan());
      const good = await send(client, "/v1/traces", bytesOf(inNamespace("mine")));
      expect([good.status, await good.json()]).toEqual([200, {}]);
      const bad = await send(client, "/v1/traces", bytesOf(inNamespace("theirs")));
      expect([bad.status, (await bad.json()).partialSuccess]).toEqual([
        200,
        { rejectedSpans: "1", errorMessage: expect.stringContaining('may not use the namespace "theirs"') },
      ]);
      const log = await send(client, "/v1/logs", bytesOf(logOf({ "monkai.namespace": "theirs" })));
      expect((await log.json()).partialSuccess.rejectedLogRecords).toBe("1");
    });

    it("POST /v1/traces/ingest takes what the OpenAI Agents SDK sends, in JSON alone", async () => {
      const client = await newClient(api);
      const id = `trace_${TRACE_ID}`;
      const data = [
        { object: "trace", id, workflow_name: "w", group_id: "g", metadata: null },
        {
          object: "trace.span",
          id: `span_${SPAN_ID}`,
          trace_id: id,
          started_at: "2026-11-21T12:00:00.000Z",
          span_data: { type: "function", name: "t", input: "{}", output: "1" },
        },
      ];
      const answer = await send(client, "/v1/traces/ingest", JSON.stringify({ data }));
      expect([answer.status, await answer.json()]).toEqual([200, {}]);
      const some = await send(client, "/v1/traces/ingest", JSON.stringify({ data: [...data, 5] }));
      expect([some.status, (await some.json()).partialSuccess.rejectedSpans]).toEqual([200, "1"]);
      for (const [body, headers, status] of [
        ["{}", {}, 400],
        ["{", {}, 400],
        ['{"data": {}}', {}, 400],
        ["{}", { "Content-Type": PROTOBUF }, 415],
        ['{"data": []}', { Authorization: "" }, 401],
      ] as [string, Headers, number][]) {
        const refused = await send(client, "/v1/traces/ingest", body, headers);
        expect([body, refused.status]).toEqual([body, status]);
      }
    });

    it("GET /v1/traces/ingest is a wrong method, and no trace", async () => {
      const client = await newClient(api);
      for (const path of ["/v1/traces/ingest", "/v1/logs"]) {
        const answer = await client.get(path);
        expect([answer.status, answer.body.error.code, answer.headers.get("allow")]).toEqual([
          405,
          "bad_request",
          "POST",
        ]);
      }
    });

    it("POST /v1/metrics is 404 that says how to switch metrics off, token or not", async () => {
      const client = await newClient(api);
      for (const Authorization of [`Bearer ${client.token}`, ""]) {
        const answer = await refusedInBoth(client, "/v1/metrics", ["{}", new Uint8Array([1])], {
          Authorization,
        });
        expect([answer.status, answer.code]).toEqual([404, 5]);
        expect(answer.message).toContain("OTEL_METRICS_EXPORTER=none");
      }
    });

    it("every answer says what is left of the bucket otlp, which refills by the second", async () => {
      const client = await newClient(api);
      for (const [body, status] of [
        ["{}", 200],
        ["{", 400],
      ] as const) {
        const answer = await send(client, "/v1/traces", body);
        expect(answer.status).toBe(status);
        expect(answer.headers.get("ratelimit-policy")).toBe('"otlp";q=600;w=60;refill=10');
        expect(answer.headers.get("ratelimit")).toMatch(/^"otlp";r=\d+;t=\d+$/);
        expect(answer.headers.get("x-ratelimit-limit")).toBe("600");
        expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      }
    });
  });
}
