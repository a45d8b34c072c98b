import { z } from "@hono/zod-openapi";
import {
  agentName,
  anyJson,
  count,
  externalUser,
  freeForm,
  namespaceName,
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
  .object({
    from: z.string(),
    to: z.string(),
    reason: z.string().optional(),
    timestamp: z.string().optional(),
  })
  .openapi("Transfer");

/** A ConversationRecord of the contract, and after its fields those of the trace that it was made from. */
export const ConversationRecord = z
  .object({
    namespace: namespaceName(),
    agent: agentName(),
    session_id: sessionId().optional(),
    msg: z.union([Message, z.array(Message), freeForm()]),
    input_tokens: count().optional(),
    output_tokens: count().optional(),
    total_tokens: count().optional(),
    transfers: z.array(Transfer).optional(),
    inserted_at: timestamp().optional(),
    model: z.string().optional(),
    ...externalUser,
    trace_type: z.enum(["llm_call", "tool_call", "handoff"]).optional(),
    provider: z.string().optional(),
    latency_ms: count().optional(),
    input: freeForm().optional(),
    output: freeForm().optional(),
    tool_name: z.string().optional(),
    arguments: freeForm().optional(),
    result: anyJson(),
    metadata: freeForm().optional(),
  })
  .openapi("ConversationRecord");

export type ConversationRecord = z.infer<typeof ConversationRecord>;
