import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { kindOf, toFoundStep } from "../domain/read-back.ts";
import { postRoute } from "../http/api-route.ts";
import { count, namespaceName, nullsAbsent, requestBody } from "../schemas/common.ts";
import { filters, searchFilters } from "../schemas/filters.ts";
import type { AppEnv } from "../services.ts";
import { Skeleton } from "./steps.ts";

const StepSearchRequest = filters(
  {
    namespace: namespaceName.optional().openapi({ description: "Not told, all that the token may use." }),
    query: nullsAbsent(filters(searchFilters)).openapi("StepSearchFilters"),
  },
  Object.keys(searchFilters).map((name) => `query.${name}`),
);

const FoundStep = Skeleton.extend({
  trace_id: z.string().nullable().openapi({ description: "Null: a log entry that belongs to no trace." }),
  step_number: count.nullable(),
  session_id: z.string().nullable(),
  namespace: z.string(),
  match: z
    .object({
      field: z.string().openapi({
        description: "Where the text is: a member of the content, or `error`, `name`, `model` or `agent`.",
      }),
      excerpt: z.string().openapi({ description: "In one line, with `...` where it is cut." }),
      at: z.tuple([count, count]).openapi({
        description:
          "From where until before where in the excerpt, in UTF-16 code units, as JavaScript counts.",
      }),
    })
    .optional()
    .openapi({ description: "The first place of the `text`." }),
}).openapi("FoundStep");

const searchSteps = postRoute({
  path: "/steps/query",
  tag: "Steps",
  operationId: "searchSteps",
  summary: "Search steps by filters and text",
  description:
    "Newest first, by when they were over (spans: by when they began), since seven days ago unless `start_date` is told. A " +
    "request looks at no more than 10,000 steps, with a `text` through no more than 16 MiB of content, and for no more than " +
    "three seconds: where it ends before the page is full, the answer has `searched_until`. Such a page may be empty, and yet " +
    "have a `next_cursor`.",
  bucket: "view",
  body: requestBody(StepSearchRequest).openapi("StepSearchRequest"),
  result: z
    .object({
      steps: z.array(FoundStep),
      next_cursor: z
        .string()
        .optional()
        .openapi({ description: "Send it as `cursor` to go on; absent where all has been searched." }),
      searched_until: z.string().optional().openapi({
        format: "date-time",
        description:
          "The time of the last step that was looked at, where the page is not full and there are more.",
      }),
    })
    .openapi("StepSearchResponse"),
});

export function stepSearchRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(searchSteps, async (c) => {
    const { namespace, query } = c.req.valid("json");
    const { type, ...others } = query;
    const found = await c.var.store.searchSteps({ namespace, kind: type && kindOf(type), ...others });
    return c.json({ ...found, steps: found.steps.map(toFoundStep) }, 200);
  });
}
