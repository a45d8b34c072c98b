import { CHAT, type Dialect, EMBEDDINGS, SPAN, TOOL } from "./dialect.ts";

const CALL = /\.do(Generate|Stream)$/;

/** Vercel's AI SDK 4 and 5, and 7 as it was before its own OTel package. What wraps calls repeats their tokens: a span. */
export const aiSdk: Dialect = {
  kinds: [
    {
      attribute: "ai.operationId",
      means: (id) => {
        if (CALL.test(id)) return CHAT;
        if (id.endsWith(".doEmbed")) return EMBEDDINGS;
        return id === "ai.toolCall" ? TOOL : SPAN;
      },
    },
  ],
  names: {
    model: ["ai.response.model", "ai.model.id"],
    provider: ["ai.model.provider"],
    tool: ["ai.toolCall.name"],
    callId: ["ai.toolCall.id"],
    agent: ["ai.telemetry.functionId"],
  },
  contents: {
    input: ["ai.prompt.messages", "ai.prompt", "ai.values", "ai.value"],
    output: [
      {
        texts: { text: "ai.response.text", reasoning: "ai.response.reasoning" },
        values: { toolCalls: "ai.response.toolCalls", object: "ai.response.object" },
      },
    ],
    arguments: ["ai.toolCall.args"],
    result: ["ai.toolCall.result"],
  },
  usage: {
    input_tokens: ["ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"],
    output_tokens: ["ai.usage.outputTokens", "ai.usage.completionTokens"],
    total_tokens: ["ai.usage.totalTokens"],
    cached_input_tokens: ["ai.usage.cachedInputTokens"],
    reasoning_tokens: ["ai.usage.reasoningTokens"],
  },
  firstToken: [
    {
      attribute: "ai.response.msToFirstChunk",
      milliseconds: (told) => (typeof told === "number" ? told : undefined),
    },
  ],
};
