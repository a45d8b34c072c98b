import { describe, expect, it } from "vitest";
import { ingestSteps } from "../../../functions/monkai-api/domain/otlp/openai-agents.ts";
import type { OtlpStep } from "../../../functions/monkai-api/domain/otlp/step.ts";
import { OtlpError } from "../../../functions/monkai-api/domain/otlp/wire.ts";
import { saidIn } from "../../support/otlp-steps.ts";

const TRACE = `trace_${"0a".repeat(16)}`;

function item(span_data: object, members: object = {}): object {
  return {
    object: "trace.span",
    id: "span_0E6DEFA273704A92918C8208",
    trace_id: TRACE,
    parent_id: "span_8e2a3f7eced54c93b935e9b7",
    started_at: "2026-11-21T15:16:21.719Z",
    ended_at: "2026-11-21T15:16:21.746Z",
    span_data,
    error: null,
    ...members,
  };
}

function stepOf(span_data: object, members: object = {}): OtlpStep {
  return ingestSteps({ data: [item(span_data, members)] }).steps[0] as OtlpStep;
}

describe("items of OpenAI Agents", () => {
  it("ids are without their prefix, in lower case, but for the trace's", () => {
    expect(stepOf({ type: "guardrail", name: "g", triggered: true })).toEqual({
      kind: "span",
      otel_trace_id: TRACE,
      span_id: "0e6defa273704a92918c8208",
      parent_span_id: "8e2a3f7eced54c93b935e9b7",
      started_at: "2026-11-21T15:16:21.719000Z",
      occurred_at: "2026-11-21T15:16:21.746000Z",
      latency_ms: 27,
      name: "g",
      content: { metadata: { type: "guardrail", triggered: true } },
    });
  });

  it("a run is a step that tells session, namespace and user; the spans beside it are in its namespace", () => {
    const run = {
      object: "trace",
      id: TRACE,
      workflow_name: "shop",
      group_id: "s",
      metadata: { user_id: "u" },
    };
    const { steps } = ingestSteps({ data: [run, item({ type: "response", response_id: "r" })] });
    expect(steps[0]).toEqual({
      kind: "span",
      namespace: "shop",
      session_id: "s",
      user_id: "u",
      otel_trace_id: TRACE,
      span_id: "trace",
      name: "shop",
      content: { metadata: { attributes: { user_id: "u" } } },
    });
    expect(steps[1]).toMatchObject({
      kind: "llm",
      namespace: "shop",
      content: { metadata: { response_id: "r" } },
    });
  });

  it("a run without a name is in no namespace", () => {
    const run = { object: "trace", id: TRACE, workflow_name: "Agent workflow" };
    expect(ingestSteps({ data: [run] }).steps[0]).toMatchObject({ name: "Agent workflow" });
    expect(ingestSteps({ data: [run] }).steps[0]?.namespace).toBeUndefined();
  });

  it.each([
    [
      "in `usage`",
      {
        usage: { input_tokens: 3, output_tokens: 4, details: { cached_tokens: 1 } },
        output: [{ role: "assistant", content: "Ho" }],
      },
    ],
    [
      "in the answer",
      {
        output: [
          {
            choices: [{ message: { role: "assistant", content: "Ho" } }],
            usage: { prompt_tokens: 3, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 1 } },
          },
        ],
      },
    ],
  ])("a generation has its tokens %s", (_, members) => {
    const step = stepOf({
      type: "generation",
      model: "m",
      input: [{ role: "user", content: "Hi" }],
      ...members,
    });
    expect(step).toMatchObject({
      kind: "llm",
      model: "m",
      input_tokens: 3,
      output_tokens: 4,
      total_tokens: 7,
      cached_input_tokens: 1,
    });
    expect(step.content.usage).toEqual({ input_tokens: 3, output_tokens: 4, cached_input_tokens: 1 });
    expect(saidIn(step)).toEqual([
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Ho" },
    ]);
  });

  it("a function is a tool; what failed says why", () => {
    const error = { message: "no", data: { code: 5 } };
    const step = stepOf({ type: "function", name: "f", input: '{"a":1}', output: "[2]" }, { error });
    expect(step).toMatchObject({
      kind: "tool",
      name: "f",
      status: "error",
      error: { message: "no" },
      content: { arguments: { a: 1 }, result: [2], metadata: { error_data: { data: { code: 5 } } } },
    });
  });

  it("a span of the application is a span, and keeps its data", () => {
    const step = stepOf({ type: "custom", name: "mine", data: { a: 1 } });
    expect(step).toMatchObject({ kind: "span", name: "mine", content: { metadata: { data: { a: 1 } } } });
    expect(step.role).toBeUndefined();
  });

  it.each([
    ["no object", 5],
    ["an unknown item", { object: "metric" }],
    ["an id as a number", item({}, { id: 5 })],
    ["an id without its prefix", item({}, { trace_id: "0a" })],
    ["no start", item({}, { started_at: null })],
  ])("%s is rejected, and the others are kept", (_, broken) => {
    const { steps, rejected, reasons } = ingestSteps({ data: [broken, item({ type: "agent", name: "a" })] });
    expect([steps.length, rejected, reasons.length]).toEqual([1, 1, 1]);
  });

  it.each([[[]], [{}], [{ data: {} }], [null]])("%j is no such body", (body) => {
    expect(() => ingestSteps(body)).toThrow(OtlpError);
  });
});
