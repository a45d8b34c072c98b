import type { Answer } from "./fake-answers.ts";

export function response(answer: Answer): object {
  return { ...begun(answer), status: "completed", output: [itemOf(answer)], usage: usageOf(answer) };
}

const begun = ({ model, number }: Answer) => ({
  id: `resp_${number}`,
  object: "response",
  created_at: 1_760_000_000,
  status: "in_progress",
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model,
  output: [] as object[],
  parallel_tool_calls: false,
  temperature: 1,
  tool_choice: "auto",
  tools: [],
  top_p: 1,
});

function itemOf({ number, text, call }: Answer) {
  if (call) {
    const { id, name, arguments: args } = call;
    return {
      id: `fc_${number}`,
      type: "function_call",
      status: "completed",
      call_id: id,
      name,
      arguments: args,
    };
  }
  const content = [{ type: "output_text", text, annotations: [] }];
  return { id: `msg_${number}`, type: "message", status: "completed", role: "assistant", content };
}

const usageOf = ({ number }: Answer) => ({
  input_tokens: 100 + number,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens: 20 + number,
  output_tokens_details: { reasoning_tokens: 3 },
  total_tokens: 120 + 2 * number,
});

/** The events of a stream, as few as clients are content with. */
export function responseEvents(answer: Answer): ({ type: string } & object)[] {
  const item = itemOf(answer);
  const place = { output_index: 0, item_id: item.id, content_index: 0 };
  const deltas = answer.call
    ? [{ type: "response.function_call_arguments.delta", ...place, delta: answer.call.arguments }]
    : [{ type: "response.output_text.delta", ...place, delta: answer.text, logprobs: [] }];
  const empty = answer.call ? { arguments: "" } : { content: [] };
  return [
    { type: "response.created", response: begun(answer) },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...item, status: "in_progress", ...empty },
    },
    ...deltas,
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: response(answer) },
  ].map((event, sequence_number) => ({ ...event, sequence_number }));
}
