import { isObject, type JsonObject, withoutNulls } from "./json.ts";
import { invalidMembers, isContent, type Message, type MessageRole, meantRole } from "./message.ts";
import { messagesOf } from "./otlp/messages.ts";
import type { StepRow } from "./step.ts";

/**
 * The conversation that a step stands for, as the `msg` of a ConversationRecord. Inputs and outputs are free-form:
 * whatever their shape, what comes out has known roles, content of a permitted type and no null in a text's place. What
 * was sent stands beside it, whole. Always a list: a single message would match two branches of the contract's `oneOf`.
 */
export function conversationOf({ kind, agent, name, is_span, content }: StepRow): Message[] {
  const [sender, said] = [agent ?? undefined, content ?? {}];
  if (is_span && kind !== "tool" && kind !== "handoff") return messagesOfSpan(said);
  if (kind === "tool") return [toolMessage(sender, name, said)];
  if (kind === "handoff") return [handoffMessage(sender, said)];
  return [...inputMessages(said.input), ...outputMessages(said.output, sender)];
}

function messagesOfSpan({ system_instructions: system, input, output }: JsonObject): Message[] {
  return messagesOf({ system, input, output }).map((message) => validMessage(message, "user"));
}

type Sender = string | undefined;

function toolMessage(
  sender: Sender,
  tool_name: string | null,
  { arguments: args, result }: JsonObject,
): Message {
  const call = { type: "function", function: { name: tool_name, arguments: args ?? {} } };
  return validMessage({ role: "tool", sender, content: result, tool_name, tool_calls: [call] }, "tool");
}

function handoffMessage(sender: Sender, { from_agent, to_agent, reason }: JsonObject): Message {
  if (from_agent === undefined) return { role: "system", sender, content: null };
  const because = typeof reason === "string" && reason !== "" ? `: ${reason}` : "";
  return { role: "system", sender, content: `Handoff from ${from_agent} to ${to_agent}${because}` };
}

/** `{messages: [...]}`, `{prompt: "..."}`, or anything else as one user message. */
function inputMessages(input: unknown): Message[] {
  if (!isObject(input)) return [];
  if (Array.isArray(input.messages)) return input.messages.map((message) => validMessage(message, "user"));
  return [{ role: "user", content: typeof input.prompt === "string" ? input.prompt : input }];
}

/** `{content: ...}`, OpenAI's `{choices: [{message}]}`, or anything else as one assistant message. */
function outputMessages(output: unknown, sender: Sender): Message[] {
  if (!isObject(output)) return [];
  const choices = Array.isArray(output.choices) ? output.choices : [];
  const chosen = choices.flatMap((choice) =>
    isObject(choice) && isObject(choice.message) ? [choice.message] : [],
  );
  if (chosen.length > 0) return chosen.map((message) => validMessage(message, "assistant"));
  if (!("content" in output)) return [{ role: "assistant", sender, content: output }];
  const { content, tool_calls } = output;
  return [validMessage({ role: "assistant", sender, content, tool_calls }, "assistant")];
}

function validMessage(sent: unknown, defaultRole: MessageRole): Message {
  if (!isObject(sent)) return { role: defaultRole, content: validContent(sent) };

  const role = meantRole(sent.role);
  const message: Message = { ...withoutNulls(sent), role: role ?? defaultRole };
  if (typeof sent.role === "string" && !role && message.sender === undefined) message.sender = sent.role;
  if ("content" in sent) message.content = validContent(sent.content);
  for (const name of invalidMembers(message)) delete message[name];
  return message;
}

/** A list of other things becomes a list of text parts, and anything else that is no content its JSON. */
function validContent(content: unknown): unknown {
  if (content === undefined) return null;
  if (isContent(content)) return content;
  if (!Array.isArray(content)) return JSON.stringify(content);
  return content.map((part) => (isObject(part) ? part : { type: "text", text: textOf(part) }));
}

function textOf(part: unknown): string {
  return typeof part === "string" ? part : JSON.stringify(part);
}
