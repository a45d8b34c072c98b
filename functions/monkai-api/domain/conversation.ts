import type { RecordRow } from "../store/queries.ts";
import { isObject, withoutNulls } from "./json.ts";

/** The `Message` of the contract. Members that it does not name are allowed, and kept. */
export interface Message {
  role: "user" | "assistant" | "system" | "tool";
  content?: string | Record<string, unknown>[] | Record<string, unknown> | null;
  sender?: string;
  tool_calls?: Record<string, unknown>[];
  tool_call_id?: string;
  tool_name?: string;
  [member: string]: unknown;
}

const ROLES: Record<string, Message["role"]> = {
  user: "user",
  human: "user",
  assistant: "assistant",
  ai: "assistant",
  model: "assistant",
  system: "system",
  developer: "system",
  tool: "tool",
  function: "tool",
};

const STRING_MEMBERS = ["sender", "tool_call_id", "tool_name", "internal_tool_type"];
const INTERNAL_TOOL_TYPES = ["web_search_call", "file_search_call", "code_interpreter_call"];

/**
 * The conversation that a traced step stands for, as the `msg` of a ConversationRecord. Inputs and outputs are
 * free-form: whatever their shape, what comes out has known roles and content of a permitted type.
 */
export function conversationOf(row: RecordRow): Message | Message[] {
  if (row.type === "tool") return toolMessage(row);
  if (row.type === "handoff") return handoffMessage(row);
  return [...inputMessages(row.input), ...outputMessages(row.output, row.agent)];
}

function toolMessage(row: RecordRow): Message {
  const { tool_name, arguments: args } = row;
  const call = { type: "function", function: { name: tool_name, arguments: args ?? {} } };
  return validMessage(
    { role: "tool", sender: row.agent, content: row.result, tool_name, tool_calls: [call] },
    "tool",
  );
}

function handoffMessage(row: RecordRow): Message {
  if (row.from_agent === undefined) return { role: "system", sender: row.agent, content: null };
  const reason = typeof row.reason === "string" && row.reason !== "" ? `: ${row.reason}` : "";
  const content = `Handoff from ${row.from_agent} to ${row.to_agent}${reason}`;
  return { role: "system", sender: row.agent, content };
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
    message.role = ROLES[sent.role.toLowerCase()] ?? defaultRole;
    if (!(sent.role.toLowerCase() in ROLES) && sent.sender === undefined) message.sender = sent.role;
  }
  if ("content" in sent) message.content = validContent(sent.content);
  dropInvalid(message);
  return message;
}

/** Optional members that are null, or not what the contract says, would make the message invalid. */
function dropInvalid(message: Message): void {
  for (const member of STRING_MEMBERS) {
    if (typeof message[member] !== "string") delete message[member];
  }
  if (!INTERNAL_TOOL_TYPES.includes(message.internal_tool_type as string)) delete message.internal_tool_type;
  if (typeof message.is_internal_tool !== "boolean") delete message.is_internal_tool;
  if (!Array.isArray(message.tool_calls) || !message.tool_calls.every(isObject)) delete message.tool_calls;
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
