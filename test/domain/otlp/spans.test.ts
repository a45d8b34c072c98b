import { describe, expect, it } from "vitest";
import type { OtlpStep } from "../../../functions/monkai-api/domain/otlp/step.ts";
import { saidIn, spanStepOf, spanStepsOf, traceOf } from "../../support/otlp-steps.ts";

const chat = { "gen_ai.operation.name": "chat" };

function leftOf({ content }: OtlpStep): object | undefined {
  return (content.metadata as { attributes?: object } | undefined)?.attributes;
}

describe("what a span is", () => {
  it.each([
    ["nothing told", {}, "span"],
    ["an unknown operation", { "gen_ai.operation.name": "dream" }, "span"],
    ["a name that objects have by themselves", { "gen_ai.operation.name": "constructor" }, "span"],
    ["embeddings", { "gen_ai.operation.name": "embeddings" }, "llm"],
    ["Langfuse before OTel", { "langfuse.observation.type": "agent", ...chat }, "agent"],
    ["Traceloop before OTel", { "traceloop.span.kind": "tool", ...chat }, "tool"],
    ["OTel before OpenInference", { "openinference.span.kind": "CHAIN", ...chat }, "llm"],
    [
      "OpenInference before the AI SDK",
      { "openinference.span.kind": "AGENT", "ai.operationId": "ai.toolCall" },
      "agent",
    ],
    ["the AI SDK's stream", { "ai.operationId": "ai.streamText.doStream" }, "llm"],
    ["the AI SDK's wrapper", { "ai.operationId": "ai.streamText" }, "span"],
    ["older Traceloop", { "llm.request.type": "completion" }, "llm"],
    ["Claude Code's tool execution", { "span.type": "tool.execution" }, "span"],
    ["Mastra's call", { "mastra.span.type": "model_inference" }, "llm"],
    ["Mastra's step of an agent", { "gen_ai.operation.name": "agent_step" }, "span"],
    ["LangSmith's chain", { "langsmith.span.kind": "chain" }, "span"],
  ])("%s", (_, attributes, kind) => {
    expect(spanStepOf(attributes).kind).toBe(kind);
  });

  it.each([
    [{ "langfuse.observation.type": "embedding" }, "embeddings"],
    [{ "openinference.span.kind": "LLM" }, "chat"],
    [{ "gen_ai.operation.name": "generate_content" }, "generate_content"],
  ])("the operation of %j is %s", (attributes, operation) => {
    expect(spanStepOf(attributes).content.operation).toBe(operation);
  });
});

describe("whose a span is", () => {
  it.each([
    ["its own word", { "monkai.namespace": "mine" }, { "monkai.namespace": "theirs" }, "mine"],
    ["its resource's word", {}, { "monkai.namespace": "theirs", "service.name": "shop" }, "theirs"],
    ["its service", {}, { "service.name": "shop" }, "shop"],
    ["a service without a name", {}, { "service.name": "unknown_service:node" }, "default"],
    ["a name that is too long", {}, { "service.name": "x".repeat(129) }, "default"],
    ["nothing", {}, {}, "default"],
  ])("the namespace: %s", (_, attributes, resource, namespace) => {
    expect(spanStepOf(attributes, {}, resource).namespace).toBe(namespace);
  });

  it("the session and the user are the first that are told; others that differ are kept", () => {
    const step = spanStepOf({
      "gen_ai.conversation.id": "b",
      "session.id": "a",
      "metadata.sessionId": "a",
      "enduser.id": "u",
    });
    expect([step.session_id, step.user_id]).toEqual(["a", "u"]);
    expect(leftOf(step)).toEqual({ "gen_ai.conversation.id": "b" });
  });

  it("a session that is too long to be one is none, and is kept", () => {
    const long = "x".repeat(513);
    const step = spanStepOf({ "session.id": long });
    expect(step.session_id).toBeUndefined();
    expect(leftOf(step)).toEqual({ "session.id": long });
  });
});

