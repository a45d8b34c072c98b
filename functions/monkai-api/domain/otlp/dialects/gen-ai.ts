import { AGENT, CHAT, type Dialect, EMBEDDINGS, SPAN, TOOL } from "./dialect.ts";

/** OpenTelemetry's conventions for generative AI, and what those write who say the rest as they have it. */
export const genAi: Dialect = {
  kinds: [
    {
      attribute: "gen_ai.operation.name",
      means: {
        chat: CHAT,
        generate_content: CHAT,
        text_completion: CHAT,
        llm_call: CHAT,
        model_generation: CHAT,
        embeddings: EMBEDDINGS,
        embedding: EMBEDDINGS,
        invoke_agent: AGENT,
        agent_call: AGENT,
        execute_tool: TOOL,
        tool_call: TOOL,
        create_agent: SPAN,
        invoke_workflow: SPAN,
        retrieval: SPAN,
        model_chunk: SPAN,
        mapping: SPAN,
        chain: SPAN,
      },
    },
  ],
  names: {
    operation: ["gen_ai.operation.name"],
    model: ["gen_ai.response.model", "gen_ai.request.model"],
    provider: ["gen_ai.provider.name", "gen_ai.system"],
    tool: ["gen_ai.tool.name"],
    callId: ["gen_ai.tool.call.id"],
    agent: ["gen_ai.agent.name"],
    agentId: ["gen_ai.agent.id"],
  },
  contents: {
    system: ["gen_ai.system_instructions"],
    input: ["gen_ai.input.messages", { indexed: "gen_ai.prompt." }, "gen_ai.prompt"],
    output: ["gen_ai.output.messages", { indexed: "gen_ai.completion." }, "gen_ai.completion"],
    arguments: ["gen_ai.tool.call.arguments"],
    result: ["gen_ai.tool.call.result"],
  },
  usage: {
    input_tokens: ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"],
    output_tokens: ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"],
    total_tokens: ["gen_ai.usage.total_tokens"],
    cached_input_tokens: ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"],
    cache_creation_input_tokens: [
      "gen_ai.usage.cache_creation.input_tokens",
      "gen_ai.usage.cache_creation_input_tokens",
    ],
    reasoning_tokens: ["gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"],
  },
  firstToken: [
    {
      attribute: "gen_ai.response.time_to_first_chunk",
      milliseconds: (told) => (typeof told === "number" ? told * 1000 : undefined),
    },
  ],
};
