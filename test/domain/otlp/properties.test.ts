import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logSteps } from "../../../functions/monkai-api/domain/otlp/log-records.ts";
import { ingestSteps } from "../../../functions/monkai-api/domain/otlp/openai-agents.ts";
import { spanSteps } from "../../../functions/monkai-api/domain/otlp/spans.ts";
import type { OtlpStep } from "../../../functions/monkai-api/domain/otlp/step.ts";
import {
  OtlpError,
  parseBody,
  readLogs,
  readTraces,
} from "../../../functions/monkai-api/domain/otlp/wire.ts";
import { ENUMS, MESSAGES } from "../../../functions/monkai-api/domain/otlp/wire-messages.ts";
import { findUnstorable } from "../../../functions/monkai-api/domain/storable.ts";
import { asProtobuf } from "../../support/otlp-protobuf.ts";
import { bytesOf, logStepOf, spanStepOf } from "../../support/otlp-steps.ts";

const runs = process.env.LONG_TESTS ? 5000 : 300;

/** Attributes that mean something in some dialect, and some that mean nothing. */
const NAMES = [
  "a",
  "__proto__",
  "constructor",
  "session.id",
  "user.id",
  "model",
  "error.type",
  "service.name",
  "monkai.namespace",
  "gen_ai.operation.name",
  "gen_ai.request.model",
  "gen_ai.response.model",
  "gen_ai.system_instructions",
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "gen_ai.prompt",
  "gen_ai.prompt.0.role",
  "gen_ai.prompt.0.content",
  "gen_ai.usage.input_tokens",
  "gen_ai.usage.output_tokens",
  "gen_ai.tool.name",
  "gen_ai.tool.call.id",
  "gen_ai.tool.call.arguments",
  "gen_ai.agent.name",
  "gen_ai.agent.id",
  "langfuse.observation.type",
  "langfuse.observation.input",
  "langfuse.observation.output",
  "langfuse.observation.usage_details",
  "langfuse.observation.level",
  "traceloop.span.kind",
  "traceloop.entity.input",
  "openinference.span.kind",
  "input.value",
  "output.value",
  "llm.input_messages.0.message",
  "llm.input_messages.0.message.role",
  "llm.input_messages.0.message.content",
  "llm.input_messages.1.message.tool_calls.0.tool_call.function.name",
  "llm.output_messages.0.message.content",
  "ai.operationId",
  "ai.prompt",
  "ai.response.text",
  "ai.response.toolCalls",
  "ai.usage.inputTokens",
  "span.type",
  "success",
  "ttft_ms",
  "event.name",
  "duration_ms",
  "input_tokens",
];
const VALUES = [
  "chat",
  "execute_tool",
  "invoke_agent",
  "generation",
  "tool",
  "agent",
  "LLM",
  "TOOL",
  "ai.toolCall",
  "ai.generateText.doGenerate",
  "llm_request",
  "claude_code.api_request",
  "codex.tool_result",
  "ERROR",
  '{"input":3,"output":-1}',
  '{"input":3,"output":4}',
  '[{"role":"user","content":"Hi"}]',
  '{"a":[1,{"b":null}]}',
  '"quoted"',
  "[not JSON",
  "",
  "0",
];

const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NAMES) }, fc.string({ unit: "binary" }));
const scalar = fc.oneof(
  fc.constantFrom(...VALUES).map((text) => ({ stringValue: text })),
  fc.string({ unit: "binary" }).map((text) => ({ stringValue: text })),
  fc.boolean().map((value) => ({ boolValue: value })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ intValue: String(value) })),
  fc.nat().map((value) => ({ intValue: String(value) })),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => ({ doubleValue: value })),
  fc.constantFrom("NaN", "Infinity", "-Infinity").map((value) => ({ doubleValue: value })),
  fc.uint8Array().map((bytes) => ({ bytesValue: Buffer.from(bytes).toString("base64") })),
  fc.constant({}),
);
const { value } = fc.letrec<{ value: object }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { weight: 5, arbitrary: scalar },
    fc.array(tie("value"), { maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
    fc
      .array(fc.record({ key: name, value: tie("value") }), { maxLength: 3 })
      .map((values) => ({ kvlistValue: { values } })),
  ),
}));
const attributes = fc.array(fc.record({ key: name, value }), { maxLength: 12 });
const hexId = (digits: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: digits, maxLength: digits });
const time = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);

