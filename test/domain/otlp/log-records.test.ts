import { describe, expect, it } from "vitest";
import { keyValues, logOf, logStepOf, logStepsOf, SPAN_ID, TRACE_ID } from "../../support/otlp-steps.ts";

const ids = { traceId: TRACE_ID, spanId: SPAN_ID };
const sampled = { ...ids, flags: 1 };

describe("a log record is a log entry", () => {
  it.each([
    [{ severityNumber: 1 }, "debug"],
    [{ severityNumber: 8 }, "debug"],
    [{ severityNumber: "SEVERITY_NUMBER_INFO" }, "info"],
    [{ severityNumber: 13 }, "warn"],
    [{ severityNumber: 24 }, "error"],
    [{ severityText: "WARNING" }, "warn"],
    [{ severityText: "Fatal" }, "error"],
    [{ severityText: "notice" }, "info"],
    [{}, "info"],
  ])("%j has the level %s", (record, level) => {
    expect(logStepOf({}, record).level).toBe(level);
  });

  it.each([
    ["a text", { body: { stringValue: "Hi" } }, {}, "Hi"],
    ["a structure", { body: { kvlistValue: { values: keyValues({ a: 1 }) } } }, {}, '{"a":1}'],
    ["an event's name", { eventName: "e" }, {}, "e"],
    ["an event's name in an attribute", {}, { "event.name": "e" }, "e"],
    ["nothing", {}, {}, ""],
  ])("its message is %s", (_, record, attributes, message) => {
    expect(logStepOf(attributes, record).content.message).toBe(message);
  });

  it("it stands below its span, and has no id of its own", () => {
    const { otel_trace_id, span_id, parent_span_id, kind } = logStepOf({}, ids);
    expect({ otel_trace_id, span_id, parent_span_id, kind }).toEqual({
      otel_trace_id: TRACE_ID,
      span_id: undefined,
      parent_span_id: SPAN_ID,
      kind: "log",
    });
  });

  it.each([
    ["its own time", { observedTimeUnixNano: "2000" }, "2026-11-21T15:00:20.149000Z"],
    ["when it was seen", { timeUnixNano: 0, observedTimeUnixNano: "2000" }, "1970-01-01T00:00:00.000002Z"],
    ["none", { timeUnixNano: 0 }, undefined],
  ])("its time is %s", (_, record, occurred_at) => {
    expect(logStepOf({}, record).occurred_at).toBe(occurred_at);
  });

  it("equal records of a request are told apart, and a repetition has the same fingerprints", () => {
    const [record] = (logOf({ a: 1 }) as { resourceLogs: object[] }).resourceLogs;
    const twice = {
      resourceLogs: [record, record, (logOf({ a: 2 }) as { resourceLogs: object[] }).resourceLogs[0]],
    };
    const fingerprints = logStepsOf(twice).steps.map(({ fingerprint }) => fingerprint);
    expect(new Set(fingerprints).size).toBe(3);
    expect(logStepsOf(twice).steps.map(({ fingerprint }) => fingerprint)).toEqual(fingerprints);
  });
});

describe("a log record that tells a message of a call", () => {
  const body = (members: object) => ({ body: { kvlistValue: { values: keyValues(members) } } });

  it.each([
    ["gen_ai.system.message", { content: "a" }, "input", { role: "system", content: "a" }],
    ["gen_ai.user.message", { content: "a", role: "human" }, "input", { role: "human", content: "a" }],
    ["gen_ai.tool.message", { content: "a", id: "1" }, "input", { role: "tool", id: "1", content: "a" }],
    [
      "gen_ai.choice",
      { index: 0, finish_reason: "stop", message: { content: "b" } },
      "output",
      { role: "assistant", content: "b", index: 0, finish_reason: "stop" },
    ],
  ])("%s", (eventName, said, side, message) => {
    const step = logStepOf({}, { eventName, ...ids, ...body(said) });
    expect(step.messages_of_call).toEqual([{ side, message }]);
    expect(step.kind).toBe("log");
  });

  it("the details of a call tell both sides", () => {
    const attributes = {
      "gen_ai.system_instructions": '[{"type":"text","content":"s"}]',
      "gen_ai.input.messages": '[{"role":"user","content":"a"}]',
      "gen_ai.output.messages": '[{"role":"assistant","content":"b"}]',
    };
    const step = logStepOf(attributes, { eventName: "gen_ai.client.inference.operation.details", ...ids });
    expect(step.messages_of_call).toEqual([
      { side: "input", message: { role: "system", content: "s" } },
      { side: "input", message: { role: "user", content: "a" } },
      { side: "output", message: { role: "assistant", content: "b" } },
    ]);
    expect(step.content.custom_object).toMatchObject({ attributes });
  });

  it("without the ids of its span it tells none", () => {
    expect(logStepOf({}, { eventName: "gen_ai.user.message" }).messages_of_call).toBeUndefined();
  });
});

