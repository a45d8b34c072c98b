import { expect, it } from "vitest";
import { appWithoutStore } from "../support/app.ts";
import { appOver, STORED } from "../support/otlp-app.ts";
import { numberAndText } from "../support/otlp-protobuf.ts";
import { anyValue, logOf, SPAN_ID, TRACE_ID, traceOf } from "../support/otlp-steps.ts";
import type { Api } from "../support/tenant.ts";

const JSON_TYPE = "application/json";
const PROTOBUF = "application/x-protobuf";

async function send(api: Api, path: string, body: unknown, type = JSON_TYPE) {
  const answer = await api(path, {
    method: "POST",
    headers: { tracer_token: "tk_any", "Content-Type": type },
    body: type === PROTOBUF ? new Uint8Array() : typeof body === "string" ? body : JSON.stringify(body),
  });
  expect(answer.headers.get("content-type")).toBe(type);
  const bytes = await answer.bytes();
  const { number, text } = type === PROTOBUF ? numberAndText(bytes) : {};
  const read =
    type === PROTOBUF ? { code: number, message: text } : JSON.parse(new TextDecoder().decode(bytes));
  return {
    status: answer.status,
    retryAfter: answer.headers.get("retry-after"),
    headers: answer.headers,
    body: read,
  };
}

const broken = Response.json({ code: "22P02", message: 'invalid input syntax: "said"' }, { status: 400 });
const brokenRules = {
  version: 1,
  rules: { toggles: {}, custom: [{ name: "n", pattern: "(", replacement: "" }] },
};
const FAULTS: [string, () => Api][] = [
  ["a fault in SQL", () => appOver(broken).api],
  ["a database that is gone", () => appOver(new Response("<html>", { status: 502 })).api],
  ["rules that cannot be applied", () => appOver({ anonymization: brokenRules }).api],
  [
    "rules that change and change",
    () => appOver({ anonymization: { version: 2, rules: { toggles: {}, custom: [] } } }).api,
  ],
  ["an answer without data", () => appOver({}).api],
  [
    "a configuration that is incomplete",
    () => {
      const app = appWithoutStore();
      return async (path, init) => app.request(`http://api.test${path}`, init);
    },
  ],
];

it.each(FAULTS)(
  "%s is 503, as exporters throw away what gets a 500; and they may try again at once",
  async (_, start) => {
    for (const [path, type] of [
      ["/v1/traces", JSON_TYPE],
      ["/v1/traces", PROTOBUF],
      ["/v1/logs", PROTOBUF],
      ["/v1/api/public/otel/v1/logs", JSON_TYPE],
    ] as const) {
      const { status, retryAfter, body } = await send(start(), path, {}, type);
      expect([path, status, retryAfter, body]).toEqual([
        path,
        503,
        "1",
        { code: 14, message: expect.not.stringMatching(/said|22P02|html/) },
      ]);
    }
    expect((await send(start(), "/v1/traces/ingest", { data: [] })).status).toBe(503);
  },
);

it.each([
  [60, "5"],
  [2, "2"],
  [0, "1"],
])(
  "beyond the limit, with %d seconds to its reset, it is 429 and Retry-After is %s",
  async (reset, retryAfter) => {
    const { api } = appOver({
      tenant_id: "t",
      rate_limit: { bucket: "otlp", limit: 90, remaining: 0, reset },
      error: { code: "rate_limit_exceeded", message: "The limit is used up." },
    });
    for (const type of [JSON_TYPE, PROTOBUF]) {
      const answer = await send(api, "/v1/traces", {}, type);
      expect([answer.status, answer.retryAfter, answer.body]).toEqual([
        429,
        retryAfter,
        { code: 8, message: "The limit is used up." },
      ]);
      expect(answer.headers.get("ratelimit-policy")).toBe('"otlp";q=90;w=60;refill=1.5');
      expect(answer.headers.get("x-ratelimit-reset")).toBe(`${reset}`);
    }
  },
);

it("what the token may not do is 403 with gRPC's code for it", async () => {
  const { api } = appOver({ error: { code: "forbidden", message: "no" } });
  const { status, body } = await send(api, "/v1/logs", {});
  expect([status, body]).toEqual([403, { code: 7, message: "no" }]);
});

