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
import { outcome, readStep } from "./outcome.ts";

/** The fields of a log entry that the contract knows, in its order, and then ours. */
const logFields = {
  namespace: namespaceName,
  level: logLevel,
  message: z.string(),
  timestamp: timestamp().optional(),
  resource_id: resourceId.optional(),
  custom_object: freeForm.optional(),
  session_id: sessionId.optional(),
  agent: agentName.optional(),
  ...anonymizationVersion,
};

const metadata = freeForm.optional().openapi({ description: "What was sent beside a `custom_object`." });

/** A log entry to be uploaded. */
export const LogUpload = z.object({ ...logFields, ...outcome, metadata });

/** A LogEntry of the contract, and after its fields those of the step that it was made from. Also a CSV's columns. */
export const LogEntry = z.object({ ...logFields, ...readStep, metadata }).openapi("LogEntry");

export type LogEntry = z.infer<typeof LogEntry>;
