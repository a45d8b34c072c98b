import "@hono/zod-openapi";
import * as z from "zod";
import { STEP_STATUSES } from "../domain/step.ts";
import { nullsAbsent, schemaRef, timestamp } from "./common.ts";

const StepError = z
  .object({ type: z.string().optional(), message: z.string() })
  .openapi("StepError", { description: "What went wrong in a step." });

/** How a step went, and when it began: what cannot be found out later. */
export const outcome = {
  status: z
    .enum(STEP_STATUSES)
    .optional()
    .openapi({
      description:
        "How the step ended. Not told is neither. A step with an `error` has the status `error` where none is told, and so " +
        "has a tool call whose `result` has `is_error: true`.",
    }),
  error: z
    .union([z.string().transform((message) => ({ message })), nullsAbsent(StepError)], {
      error: "must be a text, or an object with a message",
    })
    .optional()
    .openapi({ anyOf: [{ type: "string" }, schemaRef("StepError")], description: "What went wrong." }),
  started_at: timestamp().optional().openapi({
    description: "When the step began. Not told, it is when the step ended less its `latency_ms`.",
  }),
};

/** The same as it is read back, with the ids by which a step and its trace are found. */
export const readStep = {
  id: z.uuid().optional().openapi({ description: "The step's own id, as its sender was told." }),
  trace_id: z.string().optional().openapi({ description: "The trace that it is a step of." }),
  status: outcome.status,
  error: StepError.optional(),
  started_at: outcome.started_at,
};
