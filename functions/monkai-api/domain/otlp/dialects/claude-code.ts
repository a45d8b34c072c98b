import { statusOfSuccess } from "../success.ts";
import { AGENT, CHAT, type Dialect, FAILED_CHAT, SPAN, TOOL } from "./dialect.ts";

/** Claude Code: beta spans, and events that tell the same. Its input tokens are without the cache's. */
export const claudeCode: Dialect = {
  kinds: [
    {
      attribute: "span.type",
      means: {
        llm_request: CHAT,
        interaction: AGENT,
        tool: TOOL,
        "tool.execution": SPAN,
        "tool.blocked_on_user": SPAN,
      },
    },
  ],
  names: {
    model: ["model"],
    tool: ["tool_name"],
    callId: ["tool_use_id"],
    errorMessage: ["error", "error_message"],
  },
  contents: {
    input: ["user_prompt"],
    arguments: ["tool_input", "full_command", "tool_parameters"],
    result: [{ event: "tool.output", attribute: "output" }],
  },
  usage: {
    input_tokens: ["input_tokens"],
    output_tokens: ["output_tokens"],
    cached_input_tokens: ["cache_read_tokens"],
    cache_creation_input_tokens: ["cache_creation_tokens"],
  },
  firstToken: [
    { attribute: "ttft_ms", milliseconds: (told) => (typeof told === "number" ? told : undefined) },
  ],
  status: (attributes) =>
    attributes.has("span.type") ? statusOfSuccess(attributes.get("success")) : undefined,
  events: {
    "claude_code.api_request": CHAT,
    "claude_code.api_error": FAILED_CHAT,
    "claude_code.tool_result": TOOL,
  },
  hasSpansOfEvents: true,
};
