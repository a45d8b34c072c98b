import { isObject, type JsonObject } from "./json.ts";

/** Who may speak in a conversation, in the contract. */
export const MESSAGE_ROLES = ["user", "assistant", "system", "tool"] as const;
export type MessageRole = (typeof MESSAGE_ROLES)[number];

export const INTERNAL_TOOL_TYPES = ["web_search_call", "file_search_call", "code_interpreter_call"] as const;

/** A message of a conversation, as the contract has it. */
export interface Message extends JsonObject {
  role: MessageRole;
}

/** Other names that roles have in the APIs of language models. */
const ROLES = new Map<string, MessageRole>([
  ...MESSAGE_ROLES.map((role) => [role, role] as const),
  ["human", "user"],
  ["ai", "assistant"],
  ["model", "assistant"],
  ["developer", "system"],
  ["function", "tool"],
]);

const isText = (value: unknown) => typeof value === "string";
const isObjects = (value: unknown) => Array.isArray(value) && value.every(isObject);
const isInternalToolType = (value: unknown) => (INTERNAL_TOOL_TYPES as readonly unknown[]).includes(value);

/** The optional members of a message that the contract knows, and what it lets them be. Others may be anything. */
const OPTIONAL_MEMBERS: Record<string, (value: unknown) => boolean> = {
  sender: isText,
  tool_calls: isObjects,
  tool_call_id: isText,
  tool_name: isText,
  is_internal_tool: (value) => typeof value === "boolean",
  internal_tool_type: isInternalToolType,
};

/** The names of those that are there and are not what the contract lets them be. Null is not. */
export function invalidMembers(message: JsonObject): string[] {
  return Object.entries(OPTIONAL_MEMBERS)
    .filter(([name, isValid]) => Object.hasOwn(message, name) && !isValid(message[name]))
    .map(([name]) => name);
}

/** A text, a list of objects, an object, or null. */
export function isContent(value: unknown): boolean {
  return value === null || isText(value) || isObject(value) || isObjects(value);
}

/** The contract's role for one that is written in any way, undefined where it is none that we know. */
export function meantRole(written: unknown): MessageRole | undefined {
  return isText(written) ? ROLES.get((written as string).toLowerCase()) : undefined;
}

/**
 * The messages of an uploaded record as clients read them: what was sent, nulls included. Only to an object in a list
 * that has none of the contract's roles one is added, because clients insist on it; another role that it has becomes
 * its `sender`.
 */
export function readableMessages(msg: unknown): unknown {
  return Array.isArray(msg) ? msg.map((message) => (isObject(message) ? readable(message) : message)) : msg;
}

function readable(sent: JsonObject): JsonObject {
  if (isMessage(sent)) return sent;
  const role = meantRole(sent.role) ?? "user";
  const named = { ...sent, ...(isText(sent.role) ? { sender: sent.role } : {}), role };
  const isAllKept = sent.role === undefined || sent.role === null || (isText(sent.role) && (sent.sender ?? null) === null);
  // What would lose something, or would still be no message, is the content of one: whole.
  return isAllKept && isMessage(named) ? named : { role, content: sent };
}

/** Null members stand for absent ones: they come back as they were sent. */
function isMessage(sent: JsonObject): boolean {
  const isRoleKnown = (MESSAGE_ROLES as readonly unknown[]).includes(sent.role);
  const isContentValid = sent.content === undefined || isContent(sent.content);
  return isRoleKnown && isContentValid && invalidMembers(sent).every((name) => sent[name] === null);
}
