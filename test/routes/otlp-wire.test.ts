import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appOver, STORED } from "../support/otlp-app.ts";
import { numberAndText } from "../support/otlp-protobuf.ts";
import { RECORDINGS, requestsOf } from "../support/otlp-recordings.ts";

const RULES = { toggles: { email: true, credit_card: true }, custom: [] };
const { api } = appOver({ anonymization: { version: 1, rules: RULES } }, STORED);

const post = (path: string, body: Uint8Array, headers: Record<string, string>) =>
  api(path, { method: "POST", headers: { ...headers, tracer_token: "tk_any" }, body: body as BodyInit });

describe.each(RECORDINGS)("what %s has put on the wire", (recording) => {
  it("is taken as it came, byte for byte, and metrics are refused once and for all", async () => {
    for (const { path, headers, sent } of requestsOf(recording)) {
      const { "content-type": type = "", "content-encoding": encoding } = headers;
      const answer = await post(path, sent, {
        "Content-Type": type,
        ...(encoding ? { "Content-Encoding": encoding } : {}),
      });
      const bytes = await answer.bytes();
      expect([path, answer.status, answer.headers.get("content-type")]).toEqual([
        path,
        path.endsWith("/metrics") ? 404 : 200,
        type,
      ]);
      if (answer.status === 200)
        expect(new TextDecoder().decode(bytes)).toBe(type.includes("json") ? "{}" : "");
    }
  });
});

const runs = process.env.LONG_TESTS ? 5_000 : 200;
const paths = fc.constantFrom("/v1/traces", "/v1/logs", "/v1/traces/ingest");
const types = fc.constantFrom("application/json", "application/x-protobuf");
const names = fc.constantFrom(
  ..."resourceSpans scopeSpans spans resourceLogs scopeLogs logRecords attributes events data".split(" "),
);
const { message } = fc.letrec((tie) => ({
  message: fc.oneof(
    { depthSize: "small" },
    fc.jsonValue(),
    fc.dictionary(names, tie("list"), { maxKeys: 3 }),
  ),
  list: fc.oneof({ maxDepth: 6 }, fc.array(tie("message"), { maxLength: 3 }), fc.jsonValue()),
}));
const bodies = fc.oneof(
  message.map((value) => new TextEncoder().encode(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 200 }),
);

it("whatever comes is 200 or 4xx, and says in its own form what is wrong", async () => {
  await fc.assert(
    fc.asyncProperty(paths, types, bodies, async (path, type, body) => {
      const answer = await post(path, body, { "Content-Type": type });
      const bytes = await answer.bytes();
      expect([200, 400, 415]).toContain(answer.status);
      expect(answer.headers.get("content-type")).toBe(type);
      if (answer.status === 200) return;
      const isJson = type.includes("json");
      const told = isJson ? JSON.parse(new TextDecoder().decode(bytes)).message : numberAndText(bytes).text;
      expect(told).toMatch(/./);
      expect(told.length).toBeLessThan(300);
    }),
    { numRuns: runs },
  );
});
