import { CHAT, type Dialect, EMBEDDINGS, SPAN, TOOL } from "./dialect.ts";

/** LangSmith's OTel exporter, where it names no operation. A chain repeats the tokens of its calls. */
export const langsmith: Dialect = {
  kinds: [
    {
      attribute: "langsmith.span.kind",
      means: {
        llm: CHAT,
        embedding: EMBEDDINGS,
        tool: TOOL,
        chain: SPAN,
        retriever: SPAN,
        prompt: SPAN,
        parser: SPAN,
      },
    },
  ],
};
