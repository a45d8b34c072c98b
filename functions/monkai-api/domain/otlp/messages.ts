import { isObject, type JsonObject } from "../json.ts";

/** What was said in a call, in the shapes that it is told in. */
export interface Said {
  system?: unknown;
  input?: unknown;
  output?: unknown;
}

/** A message as it is shown: with what the client sent of it, `role` and `content` beside it. */
export type ShownMessage = JsonObject & { role: string; content: unknown };

/** The conversation of a call as one list: what the model was told to be, what it was asked, what it answered. */
export function messagesOf({ system, input, output }: Said): ShownMessage[] {
  return [...messagesIn(system, "system"), ...messagesIn(input, "user"), ...messagesIn(output, "assistant")];
}

function messagesIn(said: unknown, role: string): ShownMessage[] {
  if (said === undefined || said === null) return [];
  if (Array.isArray(said)) return messagesInList(said, role);
  return isObject(said) ? messagesInObject(said, role) : [{ role, content: said }];
}

/** A list of messages or texts; or the parts of a single message. LangChain has a list of such lists. */
function messagesInList(list: unknown[], role: string): ShownMessage[] {
  const [first] = list;
  if (list.length === 1 && Array.isArray(first)) return messagesInList(first, role);
  // Whole answers of Chat Completions.
  if (isObject(first) && Array.isArray(first.choices)) return list.flatMap((item) => messagesIn(item, role));
  const areMessages = list.every((item) => isMessage(item) || typeof item === "string");
  if (areMessages)
    return list.map((item) => (isObject(item) ? messageOf(item, role) : { role, content: item }));
  return [{ role, content: contentOfParts(list) }];
}

function messagesInObject(said: JsonObject, role: string): ShownMessage[] {
  if (Array.isArray(said.messages)) return [...systemOf(said), ...messagesIn(said.messages, role)];
  if (typeof said.prompt === "string") return [...systemOf(said), { role, content: said.prompt }];
  if (Array.isArray(said.choices)) return said.choices.flatMap((choice) => choiceOf(choice, role));
  if (isMessage(said)) return [messageOf(said, role)];
  const { text, toolCalls } = said;
  if (typeof text === "string" || Array.isArray(toolCalls)) return [answerOf(said, role)];
  return [{ role, content: said }];
}

function systemOf({ system }: JsonObject): ShownMessage[] {
  return typeof system === "string" ? [{ role: "system", content: system }] : [];
}

function choiceOf(choice: unknown, role: string): ShownMessage[] {
  return isObject(choice) && isObject(choice.message) ? [messageOf(choice.message, role)] : [];
}

function isMessage(said: unknown): said is JsonObject {
  return isObject(said) && typeof said.role === "string";
}

/** `parts` (OTel) and `contents` (OpenInference) are other names of a content of several parts. */
function messageOf({ parts, contents, ...said }: JsonObject, role: string): ShownMessage {
  const told = said.content ?? parts ?? contents ?? null;
  const content = Array.isArray(told) ? contentOfParts(told) : told;
  return { ...said, role: typeof said.role === "string" ? said.role : role, content };
}

/** A single part that is a text is that text. */
function contentOfParts(parts: unknown[]): unknown {
  const [only] = parts;
  if (parts.length !== 1 || !isObject(only) || only.type !== "text") return parts;
  const text = only.text ?? only.content;
  return typeof text === "string" ? text : parts;
}

/** An answer of the AI SDK: `{text, toolCalls, object}`. */
function answerOf({ text, toolCalls, object, ...said }: JsonObject, role: string): ShownMessage {
  const calls = Array.isArray(toolCalls) ? { tool_calls: toolCalls.map(toolCallOf) } : {};
  return { ...said, role, content: text ?? object ?? null, ...calls };
}

function toolCallOf(call: unknown): unknown {
  if (!isObject(call)) return call;
  const { toolCallId: id, toolName: name, input, args, ...said } = call;
  return { ...said, id, type: "function", function: { name, arguments: input ?? args } };
}
