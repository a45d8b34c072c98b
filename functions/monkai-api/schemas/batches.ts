import "@hono/zod-openapi";
import * as z from "zod";
import { ERROR_CODES } from "../errors.ts";
import { count } from "./common.ts";

/** What became of an item of a batch: its index, and its result or its error. */
export function batchResult<Result extends z.ZodType>(list: string, result: Result, answered: string) {
  return {
    index: count.openapi({ description: `Position in the request's \`${list}\`.` }),
    status: z.enum(["ok", "error"]),
    result: result.optional().openapi({ description: `When \`status\` is \`ok\`: ${answered}` }),
    error: z
      .object({ code: z.enum(ERROR_CODES), message: z.string() })
      .optional()
      .openapi({ description: "When `status` is `error`." }),
  };
}

/** What a batch answers: what became of each item, and how many of them are stored. */
export function batchResponse<Item extends z.ZodType>(item: Item) {
  return z.object({
    success: z.boolean().openapi({ description: "True only when every item succeeded." }),
    total: count,
    succeeded: count,
    failed: count,
    results: z.array(item),
  });
}

export function batchAnswer<Result extends { status: "ok" | "error" }>(results: Result[]) {
  const total = results.length;
  const failed = results.filter(({ status }) => status === "error").length;
  return { success: failed === 0, total, succeeded: total - failed, failed, results };
}
