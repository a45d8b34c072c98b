import { AGENT, CHAT, type Dialect, EMBEDDINGS, SPAN, TOOL } from "./dialect.ts";

/** OpenInference (Arize, Phoenix). */
export const openInference: Dialect = {
  kinds: [
    {
      attribute: "openinference.span.kind",
      means: {
        LLM: CHAT,
        EMBEDDING: EMBEDDINGS,
        AGENT,
        TOOL,
        CHAIN: SPAN,
        RETRIEVER: SPAN,
        RERANKER: SPAN,
        GUARDRAIL: SPAN,
        EVALUATOR: SPAN,
        PROMPT: SPAN,
      },
    },
  ],
  names: {
    model: ["llm.model_name", "embedding.model_name"],
    provider: ["llm.provider", "llm.system"],
    tool: ["tool.name"],
    callId: ["tool_call.id"],
    agent: ["agent.name"],
  },
  contents: {
    input: [{ indexed: "llm.input_messages." }, "input.value"],
    output: [{ indexed: "llm.output_messages." }, "output.value"],
    arguments: ["input.value", "tool.parameters"],
    result: ["output.value"],
  },
  usage: {
    input_tokens: ["llm.token_count.prompt"],
    output_tokens: ["llm.token_count.completion"],
    total_tokens: ["llm.token_count.total"],
    cached_input_tokens: ["llm.token_count.prompt_details.cache_read"],
    cache_creation_input_tokens: ["llm.token_count.prompt_details.cache_write"],
    reasoning_tokens: ["llm.token_count.completion_details.reasoning"],
  },
};
