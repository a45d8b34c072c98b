import type { Message, WholeStep } from "../api/types.ts";

export interface CallMessages {
  /** What the agent's call before this one had said as well. */
  earlier: Message[];
  /** What this call was asked beside that. */
  asked: Message[];
  answered: Message[];
}

/** What a model call was asked and answered, apart from what the same agent's call before it said already. */
export function messagesOfCall(call: WholeStep, previous: WholeStep | undefined): CallMessages {
  const all = listOf(call.msg);
  const end = startOfAnswer(all, call);
  const count = Math.min(previous ? known(listOf(previous.msg), all, answersOf(previous)) : 0, end);
  return { earlier: all.slice(0, count), asked: all.slice(count, end), answered: all.slice(end) };
}

export function listOf(msg: Message | Message[] | undefined): Message[] {
  if (msg === undefined) return [];
  return Array.isArray(msg) ? msg : [msg];
}

function answersOf(call: WholeStep): number {
  const all = listOf(call.msg);
  return all.length - startOfAnswer(all, call);
}

/** An answer is the model's own messages at the end, as many as its output has: before them may be what it said earlier. */
function startOfAnswer(all: Message[], { output }: WholeStep): number {
  if (output === undefined) return all.length;
  const ownFrom = all.findLastIndex(({ role }) => role !== "assistant") + 1;
  return Math.max(ownFrom, all.length - countOf(output));
}

function countOf(output: unknown): number {
  const choices = (output as { choices?: unknown } | null)?.choices;
  const list = [output, choices].find(Array.isArray);
  return list?.length ?? 1;
}

/** What is not in what another agent was asked and answered just before. */
export function notIn(messages: Message[], other: WholeStep | undefined): Message[] {
  if (!other) return messages;
  const said = new Set(listOf(other.msg).map(signOf));
  return messages.filter((message) => !said.has(signOf(message)));
}

/**
 * How many of the messages at the beginning of `now` were in `before`: all that both begin with, and after that the end
 * of `before`, where messages in between were dropped to make room. An answer may come back in another form.
 */
function known(before: Message[], now: Message[], answers: number): number {
  const [said, heard] = [before.map(signOf), now.map(signOf)];
  let same = 0;
  while (same < said.length && said[same] === heard[same]) same += 1;
  const isAnswerInOtherForm = same === said.length - answers && now[same]?.role === "assistant";
  if (isAnswerInOtherForm) return same + Math.min(answers, 1);
  for (let from = same + 1; from < said.length; from += 1) {
    const rest = said.slice(from);
    if (rest.every((sign, place) => sign === heard[same + place])) return same + rest.length;
  }
  return same;
}

function signOf({ role, content, tool_calls }: Message): string {
  return JSON.stringify([role, content ?? null, tool_calls?.length ?? 0]);
}
