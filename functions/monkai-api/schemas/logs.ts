import "@hono/zod-openapi";
import * as z from "zod";
import {
  agentName,
  anonymizationVersion,
  freeForm,
  logLevel,
  namespaceName,
  resourceId,
  sessionId,
  timestamp,
} from "./common.ts";

/** A LogEntry of the contract, and after its fields those of the trace that it was made from. */
export const LogEntry = z
  .object({
    namespace: namespaceName(),
    level: logLevel(),
    message: z.string(),
    timestamp: timestamp().optional(),
    resource_id: resourceId().optional(),
    custom_object: freeForm().optional(),
    session_id: sessionId().optional(),
    agent: agentName().optional(),
    ...anonymizationVersion,
  })
  .openapi("LogEntry");

export type LogEntry = z.infer<typeof LogEntry>;