describe("an event of a coding agent is a call, in the session that it names", () => {
  const claude = {
    "session.id": "s",
    "event.name": "api_request",
    model: "m",
    input_tokens: 3,
    cache_read_tokens: 50,
    duration_ms: "100",
  };
  const request = { body: { stringValue: "claude_code.api_request" } };

  it("Claude Code's request of a model", () => {
    expect(logStepOf(claude, request)).toMatchObject({
      kind: "llm",
      session_id: "s",
      model: "m",
      input_tokens: 3,
      total_tokens: 3,
      cached_input_tokens: 50,
      started_at: "2026-11-21T15:00:20.049000Z",
      occurred_at: "2026-11-21T15:00:20.149000Z",
      latency_ms: 100,
    });
    expect(logStepOf(claude, request).otel_trace_id).toBeUndefined();
  });

  it("within a sampled span it is a log entry of that span, which tells the same call", () => {
    expect(logStepOf(claude, { ...request, ...sampled })).toMatchObject({
      kind: "log",
      parent_span_id: SPAN_ID,
    });
    expect(logStepOf(claude, { ...request, ...ids }).kind).toBe("llm");
  });

  it("without a session it is a log entry", () => {
    expect(logStepOf({ ...claude, "session.id": null }, request).kind).toBe("log");
  });

  it("Claude Code's failure and its tools", () => {
    const failed = logStepOf(
      { ...claude, error: "overloaded" },
      { body: { stringValue: "claude_code.api_error" } },
    );
    expect(failed).toMatchObject({ kind: "llm", status: "error", error: { message: "overloaded" } });
    const tool = {
      "session.id": "s",
      tool_name: "Bash",
      tool_use_id: "1",
      success: "true",
      tool_input: '{"command":"ls"}',
    };
    expect(logStepOf(tool, { body: { stringValue: "claude_code.tool_result" } })).toMatchObject({
      kind: "tool",
      name: "Bash",
      status: "ok",
      content: { arguments: { command: "ls" }, call_id: "1" },
    });
  });

  it("Codex: the end of a stream has the tokens, as texts; its spans tell no calls", () => {
    const attributes = {
      "event.name": "codex.sse_event",
      "event.kind": "response.completed",
      "conversation.id": "s",
      model: "m",
      input_token_count: "30",
      output_token_count: "4",
      cached_token_count: "20",
      reasoning_token_count: "1",
    };
    expect(logStepOf(attributes, sampled)).toMatchObject({
      kind: "llm",
      session_id: "s",
      input_tokens: 30,
      output_tokens: 4,
      cached_input_tokens: 20,
      reasoning_tokens: 1,
    });
    expect(logStepOf({ ...attributes, "event.kind": "response.created" }).kind).toBe("log");
    const tool = {
      "event.name": "codex.tool_result",
      "conversation.id": "s",
      tool_name: "shell",
      call_id: "1",
      arguments: '{"a":1}',
      output: "done",
      success: "false",
    };
    expect(logStepOf(tool)).toMatchObject({
      kind: "tool",
      name: "shell",
      status: "error",
      content: { arguments: { a: 1 }, result: "done", call_id: "1" },
    });
  });

  it("Gemini CLI", () => {
    const answer = {
      "event.name": "gemini_cli.api_response",
      "session.id": "s",
      model: "m",
      input_token_count: 30,
      output_token_count: 4,
      thoughts_token_count: 2,
      duration_ms: 10,
    };
    expect(logStepOf(answer)).toMatchObject({
      kind: "llm",
      model: "m",
      input_tokens: 30,
      reasoning_tokens: 2,
      content: { usage: { reasoning_tokens: 2 } },
    });
    const tool = {
      "event.name": "gemini_cli.tool_call",
      "session.id": "s",
      function_name: "ls",
      function_args: "{}",
      success: true,
    };
    expect(logStepOf(tool)).toMatchObject({
      kind: "tool",
      name: "ls",
      status: "ok",
      content: { arguments: {} },
    });
  });
});
