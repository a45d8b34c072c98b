import { AGENT, CHAT, COMPLETION, type Dialect, EMBEDDINGS, SPAN, TOOL } from "./dialect.ts";

/** OpenLLMetry. Its calls of models are told as OTel's conventions have it; `gen_ai.agent.name` is on every span. */
export const traceloop: Dialect = {
  kinds: [
    { attribute: "traceloop.span.kind", means: { agent: AGENT, tool: TOOL, workflow: SPAN, task: SPAN } },
  ],
  names: {
    tool: ["traceloop.entity.name"],
    agent: ["traceloop.entity.name"],
  },
  contents: {
    input: ["traceloop.entity.input"],
    output: ["traceloop.entity.output"],
    arguments: ["traceloop.entity.input"],
    result: ["traceloop.entity.output"],
  },
};

/** What older ones say instead of `gen_ai.operation.name`. */
export const olderTraceloop: Dialect = {
  kinds: [
    {
      attribute: "llm.request.type",
      means: { chat: CHAT, completion: COMPLETION, embedding: EMBEDDINGS, rerank: SPAN },
    },
  ],
  usage: { total_tokens: ["llm.usage.total_tokens"] },
};
