import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { ingestSteps } from "../../../functions/monkai-api/domain/otlp/openai-agents.ts";
import { TOO_DEEP } from "../../../functions/monkai-api/domain/otlp/plain.ts";
import { spanSteps } from "../../../functions/monkai-api/domain/otlp/spans.ts";
import type { OtlpStep } from "../../../functions/monkai-api/domain/otlp/step.ts";
import { OtlpError, readTraces } from "../../../functions/monkai-api/domain/otlp/wire.ts";
import { findUnstorable } from "../../../functions/monkai-api/domain/storable.ts";
import { asProtobuf } from "../../support/otlp-protobuf.ts";
import {
  bytesOf,
  logStepOf,
  logStepsOf,
  spanStepOf,
  spanStepsOf,
  traceOf,
} from "../../support/otlp-steps.ts";

function attributesOf({ content }: OtlpStep): Record<string, unknown> {
  return (content.metadata as { attributes: Record<string, unknown> }).attributes;
}

function attributeOf(value: object): unknown {
  return attributesOf(spanStepOf({}, { attributes: [{ key: "a", value }] })).a;
}

/** An OTLP value that is nested so many lists deep. */
function nested(levels: number, innermost: object = { stringValue: "inside" }): object {
  let value = innermost;
  for (let level = 0; level < levels; level += 1) value = { arrayValue: { values: [value] } };
  return value;
}

/** The same as protobuf, written from inside out. */
function nestedProtobuf(levels: number): Uint8Array {
  let value = new BinaryWriter().tag(1, WireType.LengthDelimited).string("inside").finish();
  for (let level = 0; level < levels; level += 1) {
    const list = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(value).finish();
    value = new BinaryWriter().tag(5, WireType.LengthDelimited).bytes(list).finish();
  }
  return value;
}

/** Protobuf of so many empty spans, or of a span with so many empty attributes: two bytes each. */
function emptyInProtobuf(count: number, what: "spans" | "attributes"): Uint8Array {
  const within = what === "spans" ? [2, 2, 1] : [9, 2, 2, 1];
  const [innermost = 0, ...around] = within;
  const empty = new BinaryWriter().tag(innermost, WireType.LengthDelimited).bytes(new Uint8Array()).finish();
  const all = new Uint8Array(empty.length * count).map((_, place) => empty[place % empty.length] as number);
  return around.reduce(
    (inner, field) => new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(inner).finish(),
    all,
  );
}

function bodyWith(value: object): object {
  return traceOf({}, { attributes: [{ key: "a", value }] });
}

/** How many lists stand within one another, and what is in the innermost. */
function depthOf(value: unknown): [number, unknown] {
  let [depth, inner] = [0, value];
  for (; Array.isArray(inner); inner = inner[0]) depth += 1;
  return [depth, inner];
}

describe("nested values", () => {
  it.each([
    ["JSON", "json", (value: object) => bytesOf(bodyWith(value)), nested],
    ["protobuf", "protobuf", (value: object) => asProtobuf(bodyWith(value), "TracesData"), nestedProtobuf],
  ] as const)("64 levels are kept, and what is deeper is named: %s", (_, form, written, nestedIn) => {
    const read = (levels: number) => {
      const [step] = spanSteps(readTraces(written(nestedIn(levels)), form)).steps;
      return depthOf(attributesOf(step as OtlpStep).a);
    };
    expect(read(64)).toEqual([64, "inside"]);
    expect(read(65)).toEqual([64, TOO_DEEP]);
    expect(read(1000)).toEqual([64, TOO_DEEP]);
  });

  it("100,000 levels of JSON are read, too, in an attribute and in a text of JSON in it", () => {
    const text = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const { arguments: parsed } = spanStepOf({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.call.arguments": text,
    }).content;
    expect(depthOf(parsed)).toEqual([64, TOO_DEEP]);
    const unknown = JSON.stringify(traceOf({})).replace("{", `{"unknown":${text},`);
    expect(spanStepsOf(unknown).steps.length).toBe(1);
  });

  it("a text of JSON with long numbers that is nested too deep is parsed all the same", () => {
    const text = `[1234567890123456789,${"[".repeat(100_000)}${"]".repeat(100_000)}]`;
    const { input } = spanStepOf({ "gen_ai.operation.name": "chat", "gen_ai.input.messages": text }).content;
    expect((input as unknown[]).length).toBe(2);
  });

  it("what is stored is never nested deeper than Postgres and our own readers take", () => {
    const deep = { kvlistValue: { values: [{ key: "a", value: nested(1000) }] } };
    const step = spanStepOf(
      {},
      { attributes: [{ key: "a", value: deep }], events: [{ attributes: [{ key: "b", value: deep }] }] },
    );
    expect(findUnstorable(step)).toBeUndefined();
  });
});