it("one request is one call, with or without steps", async () => {
  for (const body of [{}, traceOf({})]) {
    const { api, called } = appOver(STORED);
    expect((await send(api, "/v1/traces", body)).status).toBe(200);
    expect(
      called.map(({ name, payload: { bucket, limit, anonymization_version, items } }) => [
        name,
        bucket,
        limit,
        anonymization_version,
        items.length,
      ]),
    ).toEqual([["record_steps", "otlp", 600, 0, "resourceSpans" in body ? 1 : 0]]);
  }
});

it("what the database refuses is told beside what was rejected before, each reason once", async () => {
  const refused = [0, 1].map((index) => ({ index, code: "forbidden", message: "Not there." }));
  const { api } = appOver({ data: { refused } });
  const { resourceSpans } = traceOf({}) as { resourceSpans: object[] };
  const noName = traceOf({}, { name: "" }) as { resourceSpans: object[] };
  const sent = { resourceSpans: [...resourceSpans, ...noName.resourceSpans, ...resourceSpans] };
  const { body } = await send(api, "/v1/traces", sent);
  expect(body.partialSuccess).toEqual({
    rejectedSpans: "3",
    errorMessage: `The span ${SPAN_ID} has no name. Not there.`,
  });
});

const within = { traceId: TRACE_ID, spanId: SPAN_ID };

it("a log record is known again by a hash that needs the API's key, whatever the rules make of its words", async () => {
  const rules = { version: 1, rules: { toggles: { email: true }, custom: [] } };
  const { api, called } = appOver(STORED, { anonymization: rules }, STORED, STORED);
  const record = (said: string) => logOf({}, { ...within, body: anyValue(said) });
  for (const said of ["a@b.example", "a@b.example", "c@d.example"])
    expect((await send(api, "/v1/logs", record(said))).status).toBe(200);
  const [plain, , redacted, other] = called.map(({ payload }) => payload.items[0]);
  expect([plain.content.message, redacted.content.message]).toEqual(["a@b.example", "[EMAIL]"]);
  expect(plain.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(redacted.fingerprint).toBe(plain.fingerprint);
  expect(other.fingerprint).not.toBe(plain.fingerprint);
  expect(JSON.stringify([redacted, other])).not.toMatch(/@/);
});

it("all that was said is redacted by the tenant's rules: names of spans, errors, messages, what is left", async () => {
  const rules = { version: 1, rules: { toggles: { email: true }, custom: [] } };
  const mail = "joe@mail.example";
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system_instructions": mail,
    "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [{ type: "text", content: mail }] }]),
    "gen_ai.output.messages": mail,
    "some.other": { nested: [mail] },
  };
  const span = {
    ...within,
    name: `chat of ${mail}`,
    status: { code: 2, message: `${mail} is unknown` },
    events: [{ name: mail, timeUnixNano: "1795273220149000000" }],
  };
  const { api, called } = appOver({ anonymization: rules }, STORED);
  expect((await send(api, "/v1/traces", traceOf(attributes, span, { host: mail }))).status).toBe(200);
  const message = logOf(
    { "event.name": "gen_ai.user.message" },
    { ...within, body: anyValue({ content: mail }) },
  );
  expect((await send(api, "/v1/logs", message)).status).toBe(200);
  const [, call, told] = called.map(({ payload }) => payload.items[0]);
  expect(JSON.stringify([call, told])).not.toContain("mail.example");
  expect([call.index, call.name, call.error]).toEqual([
    0,
    "chat of [EMAIL]",
    { message: "[EMAIL] is unknown" },
  ]);
  expect(told.messages_of_call).toBeUndefined();
  expect(told.content.messages_of_call).toEqual([
    { side: "input", message: expect.objectContaining({ content: "[EMAIL]" }) },
  ]);
});

it("names that tools and agents are known by are kept as they are, and so is the user", async () => {
  const rules = { version: 1, rules: { toggles: { email: true }, custom: [] } };
  const { api, called } = appOver({ anonymization: rules }, STORED);
  const tool = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "t@tools.example",
    "user.id": "u@x.example",
  };
  expect((await send(api, "/v1/traces", traceOf(tool))).status).toBe(200);
  const step = called.at(-1)?.payload.items[0];
  expect([step.name, step.user_id, step.content.external_user_id]).toEqual([
    "t@tools.example",
    "u@x.example",
    "u@x.example",
  ]);
});
