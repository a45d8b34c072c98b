import { isObject, type JsonObject } from "../json.ts";
import type { MessageOfCall } from "../step.ts";
import { type Reading, toldContent } from "./attributes.ts";
import { messagesOf } from "./messages.ts";
import type { Json } from "./plain.ts";

/** OTel's events that tell one message each of a call, and who says it. */
const ASKED = new Map([
  ["gen_ai.system.message", "system"],
  ["gen_ai.user.message", "user"],
  ["gen_ai.assistant.message", "assistant"],
  ["gen_ai.tool.message", "tool"],
]);
const ANSWERED = "gen_ai.choice";
/** This one has the same attributes as the call's span. */
const DETAILS = "gen_ai.client.inference.operation.details";

/** What a log record says of the call whose span it belongs to. The record stays a log entry, with all that it has. */
export function messagesOfCall(
  eventName: string | undefined,
  body: Json | undefined,
  reading: Reading,
): MessageOfCall[] {
  if (eventName === undefined) return [];
  const role = ASKED.get(eventName);
  if (role !== undefined) return [{ side: "input", message: messageOf(body, role) }];
  if (eventName === ANSWERED) return [{ side: "output", message: choiceOf(body) }];
  return eventName === DETAILS ? detailsOf(reading) : [];
}

function messageOf(body: Json | undefined, role: string): Json {
  const said = isObject(body) ? (body as JsonObject) : { content: body ?? null };
  return { role, ...said } as Json;
}

/** `{index, finish_reason, message}`. */
function choiceOf(body: Json | undefined): Json {
  if (!isObject(body) || !isObject(body.message)) return messageOf(body, "assistant");
  const { message, ...said } = body as JsonObject & { message: JsonObject };
  return { role: "assistant", ...message, ...said } as Json;
}

/** Read beside the attributes, which stay where they are. */
function detailsOf({ attributes, events, repeated }: Reading): MessageOfCall[] {
  const reading = { attributes, events, repeated, taken: new Set<string>() };
  const [system, input, output] = [
    toldContent(reading, "system"),
    toldContent(reading, "input"),
    toldContent(reading, "output"),
  ];
  return [
    ...messagesOf({ system, input }).map((message) => ({ side: "input" as const, message })),
    ...messagesOf({ output }).map((message) => ({ side: "output" as const, message })),
  ];
}