describe("tokens", () => {
  it("a call without usage has none, not 0", () => {
    const step = spanStepOf(chat);
    expect([step.input_tokens, step.output_tokens, step.total_tokens, step.content.usage]).toEqual(
      Array(4).fill(undefined),
    );
  });

  it.each([-1, 1.5, 2 ** 40, "many"])("%s tokens are none, and are kept", (count) => {
    const step = spanStepOf({ ...chat, "gen_ai.usage.input_tokens": count });
    expect(step.input_tokens).toBeUndefined();
    expect(leftOf(step)).toEqual({ "gen_ai.usage.input_tokens": count });
  });

  it("Langfuse's details have the names of the field, and others as they were told", () => {
    const details = { input: 3, output: 4, total: 7, cache_read_input_tokens: 1, audio: 2 };
    const step = spanStepOf({
      "langfuse.observation.type": "generation",
      "langfuse.observation.usage_details": JSON.stringify(details),
    });
    expect(step).toMatchObject({
      input_tokens: 3,
      output_tokens: 4,
      total_tokens: 7,
      cached_input_tokens: 1,
    });
    expect(step.content.usage).toEqual({
      input_tokens: 3,
      output_tokens: 4,
      total_tokens: 7,
      cached_input_tokens: 1,
      audio: 2,
    });
  });

  it("an agent that repeats those of its calls has them in its content alone", () => {
    const step = spanStepOf({ "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 3 });
    expect(step.input_tokens).toBeUndefined();
    expect(step.content.usage).toEqual({ input_tokens: 3 });
  });
});

describe("how a span ended", () => {
  const exception = {
    name: "exception",
    attributes: [
      { key: "exception.type", value: { stringValue: "TypeError" } },
      { key: "exception.message", value: { stringValue: "is no function" } },
    ],
  };

  it.each([
    ["nothing told", {}, {}, undefined, undefined],
    ["a status by its name", {}, { status: { code: "STATUS_CODE_OK" } }, "ok", undefined],
    ["a message", {}, { status: { code: 2, message: "no" } }, "error", { message: "no" }],
    ["a type", { "error.type": "timeout" }, {}, "error", { type: "timeout", message: "timeout" }],
    [
      "an exception",
      {},
      { status: { code: 2 }, events: [exception] },
      "error",
      { type: "TypeError", message: "is no function" },
    ],
    ["an exception that was caught", {}, { events: [exception] }, undefined, undefined],
    [
      "Langfuse's level",
      { "langfuse.observation.level": "ERROR", "langfuse.observation.status_message": "no" },
      {},
      "error",
      { message: "no" },
    ],
    [
      "Claude Code's success",
      { "span.type": "tool.execution", success: false, error: "no" },
      {},
      "error",
      { message: "no" },
    ],
    ["somebody else's success", { success: false }, {}, undefined, undefined],
    ["a status that is not known", {}, { status: { code: 7 } }, undefined, undefined],
  ])("%s", (_, attributes, span, status, error) => {
    const step = spanStepOf(attributes, span);
    expect([step.status, step.error]).toEqual([status, error]);
  });
});

describe("what was said", () => {
  it.each([
    ["a text", { "gen_ai.prompt": "Hi" }, [{ role: "user", content: "Hi" }]],
    [
      "numbered attributes, in the order of their numbers",
      {
        "gen_ai.prompt.10.content": "b",
        "gen_ai.prompt.10.role": "user",
        "gen_ai.prompt.2.role": "system",
        "gen_ai.prompt.2.content": "a",
      },
      [
        { role: "system", content: "a" },
        { role: "user", content: "b" },
      ],
    ],
    [
      "parts",
      {
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"a"},{"type":"blob"}]}]',
      },
      [{ role: "user", content: [{ type: "text", content: "a" }, { type: "blob" }] }],
    ],
    [
      "a body of a request",
      {
        "input.value": '{"messages":[{"role":"user","content":"Hi"}]}',
        "output.value": '{"choices":[{"message":{"role":"assistant","content":"Ho"}}]}',
      },
      [
        { role: "user", content: "Hi" },
        { role: "assistant", content: "Ho" },
      ],
    ],
    [
      "system instructions come first",
      { "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]', "gen_ai.completion": "Ho" },
      [
        { role: "system", content: "Be brief." },
        { role: "assistant", content: "Ho" },
      ],
    ],
    ["anything else", { "input.value": '{"q":1}' }, [{ role: "user", content: { q: 1 } }]],
    [
      "an answer that looks like JSON is a text",
      { "ai.response.text": '{"a":1}' },
      [{ role: "assistant", content: '{"a":1}' }],
    ],
  ])("%s", (_, attributes, msg) => {
    expect(saidIn(spanStepOf({ ...chat, ...attributes }))).toEqual(msg);
  });

  it("numbered attributes that contradict one another are kept beside the messages", () => {
    const step = spanStepOf({
      ...chat,
      "llm.input_messages.0.message.content": "a",
      "llm.input_messages.0.message.content.text": "b",
      "llm.input_messages.x.message.content": "c",
      "llm.input_messages.0.message.role": null,
    });
    expect(step.content.input).toEqual([{ content: "a" }]);
    expect(leftOf(step)).toEqual({
      "llm.input_messages.0.message.content.text": "b",
      "llm.input_messages.x.message.content": "c",
      "llm.input_messages.0.message.role": null,
    });
  });

  it.each([
    ["Langfuse", { "langfuse.observation.completion_start_time": '"2026-11-21T15:00:20.199Z"' }, 50],
    ["the AI SDK", { "ai.response.msToFirstChunk": 12.5 }, 12.5],
    ["OTel, in seconds", { "gen_ai.response.time_to_first_chunk": 0.25 }, 250],
    ["a time that cannot be", { "langfuse.observation.completion_start_time": "soon" }, undefined],
  ])("the time to the first token: %s", (_, attributes, milliseconds) => {
    expect(spanStepOf({ ...chat, ...attributes }).content.time_to_first_token_ms).toBe(milliseconds);
  });
});

