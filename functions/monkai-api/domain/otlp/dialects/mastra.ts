import type { Attributes } from "../attributes.ts";
import { AGENT, AROUND_CALL, CHAT, type Dialect, SPAN, TOOL } from "./dialect.ts";

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
        model_step: AROUND_CALL,
        model_chunk: SPAN,
      },
    },
  ],
  contents: {
    input: ["mastra.model_step.input", "mastra.agent_run.input"],
    output: ["mastra.model_step.output", "mastra.agent_run.output"],
  },
  status: statusOfCall,
};

/** A call that failed has the status `ok` all the same. */
function statusOfCall(attributes: Attributes) {
  const isCall = attributes.get("mastra.span.type") === "model_inference";
  const isFailed = attributes.get("gen_ai.response.finish_reasons") === '["error"]';
  return isCall && isFailed ? "error" : undefined;
}
