import "@hono/zod-openapi";
import * as z from "zod";
import { isObject, type JsonObject, withoutNulls } from "../domain/json.ts";
import {
  agentName,
  anonymizationVersion,
  anyJson,
  asSent,
  count,
  externalUser,
  freeForm,
  MEASURED,
  namespaceName,
  nullsAbsent,
  schemaRef,
  sessionId,
  timestamp,
} from "./common.ts";

export const Message = z
  .looseObject({
    role: z.enum(["user", "assistant", "system", "tool"]),
    content: z.union([z.string(), z.array(freeForm()), freeForm(), z.null()]).optional(),
    sender: z.string().optional(),
    tool_calls: z.array(freeForm()).optional(),
    tool_call_id: z.string().optional(),
    tool_name: z.string().optional(),
    is_internal_tool: z.boolean().optional(),
    internal_tool_type: z.enum(["web_search_call", "file_search_call", "code_interpreter_call"]).optional(),
  })
  .openapi("Message");

const Transfer = z
  .looseObject({
    from: agentName(),
    to: agentName(),
    reason: z.string().optional(),
    timestamp: z.string().optional(),
  })
  .openapi("Transfer");

/** The fields of a record that the contract knows, in its order. */
const recordFields = {
  namespace: namespaceName(),
  agent: agentName(),
  session_id: sessionId().optional(),
  msg: z.union([Message, z.array(Message), freeForm()]),
  input_tokens: count().optional(),
  output_tokens: count().optional(),
  process_tokens: count().optional(),
  memory_tokens: count().optional(),
  total_tokens: count().optional(),
  transfers: z.array(Transfer).optional(),
  inserted_at: timestamp().optional(),
  user_id: z.string().optional(),
  user_whatsapp: z.string().optional(),
  wam_id: z.string().optional(),
  replied_whatsapp: z.string().optional(),
  attachments: z.array(z.unknown()).optional(),
  source: z
    .string()
    .optional()
    .openapi({ description: "Source tool (claude-code, openai-agents, langchain, ...)." }),
  model: z.string().optional(),
  ...externalUser,
};

/** A record to be uploaded. `total_tokens` is the sum of the others where it is absent. */
export const RecordUpload = z.object({
  ...recordFields,
  ...anonymizationVersion,
  transfers: z
    .array(nullsAbsent(asSent(Transfer).openapi(schemaRef("Transfer"))))
    .max(1000, MEASURED)
    .optional(),
  msg: z
    .unknown()
    .transform((msg, context) => {
      const read = readMessages(msg);
      if ("msg" in read) return read.msg;
      context.issues.push(read.issue);
      return z.NEVER;
    })
    .openapi({
      anyOf: [schemaRef("Message"), { type: "array", items: schemaRef("Message") }, { type: "object" }],
    }),
});

export type RecordUpload = z.infer<typeof RecordUpload>;

/** A ConversationRecord of the contract, and after its fields those of the trace that it was made from. */
export const ConversationRecord = z
  .object({
    ...recordFields,
    trace_type: z.enum(["llm_call", "tool_call", "handoff"]).optional(),
    provider: z.string().optional(),
    latency_ms: count().optional(),
    input: freeForm().optional(),
    output: freeForm().optional(),
    tool_name: z.string().optional(),
    arguments: freeForm().optional(),
    result: anyJson(),
    metadata: freeForm().optional(),
    ...anonymizationVersion,
  })
  .openapi("ConversationRecord");

export type ConversationRecord = z.infer<typeof ConversationRecord>;

type Read = { msg: unknown } | { issue: z.core.$ZodRawIssue };

/**
 * `msg` is a Message, a list of them, or any object. Null members of a message are absent, but for its content; all
 * else is kept as it was sent.
 */
function readMessages(msg: unknown): Read {
  if (isObject(msg)) return { msg: Message.safeParse(messageOf(msg)).success ? messageOf(msg) : msg };
  if (!Array.isArray(msg)) {
    const message = "must be a message, a list of messages or an object";
    return { issue: { code: "custom", path: [], message, input: msg } };
  }

  const messages = msg.map((message) => (isObject(message) ? messageOf(message) : message));
  for (const [index, message] of messages.entries()) {
    const [issue] = Message.safeParse(message).error?.issues ?? [];
    if (issue) return { issue: { ...issue, path: [index, ...issue.path] } as z.core.$ZodRawIssue };
  }
  return { msg: messages };
}

function messageOf(sent: JsonObject): JsonObject {
  const message = withoutNulls(sent);
  return "content" in sent ? { ...message, content: sent.content } : message;
}
