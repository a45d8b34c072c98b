import type { Answer } from "./fake-answers.ts";

const whole = ({ model, number }: Answer, object: string) => ({
  id: `chatcmpl-${number}`,
  object,
  created: 1_760_000_000,
  model,
});

const usageOf = ({ number }: Answer) => ({
  prompt_tokens: 100 + number,
  completion_tokens: 20 + number,
  total_tokens: 120 + 2 * number,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 3 },
});

const callOf = ({ id, name, arguments: args }: NonNullable<Answer["call"]>) => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

const reasonOf = ({ call }: Answer) => (call ? "tool_calls" : "stop");

export function chatCompletion(answer: Answer): object {
  const calls = answer.call ? { tool_calls: [callOf(answer.call)] } : {};
  const message = { role: "assistant", content: answer.text ?? null, refusal: null, ...calls };
  return {
    ...whole(answer, "chat.completion"),
    choices: [{ index: 0, message, logprobs: null, finish_reason: reasonOf(answer) }],
    usage: usageOf(answer),
  };
}

export function chatCompletionChunks(answer: Answer): object[] {
  const calls = answer.call ? { tool_calls: [{ index: 0, ...callOf(answer.call) }] } : {};
  const chunk = (delta: object, finish_reason: string | null) => ({
    ...whole(answer, "chat.completion.chunk"),
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    usage: null,
  });
  return [
    chunk({ role: "assistant", content: answer.text ?? null, ...calls }, null),
    chunk({}, reasonOf(answer)),
    { ...whole(answer, "chat.completion.chunk"), choices: [], usage: usageOf(answer) },
  ];
}
