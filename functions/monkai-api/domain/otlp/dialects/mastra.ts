import { AGENT, CHAT, type Dialect, SPAN, TOOL } from "./dialect.ts";

/** Mastra, where its operation is none of OTel's. What a call was asked stands on the `agent_step` around it. */
export const mastra: Dialect = {
  kinds: [
    {
      attribute: "mastra.span.type",
      means: {
        model_inference: CHAT,
        model_generation: CHAT,
        agent_run: AGENT,
        tool_call: TOOL,
        mcp_tool_call: TOOL,
        model_step: SPAN,
        model_chunk: SPAN,
      },
    },
  ],
  contents: {
    input: ["mastra.model_step.input"],
    output: ["mastra.model_step.output"],
  },
};
