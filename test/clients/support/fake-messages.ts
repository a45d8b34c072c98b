import type { Answer } from "./fake-answers.ts";

/** The events of a stream of Anthropic's Messages. */
export function messageEvents(answer: Answer) {
  const place = { index: 0 };
  return [
    { type: "message_start", message: begun(answer) },
    { type: "content_block_start", ...place, content_block: blockOf(answer) },
    { type: "content_block_delta", ...place, delta: deltaOf(answer) },
    { type: "content_block_stop", ...place },
    {
      type: "message_delta",
      delta: { stop_reason: answer.call ? "tool_use" : "end_turn", stop_sequence: null },
      usage: { output_tokens: 20 + answer.number },
    },
    { type: "message_stop" },
  ];
}

const begun = ({ model, number }: Answer) => ({
  id: `msg_${number}`,
  type: "message",
  role: "assistant",
  model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 100 + number, output_tokens: 1, cache_read_input_tokens: 4 },
});

function blockOf({ call }: Answer) {
  if (call) return { type: "tool_use", id: call.id, name: call.name, input: {} };
  return { type: "text", text: "" };
}

function deltaOf({ text, call }: Answer) {
  if (call) return { type: "input_json_delta", partial_json: call.arguments };
  return { type: "text_delta", text };
}