describe("what has no place of its own", () => {
  it("stands in the metadata", () => {
    const body = traceOf(
      { a: 1 },
      {
        kind: "SPAN_KIND_SERVER",
        traceState: "x=1",
        flags: 257,
        status: { message: "as usual" },
        droppedEventsCount: 2,
        events: [
          {
            name: "e",
            timeUnixNano: "1795273220149000000",
            attributes: [{ key: "b", value: { boolValue: true } }],
          },
        ],
        links: [{ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", flags: 1 }],
      },
      { "host.name": "vm" },
    );
    expect(spanStepsOf(body).steps[0]?.content.metadata).toEqual({
      attributes: { a: 1 },
      events: [{ name: "e", time: "2026-11-21T15:00:20.149000Z", attributes: { b: true } }],
      links: [{ trace_id: "0af7651916cd43dd8448eb211c80319c", span_id: "b7ad6b7169203331", flags: 1 }],
      span_kind: "server",
      trace_state: "x=1",
      flags: 257,
      status_message: "as usual",
      dropped_events_count: 2,
      resource: { "host.name": "vm" },
    });
  });

  it("no name and no start are reasons to reject a span", () => {
    const { reasons } = spanStepsOf({
      resourceSpans: [traceOf({}, { name: "" }), traceOf({}, { startTimeUnixNano: 0 })].flatMap(
        (body) => (body as { resourceSpans: object[] }).resourceSpans,
      ),
    });
    expect(reasons).toEqual([
      "The span b7ad6b7169203331 has no name.",
      'The span "a span" has no startTimeUnixNano.',
    ]);
  });
});