describe("large messages are read in linear time", () => {
  it("a million attributes are kept", () => {
    const attributes = Array.from({ length: 1_000_000 }, (_, n) => ({
      key: `a${n}`,
      value: { intValue: n },
    }));
    const step = spanStepOf({}, { attributes });
    expect(Object.keys(attributesOf(step)).length).toBe(1_000_000);
  });

  it("one name 100,000 times: every value is kept", () => {
    const attributes = Array.from({ length: 100_000 }, (_, n) => ({ key: "a", value: { intValue: n } }));
    const { metadata } = spanStepOf({}, { attributes }).content as { metadata: Record<string, unknown[]> };
    expect(metadata.attributes).toEqual({ a: 99_999 });
    expect(metadata.repeated_attributes?.length).toBe(99_999);
  });

  it("100,000 numbered messages are put together, whatever their numbers", () => {
    const attributes = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, n) => [`llm.input_messages.${n * 9_999}.message.content`, `${n}`]),
    );
    const { input } = spanStepOf({ "openinference.span.kind": "LLM", ...attributes }).content;
    expect((input as unknown[]).length).toBe(100_000);
    expect((input as unknown[])[99_999]).toEqual({ content: "99999" });
  });

  it("more spans, items or values than a request can mean are refused, however few bytes they take", () => {
    const refusals = [
      [
        /^The body has more than 50000 spans/,
        () => readTraces(emptyInProtobuf(1_000_000, "spans"), "protobuf"),
      ],
      [
        /^The body has more than 2000000 values/,
        () => readTraces(emptyInProtobuf(3_000_000, "attributes"), "protobuf"),
      ],
      [
        /^The body has more than 50000 spans/,
        () => spanStepsOf({ resourceSpans: [{ scopeSpans: [{ spans: Array(100_000).fill({}) }] }] }),
      ],
      [/^data has more than 50000 items/, () => ingestSteps({ data: Array(100_000).fill({}) })],
    ] as const;
    for (const [message, read] of refusals) expect(read).toThrow(message);
    for (const [, read] of refusals) expect(read).toThrow(OtlpError);
  });

  it("a resource of 1 MB with 10,000 spans in as many scopes is not repeated in each of them", () => {
    const resource = { attributes: [{ key: "a", value: { stringValue: "x".repeat(1_000_000) } }] };
    const [whole] = (traceOf({}) as { resourceSpans: { scopeSpans: object[] }[] }).resourceSpans;
    const scopeSpans = Array(10_000).fill(whole?.scopeSpans[0]);
    const { steps } = spanStepsOf({ resourceSpans: [{ resource, scopeSpans }] });
    expect(steps[0]?.content.metadata).toMatchObject({ resource: { a: "x".repeat(1_000_000) } });
    expect(steps.at(-1)?.content.metadata).toMatchObject({ resource: expect.stringMatching(/^.too large/) });
    expect(JSON.stringify(steps).length).toBeLessThan(32_000_000);
    const logRecords = Array(10_000).fill({ body: { stringValue: "x" } });
    const logs = logStepsOf({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
    expect(JSON.stringify(logs).length).toBeLessThan(32_000_000);
  });

  it("50,000 spans that cannot be are counted, and a few reasons told", () => {
    const spans = Array(49_900).fill({});
    const { rejected, reasons } = spanStepsOf({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
    expect([rejected, reasons.length]).toEqual([49_900, 1]);
  });

  it("10,000 spans under one parent, and a cycle of parents, are steps like others", () => {
    const idOf = (n: number) => (n + 1).toString(16).padStart(16, "0");
    const [found] = (traceOf({}) as { resourceSpans: { scopeSpans: { spans: object[] }[] }[] }).resourceSpans;
    const [span] = found?.scopeSpans[0]?.spans ?? [];
    const spans = Array.from({ length: 10_000 }, (_, n) => ({
      ...span,
      spanId: idOf(n),
      parentSpanId: idOf(0),
    }));
    const { steps } = spanStepsOf({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
    expect(steps.map(({ parent_span_id }) => parent_span_id)).toEqual(spans.map(() => idOf(0)));
  });
});

describe("ids", () => {
  it.each([
    ["a number", 1234567890123456],
    ["too short", "b7ad6b71692033"],
    ["too long", "b7ad6b716920333100"],
    ["not hex", "g7ad6b7169203331"],
    ["all zero", "0000000000000000"],
    ["empty", ""],
    ["an object", {}],
  ])(
    "a span whose id is %s is rejected, with its name and the reason, and the others are kept",
    (_, spanId) => {
      const [broken, whole] = [traceOf({}, { spanId, name: "broken" }), traceOf({})] as {
        resourceSpans: object[];
      }[];
      const both = { resourceSpans: [...(broken?.resourceSpans ?? []), ...(whole?.resourceSpans ?? [])] };
      const { steps, rejected, reasons } = spanStepsOf(both);
      expect([steps.length, rejected]).toEqual([1, 1]);
      expect(reasons).toEqual([
        expect.stringMatching(/^The span "broken" has no spanId of 16 digits of hex/),
      ]);
    },
  );

  it("upper-case hex is the same id", () => {
    const step = spanStepOf(
      {},
      { traceId: "0AF7651916CD43DD8448EB211C80319C", parentSpanId: "B7AD6B7169203332" },
    );
    expect([step.otel_trace_id, step.parent_span_id]).toEqual([
      "0af7651916cd43dd8448eb211c80319c",
      "b7ad6b7169203332",
    ]);
  });

  it("a parent's id that is none is kept beside the span", () => {
    const { parent_span_id, content } = spanStepOf({}, { parentSpanId: "abc" });
    expect(parent_span_id).toBeUndefined();
    expect(content.metadata).toMatchObject({ parent_span_id: "abc" });
  });

  it("a log record's ids that are none are kept in its content", () => {
    const { otel_trace_id, parent_span_id, content } = logStepOf({}, { traceId: "12", spanId: 5 });
    expect([otel_trace_id, parent_span_id]).toEqual([undefined, undefined]);
    expect(content.custom_object).toEqual({ trace_id: "12", span_id: "(spanId is no text)" });
  });
});

describe("times", () => {
  it.each([
    ["0", undefined],
    ["-1", undefined],
    ["18446744073709551616", undefined],
    ["soon", undefined],
    ["1", "1970-01-01T00:00:00.000000Z"],
    ["9300000000000000000", "2264-09-14T21:20:00.000000Z"],
    ["18446744073709551615", "2554-07-21T23:34:33.709551Z"],
  ])("a span that starts at %s starts at %s, or is rejected", (startTimeUnixNano, started_at) => {
    expect(spanStepsOf(traceOf({}, { startTimeUnixNano })).steps[0]?.started_at).toBe(started_at);
  });

  it("a time as a number keeps its microseconds", () => {
    const body = JSON.stringify(traceOf({})).replace('"1795273220149000000"', "1795273220149000001");
    expect(spanStepsOf(body).steps[0]?.started_at).toBe("2026-11-21T15:00:20.149000Z");
  });

  it.each(["0", "1795273220148999999"])(
    "a span that ends at %s, before it starts, ends at its start",
    (end) => {
      const { started_at, occurred_at, latency_ms } = spanStepOf({}, { endTimeUnixNano: end });
      expect([occurred_at, latency_ms]).toEqual([started_at, undefined]);
    },
  );
});

describe("values that cannot be stored as they are", () => {
  it.each([
    [{ stringValue: "cut \ud83d" }, "cut \ufffd"],
    [{ stringValue: "a\u0000b" }, "a\ufffdb"],
    [{ doubleValue: "NaN" }, "NaN"],
    [{ doubleValue: "-Infinity" }, "-Infinity"],
    [{ doubleValue: 1e300 }, "1e+300"],
    [{ doubleValue: 5e-324 }, "5e-324"],
    [{ intValue: "9007199254740993" }, "9007199254740993"],
    [{ intValue: "-9223372036854775808" }, "-9223372036854775808"],
    [{ intValue: "12" }, 12],
    [{ int_value: 12 }, 12],
    [{ bytesValue: "AQID" }, "AQID"],
    [{}, null],
    [{ newValue: 5 }, null],
    [{ stringValue: 5 }, 5],
    [{ intValue: "twelve" }, "twelve"],
    [{ arrayValue: 5 }, 5],
    [
      { kvlistValue: { values: [{ key: "__proto__", value: { intValue: 1 } }] } },
      JSON.parse('{"__proto__":1}'),
    ],
    [
      {
        kvlistValue: {
          values: [
            { key: "a", value: { intValue: 1 } },
            { key: "a", value: { intValue: 2 } },
          ],
        },
      },
      [
        ["a", 1],
        ["a", 2],
      ],
    ],
  ])("%j becomes %j", (value, stored) => {
    expect(attributeOf(value)).toEqual(stored);
  });

  it("names are cleaned as texts are, and so is what stands in a text of JSON", () => {
    const step = spanStepOf({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.call.arguments": '{"a\\u0000":"\\ud83d","n":12345678901234567890,"e":1e400}',
      "b\u0000": 1,
    });
    expect(step.content.arguments).toEqual({ "a\ufffd": "\ufffd", n: "12345678901234567890", e: "Infinity" });
    expect(attributesOf(step)).toMatchObject({ "b\ufffd": 1 });
  });
});

describe("bodies that are no OTLP", () => {
  it.each([
    ["[]", "The body is not an object."],
    ["{", /^The body is not JSON: /],
    ['{"resourceSpans":{}}', "resourceSpans is not a list."],
    ['{"resourceSpans":[5]}', "resourceSpans[0] is not an object."],
    ['{"resource_spans":[{"scopeSpans":"x"}]}', "resource_spans[0].scopeSpans is not a list."],
    [
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":{}}]}]}]}',
      "resourceSpans[0].scopeSpans[0].spans[0].attributes is not a list.",
    ],
  ])("%s is refused, naming the place", (body, message) => {
    const read = () => readTraces(bytesOf(body), "json");
    expect(read).toThrow(OtlpError);
    expect(read).toThrow(message);
  });

  it("protobuf that is cut off is refused", () => {
    const whole = asProtobuf(traceOf({ a: 1 }), "TracesData");
    const cuts = Array.from({ length: whole.length - 1 }, (_, length) => whole.subarray(0, length + 1));
    for (const cut of cuts) expect(() => readTraces(cut, "protobuf")).toThrow(OtlpError);
  });

  it("groups of protobuf, which nobody sends, are skipped, but not without limit", () => {
    const start = new BinaryWriter().tag(100, WireType.StartGroup).finish();
    const end = new BinaryWriter().tag(100, WireType.EndGroup).finish();
    expect(readTraces(new Uint8Array([...start, ...end]), "protobuf")).toEqual([]);
    const bomb = new Uint8Array(Array.from({ length: 100_000 }, () => [...start]).flat());
    expect(() => readTraces(bomb, "protobuf")).toThrow(OtlpError);
  });

  it("an empty body of protobuf, and an empty object, have nothing in them", () => {
    expect(readTraces(new Uint8Array(), "protobuf")).toEqual([]);
    expect(readTraces(bytesOf("{}"), "json")).toEqual([]);
  });
});
