import type { z } from "zod";
import { Message as MessageSchema } from "../schemas/records.ts";
import type { TraceType } from "../store/traces.ts";
import { isObject, withoutNulls } from "./json.ts";

type Message = z.infer<typeof MessageSchema>;
type Said = Record<string, unknown>;

const ROLES = new Map<string, Message["role"]>([
  ["user", "user"],
  ["human", "user"],
  ["assistant", "assistant"],
  ["ai", "assistant"],
  ["model", "assistant"],
  ["system", "system"],
  ["developer", "system"],
  ["tool", "tool"],
  ["function", "tool"],
]);

const { role: _role, content: _content, ...OPTIONAL_MEMBERS } = MessageSchema.shape;

/**
 * The conversation that a trace stands for, as the `msg` of a ConversationRecord. Inputs and outputs are free-form:
 * whatever their shape, what comes out has known roles and content of a permitted type. Always a list: a single
 * message would match two branches of the contract's `oneOf`.
 */
export function conversationOf(type: TraceType, agent: string, said: Said): Message[] {
  if (type === "tool") return [toolMessage(agent, said)];
  if (type === "handoff") return [handoffMessage(agent, said)];
  return [...inputMessages(said.input), ...outputMessages(said.output, agent)];
}

function toolMessage(sender: string, { tool_name, arguments: args, result }: Said): Message {
  const call = { type: "function", function: { name: tool_name, arguments: args ?? {} } };
  return validMessage({ role: "tool", sender, content: result, tool_name, tool_calls: [call] }, "tool");
}

function handoffMessage(sender: string, { from_agent, to_agent, reason }: Said): Message {
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
function outputMessages(output: unknown, agent: string): Message[] {
  if (!isObject(output)) return [];
  const choices = Array.isArray(output.choices) ? output.choices : [];
  const chosen = choices.flatMap((choice) =>
    isObject(choice) && isObject(choice.message) ? [choice.message] : [],
  );
  if (chosen.length > 0) return chosen.map((message) => validMessage(message, "assistant"));
  if (!("content" in output)) return [{ role: "assistant", sender: agent, content: output }];
  const { content, tool_calls } = output;
  return [validMessage({ role: "assistant", sender: agent, content, tool_calls }, "assistant")];
}

function validMessage(sent: unknown, defaultRole: Message["role"]): Message {
  if (!isObject(sent)) return { role: defaultRole, content: validContent(sent) };

  const message: Message = { ...withoutNulls(sent), role: defaultRole };
  if (typeof sent.role === "string") {
    const known = ROLES.get(sent.role.toLowerCase());
    message.role = known ?? defaultRole;
    if (!known && message.sender === undefined) message.sender = sent.role;
  }
  if ("content" in sent) message.content = validContent(sent.content);
  dropInvalid(message);
  return message;
}

/** Optional members that are not what the contract says would make the message invalid. */
function dropInvalid(message: Message): void {
  for (const [member, schema] of Object.entries(OPTIONAL_MEMBERS)) {
    if (!schema.safeParse(message[member]).success) delete message[member];
  }
}

/** A string, objects, an object or null; a list of other things becomes a list of text parts. */
function validContent(content: unknown): Message["content"] {
  if (content === undefined || content === null) return null;
  if (typeof content === "string" || isObject(content)) return content;
  if (!Array.isArray(content)) return JSON.stringify(content);
  return content.map((part) => (isObject(part) ? part : { type: "text", text: textOf(part) }));
}

function textOf(part: unknown): string {
  return typeof part === "string" ? part : JSON.stringify(part);
}