/** Any message of a type, whole or with fields missing. */
function message(type: string): fc.Arbitrary<object> {
  const fields = (MESSAGES[type] ?? []).map(([, member, fieldType, isList]) => {
    const one = fieldValue(member, fieldType);
    if (fieldType === "KeyValue") return [member, attributes] as const;
    return [member, isList ? fc.array(one, { maxLength: 2 }) : one] as const;
  });
  return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
}

function fieldValue(member: string, type: string): fc.Arbitrary<unknown> {
  if (type === "AnyValue") return value;
  if (MESSAGES[type]) return message(type);
  const names = ENUMS[type];
  if (names) return fc.oneof(fc.nat(30), fc.constantFrom(...names));
  if (type === "string") return fc.string({ unit: "binary" });
  if (type === "bytes") return fc.oneof(hexId(member === "traceId" ? 32 : 16), hexId(8), fc.constant(""));
  return type === "fixed64" ? time : fc.nat();
}

/** Every leaf of a value as plain JSON has it. */
function leavesOf(node: unknown, found: unknown[] = []): unknown[] {
  if (typeof node !== "object" || node === null) found.push(node);
  else for (const below of Object.values(node)) leavesOf(below, found);
  return found;
}

/** All that a step holds, with texts of JSON beside what they say. */
function held(step: OtlpStep): Set<string> {
  return new Set(leavesOf(step).map((leaf) => String(leaf)));
}

/** What one attribute is expected to leave in its step: its leaves, those of JSON in it for a text of JSON. */
function expectedLeaves(attribute: { key: string; value: object }): string[] {
  const plain = spanStepOf({}, { attributes: [{ key: "kept", value: attribute.value }] }).content.metadata;
  const { kept } = (plain as { attributes: { kept: unknown } }).attributes;
  return leavesOf(kept).map(String);
}

function parsedLeaves(text: string): string[] {
  try {
    return leavesOf(JSON.parse(text)).map(String);
  } catch {
    return [text];
  }
}

