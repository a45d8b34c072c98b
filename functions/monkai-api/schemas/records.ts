import "@hono/zod-openapi";
import * as z from "zod";
import { isObject } from "../domain/json.ts";
import { INTERNAL_TOOL_TYPES, MESSAGE_ROLES } from "../domain/message.ts";
import {
  agentName,
  anonymizationVersion,
  anyJson,
  count,
  externalUser,
  freeForm,
  knownNullsAbsent,
  MEASURED,
  namespaceName,
  schemaRef,
  sessionId,
  timestamp,
} from "./common.ts";
import { outcome, readStep } from "./outcome.ts";

/** In a message null says the same as nothing, and comes back as it was sent. */
export const Message = z
  .looseObject({
    role: z.enum(MESSAGE_ROLES),
    content: z.union([z.string(), z.array(freeForm), freeForm, z.null()]).optional(),
    sender: z.string().nullable().optional(),
    tool_calls: z.array(freeForm).nullable().optional(),
    tool_call_id: z.string().nullable().optional(),
    tool_name: z.string().nullable().optional(),
    is_internal_tool: z.boolean().nullable().optional(),
    internal_tool_type: z.enum(INTERNAL_TOOL_TYPES).nullable().optional(),
  })
  .openapi("Message");

const Transfer = z
  .looseObject({
    from: agentName,
    to: agentName,
    reason: z.string().optional(),
    timestamp: z.string().optional(),
  })
  .openapi("Transfer");

/** The fields of a record that the contract knows, in its order. */
const recordFields = {
  namespace: namespaceName,
  agent: agentName,
  session_id: sessionId.optional(),
  msg: z.union([Message, z.array(Message), freeForm]),
  input_tokens: count.optional(),
  output_tokens: count.optional(),
  process_tokens: count.optional(),
  memory_tokens: count.optional(),
  total_tokens: count.optional(),
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

/** What is known of the tokens beside their sums. */
const tokenDetails = {
  cached_input_tokens: count.optional().openapi({
    description:
      "Input tokens that came from a cache, as they were told: part of `input_tokens` as OpenTelemetry and OpenAI count, beside " +
      "them as Anthropic does.",
  }),
  reasoning_tokens: count.optional().openapi({
    description: "Output tokens that were spent on thinking: part of `output_tokens`.",
  }),
};

/** A record to be uploaded. `total_tokens` is the sum of the others where it is absent. */
export const RecordUpload = z.object({
  ...recordFields,
  ...anonymizationVersion,
  ...outcome,
  ...tokenDetails,
  transfers: z
    .array(knownNullsAbsent(Transfer).openapi(schemaRef("Transfer")))
    .max(1000, MEASURED)
    .optional(),
  msg: z
    .unknown()
    .refine(isMessages, "must be a JSON object, or a list of JSON objects")
    .openapi({
      description: "An object in a list that has no `role` is read back with the role `user`.",
      anyOf: [schemaRef("Message"), { type: "array", items: schemaRef("Message") }, { type: "object" }],
    }),
});

/** What only spans of OpenTelemetry tell of a model call or a tool call. */
const toldBySpans = {
  operation: z.string().optional().openapi({ description: "`chat`, `embeddings` and the like." }),
  system_instructions: anyJson,
  usage: freeForm.optional().openapi({
    description: "All tokens that were told: cached ones and those of reasoning, too.",
  }),
  time_to_first_token_ms: z.number().optional(),
  call_id: z.string().optional(),
};

/** A ConversationRecord of the contract, and after its fields those of the step that it was made from. Also a CSV's columns. */
export const ConversationRecord = z
  .object({
    ...recordFields,
    trace_type: z.enum(["llm_call", "tool_call", "handoff"]).optional(),
    provider: z.string().optional(),
    latency_ms: count.optional(),
    input: anyJson,
    output: anyJson,
    tool_name: z.string().optional(),
    arguments: anyJson,
    result: anyJson,
    metadata: freeForm.optional(),
    ...anonymizationVersion,
    ...readStep,
    ...toldBySpans,
    ...tokenDetails,
  })
  .openapi("ConversationRecord");

export type ConversationRecord = z.infer<typeof ConversationRecord>;

/** Any object is taken for a message, and a list of any objects for messages: an upload is not lost over one of them. */
function isMessages(msg: unknown): boolean {
  return Array.isArray(msg) ? msg.every(isObject) : isObject(msg);
}
