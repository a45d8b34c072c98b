import { CHAT, type Dialect, FAILED_CHAT, TOOL } from "./dialect.ts";

/** Gemini CLI's events. Its spans are told as OTel's conventions have it. */
export const geminiCli: Dialect = {
  names: { tool: ["function_name"], errorType: ["error_type"] },
  contents: {
    output: ["response_text"],
    arguments: ["function_args"],
  },
  usage: {
    total_tokens: ["total_token_count"],
    cached_input_tokens: ["cached_content_token_count"],
    reasoning_tokens: ["thoughts_token_count"],
  },
  events: {
    "gemini_cli.api_response": CHAT,
    "gemini_cli.api_error": FAILED_CHAT,
    "gemini_cli.tool_call": TOOL,
  },
  hasSpansOfEvents: true,
};
