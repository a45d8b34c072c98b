import { describe, expect, it } from "vitest";
import {
  handoffStep,
  llmStep,
  logEntryStep,
  logStep,
  messageStep,
  toolStep,
} from "../../functions/monkai-api/domain/sent-steps.ts";

const ENDED = "2025-10-29T15:30:03.848108Z";

describe("when a step began", () => {
  it.each([
    [
      "told: as told",
      { started_at: "2025-10-29T15:00:00.000000Z", timestamp: ENDED, latency_ms: 1 },
      "2025-10-29T15:00:00.000000Z",
    ],
    [
      "its end less how long it took, to the microsecond",
      { timestamp: ENDED, latency_ms: 1_500 },
      "2025-10-29T15:30:02.348108Z",
    ],
    [
      "before the first year: its first moment",
      { timestamp: ENDED, latency_ms: Number.MAX_SAFE_INTEGER },
      "0001-01-01T00:00:00.000000Z",
    ],
    ["its end alone: that is for the database to say", { timestamp: ENDED }, undefined],
    ["how long it took alone: only the database knows when that was", { latency_ms: 5 }, undefined],
  ])("%s", (_, sent, started_at) => {
    expect(llmStep(sent).started_at).toBe(started_at);
  });
});

describe("how a step went", () => {
  const tool = (sent: object) => toolStep({ tool_name: "t", ...sent }).status;
  const error = { message: "too slow" };

  it("is not told where nothing tells it: never ok", () => {
    expect([tool({}), tool({ result: { is_error: false } }), tool({ result: "is_error" })]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("is an error where one is told, or a tool's result says so", () => {
    expect([tool({ error }), tool({ result: { is_error: true } })]).toEqual(["error", "error"]);
    for (const step of [
      llmStep({ error }),
      handoffStep({ error, from_agent: "a", to_agent: "b" }),
      logStep({ error }),
      messageStep({ error, namespace: "n" }),
      logEntryStep({ error, namespace: "n" }),
    ]) {
      expect([step.status, step.error]).toEqual(["error", error]);
    }
  });

  it("is what its sender says, whatever else it says", () => {
    expect(tool({ status: "ok", error, result: { is_error: true } })).toBe("ok");
  });
});

describe("what its sender gets back", () => {
  it("has the trace_id where its sender said one, and not where it said a parent alone", () => {
    expect(llmStep({ trace_id: "t", parent_trace_id: "p" }).result).toEqual({
      success: true,
      trace_type: "llm_call",
      tokens: { input: 0, output: 0 },
      trace_id: "t",
    });
    expect(logStep({ parent_trace_id: "p" }).result).toEqual({ success: true, trace_type: "log" });
  });
});

describe("what of a step is a column, and what is content", () => {
  it("a tool call: its tool is its name, and not said again", () => {
    const sent = { tool_name: "find", result: 7, session_id: "s", latency_ms: 3, parent_trace_id: "p" };
    expect(JSON.parse(JSON.stringify(toolStep(sent)))).toEqual({
      kind: "tool",
      name: "find",
      session_id: "s",
      latency_ms: 3,
      parent_trace_id: "p",
      content: { result: 7 },
      result: { success: true, trace_type: "tool_call", tool_name: "find" },
    });
  });

  it("a handoff: filed under who hands over, named for who takes over; both are content too", () => {
    const { agent, name, content } = handoffStep({ from_agent: "a", to_agent: "b" });
    expect([agent, name]).toEqual(["a", "b"]);
    expect(content).toMatchObject({ from_agent: "a", to_agent: "b" });
  });

  it.each([
    [{ metadata: { a: 1 } }, { custom_object: { a: 1 } }],
    [{ custom_object: { b: 2 } }, { custom_object: { b: 2 } }],
    [
      { metadata: { a: 1 }, custom_object: { b: 2 } },
      { metadata: { a: 1 }, custom_object: { b: 2 } },
    ],
  ])("a log entry's objects: of %j nothing is lost", (sent, content) => {
    expect(JSON.parse(JSON.stringify(logStep(sent).content))).toEqual(content);
  });
});

describe("cached and reasoning tokens of a model call", () => {
  const detailsOf = (usage: unknown) => {
    const { cached_input_tokens, reasoning_tokens } = llmStep({ output: { usage } });
    return [cached_input_tokens, reasoning_tokens];
  };

  it.each([
    [
      "Chat Completions",
      {
        prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    ],
    [
      "Responses",
      { input_tokens_details: { cached_tokens: 4 }, output_tokens_details: { reasoning_tokens: 3 } },
    ],
    ["AI SDK 5", { cachedInputTokens: 4, reasoningTokens: 3 }],
    [
      "AI SDK 6",
      {
        inputTokenDetails: { cacheReadTokens: 4 },
        outputTokenDetails: { textTokens: 1, reasoningTokens: 3 },
      },
    ],
    [
      "LangChain",
      { input_token_details: { cache_read: 4 }, output_token_details: { audio: 1, reasoning: 3 } },
    ],
  ])("are told in the spelling of %s", (_, usage) => {
    expect(detailsOf(usage)).toEqual([4, 3]);
  });

  it("Anthropic tells those from a cache beside its input, which stays as it was told", () => {
    const usage = { input_tokens: 2, output_tokens: 5, cache_read_input_tokens: 40, cache_creation: {} };
    expect(llmStep({ output: { usage } })).toMatchObject({
      input_tokens: 2,
      total_tokens: 7,
      cached_input_tokens: 40,
      result: { tokens: { input: 2, output: 5 } },
    });
  });

  it.each([undefined, null, "many", [{ cached_tokens: 4 }], { cached_tokens: -1, reasoning_tokens: 1.5 }])(
    "of the usage %j are not told: absent, not 0",
    (usage) => expect(detailsOf(usage)).toEqual([undefined, undefined]),
  );
});

describe("the user of a step", () => {
  it("is the external user, of a record without one its own", () => {
    const sent = { external_user_id: "e", namespace: "n", user_id: "u" };
    for (const step of [
      llmStep(sent),
      toolStep({ ...sent, tool_name: "t" }),
      handoffStep({ ...sent, from_agent: "a", to_agent: "b" }),
      messageStep(sent),
    ]) {
      expect(step.user_id).toBe("e");
    }
    expect(messageStep({ namespace: "n", user_id: "u" }).user_id).toBe("u");
    expect([llmStep({ external_user_id: "" }).user_id, messageStep({ namespace: "n" }).user_id]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe("an uploaded record's total_tokens", () => {
  it.each([
    [{ input_tokens: 1, memory_tokens: 2 }, 3],
    [{ input_tokens: 1, total_tokens: 9 }, 9],
    [{}, undefined],
  ])("of %j is %s", (tokens, total) => {
    expect(messageStep({ namespace: "n", ...tokens }).total_tokens).toBe(total);
  });
});
