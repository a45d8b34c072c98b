import "@hono/zod-openapi";
import * as z from "zod";
import { meantName } from "../domain/meant-name.ts";
import { agentName, dates, logLevel, sessionId, traceId } from "./common.ts";

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
  agent: agentName().optional(),
  session_id: sessionId().optional(),
  trace_id: traceId().optional(),
  ...dates,
};

export const recordFilters = stepFilters;
export const logFilters = {
  level: logLevel().optional(),
  resource_id: z.string().optional(),
  ...stepFilters,
};
