import { parsedText } from "../plain.ts";
import { AGENT, CHAT, type Dialect, EMBEDDINGS, SPAN, TOOL } from "./dialect.ts";

/** Langfuse's own SDKs. A tool and an agent have their span's name. */
export const langfuse: Dialect = {
  kinds: [
    {
      attribute: "langfuse.observation.type",
      means: {
        generation: CHAT,
        embedding: EMBEDDINGS,
        agent: AGENT,
        tool: TOOL,
        span: SPAN,
        chain: SPAN,
        retriever: SPAN,
        guardrail: SPAN,
        evaluator: SPAN,
        event: SPAN,
      },
    },
  ],
  names: {
    model: ["langfuse.observation.model.name"],
    errorMessage: ["langfuse.observation.status_message"],
  },
  contents: {
    input: ["langfuse.observation.input"],
    output: ["langfuse.observation.output"],
    arguments: ["langfuse.observation.input"],
    result: ["langfuse.observation.output"],
  },
  usageObjects: ["langfuse.observation.usage_details"],
  firstToken: [
    {
      attribute: "langfuse.observation.completion_start_time",
      milliseconds: (told, start) => {
        const moment = typeof told === "string" ? (parsedText(told) ?? told) : undefined;
        return Date.parse(String(moment)) - start;
      },
    },
  ],
  status: (attributes) => (attributes.get("langfuse.observation.level") === "ERROR" ? "error" : undefined),
};