describe("whatever is sent", () => {
  it("every value of an attribute is kept", () => {
    fc.assert(
      fc.property(attributes, (sent) => {
        const step = spanStepOf({}, { attributes: sent });
        const leaves = held(step);
        const last = new Map(sent.map((attribute) => [attribute.key, attribute]));
        const lost = [...last.values()].flatMap(expectedLeaves).filter((leaf) => {
          return !leaves.has(leaf) && !parsedLeaves(leaf).every((parsed) => leaves.has(parsed));
        });
        expect(lost).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  it("every attribute is named, or its value is in a place of its own", () => {
    fc.assert(
      fc.property(attributes, (sent) => {
        const { content } = spanStepOf({}, { attributes: sent });
        const { attributes: left = {}, repeated_attributes: repeated = [] } = content.metadata as {
          attributes?: object;
          repeated_attributes?: { name: string }[];
        };
        const known = new Set(NAMES);
        const unknown = sent.map(({ key }) => key.toWellFormed().replaceAll("\0", "\ufffd"));
        const named = new Set([...Object.keys(left), ...repeated.map((pair) => pair.name)]);
        expect(unknown.filter((key) => !named.has(key) && !known.has(key))).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  it.each(["TracesData", "LogsData"] as const)("%s make the same steps in JSON and in protobuf", (type) => {
    const stepsOf = (body: Uint8Array, form: "json" | "protobuf") =>
      type === "TracesData" ? spanSteps(readTraces(body, form)) : logSteps(readLogs(body, form));
    fc.assert(
      fc.property(message(type), (sent) => {
        expect(stepsOf(asProtobuf(sent, type), "protobuf")).toEqual(stepsOf(bytesOf(sent), "json"));
      }),
      { numRuns: runs },
    );
  });

  it("steps can be stored, and are told in known kinds", () => {
    fc.assert(
      fc.property(message("TracesData"), message("LogsData"), (traces, logs) => {
        const { steps } = spanSteps(readTraces(bytesOf(traces), "json"));
        const both = [...steps, ...logSteps(readLogs(bytesOf(logs), "json")).steps];
        expect(both.map((step) => findUnstorable(step))).toEqual(both.map(() => undefined));
        const kinds = new Set(["llm", "tool", "agent", "span", "log"]);
        expect(both.filter(({ kind }) => !kinds.has(kind))).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  it("any bytes make steps or an OtlpError, and nothing else", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      message("TracesData").map((sent) => asProtobuf(sent, "TracesData")),
      fc.json().map(bytesOf),
    );
    fc.assert(
      fc.property(bytes, fc.nat(), fc.nat(255), (sent, place, byte) => {
        const broken = Uint8Array.from(sent);
        if (broken.length > 0) broken[place % broken.length] = byte;
        const readings = [
          () => spanSteps(readTraces(broken, "protobuf")),
          () => logSteps(readLogs(broken, "protobuf")),
          () => spanSteps(readTraces(broken, "json")),
          () => logSteps(readLogs(broken, "json")),
          () => ingestSteps(parseBody(broken)),
        ];
        expect(
          readings.map(outcomeOf).filter((outcome) => outcome !== "steps" && outcome !== "refused"),
        ).toEqual([]);
      }),
      { numRuns: runs * 3 },
    );
  });

  it("any JSON in the place of OTLP's makes steps or an OtlpError, and nothing else", () => {
    const member = fc.constantFrom(
      "resourceSpans",
      "scopeSpans",
      "spans",
      "attributes",
      "value",
      "arrayValue",
      "values",
      "key",
      "traceId",
      "events",
      "data",
      "object",
      "span_data",
      "type",
      "error",
      "usage",
    );
    const { body } = fc.letrec<{ body: unknown }>((tie) => ({
      body: fc.oneof(
        { depthSize: "medium" },
        fc.constantFrom(null, 1, "trace.span", "custom", "x", true),
        fc.array(tie("body"), { maxLength: 3 }),
        fc.dictionary(member, tie("body"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(body, (sent) => {
        const readings = [
          () => spanSteps(readTraces(bytesOf(sent), "json")),
          () => ingestSteps(parseBody(bytesOf(sent))),
        ];
        expect(
          readings.map(outcomeOf).filter((outcome) => outcome !== "steps" && outcome !== "refused"),
        ).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  it("a log record that is sent again has the same fingerprints, and no two of a request have the same", () => {
    fc.assert(
      fc.property(message("LogsData"), (sent) => {
        const fingerprints = () =>
          logSteps(readLogs(bytesOf(sent), "json")).steps.map((step) => step.fingerprint);
        expect(fingerprints()).toEqual(fingerprints());
        expect(new Set(fingerprints()).size).toBe(fingerprints().length);
      }),
      { numRuns: runs },
    );
  });

  it("a log record keeps every value, too", () => {
    fc.assert(
      fc.property(attributes, value, (sent, body) => {
        const leaves = held(logStepOf({}, { attributes: sent, body }));
        const last = new Map(sent.map((attribute) => [attribute.key, attribute]));
        const lost = [...last.values()].flatMap(expectedLeaves).filter((leaf) => {
          return !leaves.has(leaf) && !parsedLeaves(leaf).every((parsed) => leaves.has(parsed));
        });
        expect(lost).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  it("every text of a span or a log record is kept, wherever it stands and whatever it means there", () => {
    const word = fc.uuid();
    const meant = fc.constantFrom(...VALUES);
    const text = fc.oneof(
      word,
      meant,
      word.map((one) => JSON.stringify({ a: [one] })),
      word.map((one) => `"${one}"`),
    );
    const told = fc.array(
      fc.record({ key: fc.constantFrom(...NAMES), value: text.map((one) => ({ stringValue: one })) }),
      { maxLength: 15 },
    );
    const sent = fc.record({
      attributes: told,
      events: fc.array(fc.record({ name: fc.constantFrom("exception", "tool.output"), attributes: told })),
      links: fc.array(fc.record({ traceState: word, attributes: told }), { maxLength: 2 }),
      status: fc.record({ code: fc.nat(3), message: word }),
      parentSpanId: word,
      traceState: word,
      eventName: fc.oneof(word, meant),
      body: text.map((one) => ({ stringValue: one })),
      severityText: word,
      traceId: fc.constantFrom("0af7651916cd43dd8448eb211c80319c", "beef"),
    });
    const lostIn = (kept: unknown, parts: unknown) => {
      const words = JSON.stringify(parts).match(/[0-9a-f-]{36}/g) ?? [];
      const written = JSON.stringify(kept);
      return words.filter((one) => !written.includes(one));
    };
    fc.assert(
      fc.property(sent, ({ traceId, eventName, body, severityText, ...span }) => {
        expect(lostIn(spanStepOf({}, span), span)).toEqual([]);
        const record = { traceId, eventName, body, severityText, attributes: span.attributes };
        const { fingerprint, ...step } = logStepOf({}, record);
        expect(lostIn(step, record)).toEqual([]);
      }),
      { numRuns: runs },
    );
  });

  it("every text of an item of OpenAI Agents is kept, wherever it stands", () => {
    const members = [
      "name",
      "input",
      "output",
      "data",
      "usage",
      "model",
      "from_agent",
      "to_agent",
      "agent_name",
    ];
    const types = ["agent", "response", "generation", "function", "handoff", "custom", "guardrail", 5];
    const word = fc.uuid();
    const { said } = fc.letrec<{ said: unknown }>((tie) => ({
      said: fc.oneof(
        { depthSize: "small" },
        { weight: 3, arbitrary: word },
        fc.constantFrom(null, 3, "turn"),
        fc.array(tie("said"), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom(...members, "sdk_span_type"), tie("said"), { maxKeys: 4 }),
      ),
    }));
    const data = fc.dictionary(fc.constantFrom(...members, "more"), said);
    const item = fc.record({
      object: fc.constantFrom("trace", "trace.span"),
      id: fc.constant("span_1"),
      trace_id: fc.constant("trace_1"),
      started_at: fc.constant("2026-11-21T15:16:21Z"),
      span_data: fc.oneof(
        said,
        fc.tuple(fc.constantFrom(...types), data).map(([type, rest]) => ({ ...rest, type })),
      ),
      ended_at: said,
      parent_id: said,
      error: said,
      metadata: said,
      workflow_name: said,
      group_id: said,
    });
    fc.assert(
      fc.property(item, (sent) => {
        const named = sent.object === "trace" ? { ...sent, id: "trace_1", trace_id: null } : sent;
        const texts = leavesOf(named).filter((leaf) => String(leaf).length === 36);
        const { steps, rejected } = ingestSteps({ data: [structuredClone(named)] });
        expect(rejected).toBe(0);
        const kept = JSON.stringify(steps);
        expect(texts.filter((text) => !kept.includes(String(text)))).toEqual([]);
      }),
      { numRuns: runs },
    );
  });
});

function outcomeOf(read: () => unknown): unknown {
  try {
    read();
    return "steps";
  } catch (error) {
    return error instanceof OtlpError ? "refused" : error;
  }
}
