import "@hono/zod-openapi";
import * as z from "zod";
import { meantName } from "../domain/meant-name.ts";
import { USAGE_BY, type UsageBy } from "../domain/usage-by.ts";
import { agentName, count, dates, logLevel, MEASURED, sessionId, traceId } from "./common.ts";

/**
 * What a list is asked by. A filter that is not known is refused: to ignore it would give more than was asked for.
 * `elsewhere`: the filters that belong into another member of the request, as `query.agent`.
 */
export function filters<Shape extends z.core.$ZodLooseShape>(shape: Shape, elsewhere: string[] = []) {
  const known = [...Object.keys(shape), ...elsewhere];
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? unknownFilters(issue.keys, known) : undefined),
  });
}

function unknownFilters(names: string[], known: string[]): string {
  const [first, ...others] = names.slice(0, 3).map((name) => `\`${name.slice(0, 50)}\`${hint(name, known)}`);
  return `there is no filter ${[first, ...others].join(", nor ")}`;
}

function hint(name: string, known: string[]): string {
  const meant = meantName(name, known);
  return meant ? ` (did you mean \`${meant}\`?)` : ` (there are \`${known.join("`, `")}\`)`;
}

/** What both lists of steps can be asked for. */
const stepFilters = {
  agent: agentName.optional(),
  session_id: sessionId.optional(),
  trace_id: traceId.optional(),
  ...dates,
};

export const recordFilters = stepFilters;
export const logFilters = {
  level: logLevel.optional(),
  resource_id: z.string().optional(),
  ...stepFilters,
};

/** The kinds of steps that belong to a trace, as clients read them. */
export const SPAN_TYPES = ["llm_call", "tool_call", "handoff", "agent", "span"] as const;

const STEP_TYPES = [...SPAN_TYPES, "message", "log"] as const;

const name = () => z.string().min(1, MEASURED).max(512, MEASURED);

/** What steps can be searched by. */
export const searchFilters = {
  text: z.string().min(1, MEASURED).max(200, MEASURED).optional().openapi({
    description:
      "Part of what was said, of the error, or of the name of the tool, model or agent; without case.",
    example: "timeout",
  }),
  type: z.enum(STEP_TYPES).optional(),
  status: z.enum(["ok", "error", "not_told"]).optional(),
  agent: agentName.optional(),
  model: name().optional(),
  tool_name: name().optional(),
  user_id: name().optional().openapi({ description: "That of the step, else that of its session." }),
  session_id: sessionId.optional(),
  trace_id: traceId.optional(),
  min_duration_ms: count.optional(),
  start_date: dates.start_date.openapi({
    description: "Not told, seven days before `end_date` or now.",
  }),
  end_date: dates.end_date,
  limit: z.int().min(1).max(200).default(50),
  cursor: z.string().max(512, MEASURED).optional().openapi({
    description: "The `next_cursor` of the page before.",
  }),
};

const STEP_ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Ids of steps, as a text. */
export const stepIds = z
  .string()
  .transform((text) => text.split(","))
  .refine((ids) => ids.length <= 50 && ids.every((id) => STEP_ID.test(id)), {
    error: "must be up to 50 ids of steps, with commas in between",
  });

/** What rows are by, as a text. */
export const usageBy = z
  .string()
  .default("day")
  .transform((text) => text.split(",") as UsageBy[])
  .refine((names) => names.every((name) => USAGE_BY.includes(name)) && new Set(names).size === names.length, {
    error: `must be some of ${USAGE_BY.join(", ")}, each once, with commas in between`,
  })
  .refine((names) => !(names.includes("day") && names.includes("hour")), {
    error: "can be day or hour, but not both",
  });
