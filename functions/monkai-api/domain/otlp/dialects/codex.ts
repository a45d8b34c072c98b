import { CHAT, type Dialect, TOOL } from "./dialect.ts";

/** Codex: events alone. Its figures are texts, and those of a call stand where its stream is completed. */
export const codex: Dialect = {
  names: {
    session: ["conversation.id"],
    callId: ["call_id"],
    errorMessage: ["error.message"],
  },
  contents: {
    arguments: ["arguments"],
    result: ["output"],
  },
  usage: {
    input_tokens: ["input_token_count"],
    output_tokens: ["output_token_count"],
    cached_input_tokens: ["cached_token_count"],
    reasoning_tokens: ["reasoning_token_count"],
  },
  events: {
    "codex.sse_event response.completed": CHAT,
    "codex.tool_result": TOOL,
  },
};
