import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { toSkeleton, toTypedStep } from "../domain/read-back.ts";
import { STEP_STATUSES } from "../domain/step.ts";
import { versionedRoute } from "../http/api-route.ts";
import { knownVersions, versioned } from "../http/versioned-response.ts";
import { count, fromUrl, inQuery, MEASURED, namespaceName, nextCursor } from "../schemas/common.ts";
import { StepCost } from "../schemas/figures.ts";
import { filters, SPAN_TYPES, stepIds } from "../schemas/filters.ts";
import { LogEntry } from "../schemas/logs.ts";
import { ConversationRecord } from "../schemas/records.ts";
import type { AppEnv } from "../services.ts";
import type { SkeletonList } from "../store/queries.ts";

export const Skeleton = z
  .object({
    id: z.uuid(),
    trace_id: z.string(),
    step_number: count.openapi({ description: "In the order of arrival in its trace." }),
    type: z.enum([...SPAN_TYPES, "message", "log"]),
    agent: z.string().nullable(),
    name: z.string().nullable().openapi({
      description:
        "Of a model call the model, of a tool call the tool, of a handoff the agent who takes over.",
    }),
    started_at: z.string().openapi({ format: "date-time" }),
    duration_ms: count.nullable(),
    time_told: z.boolean().openapi({ description: "False: `started_at` is made of when it arrived." }),
    status: z.enum(STEP_STATUSES).nullable().openapi({ description: "Null: not told." }),
    error: z.string().nullable().openapi({ description: "The beginning of its message." }),
    input_tokens: count.nullable().openapi({
      description: "Null: not told, or those of the calls below it, which count there.",
    }),
    output_tokens: count.nullable(),
    cost: StepCost.nullable().openapi({
      description:
        "By the prices of now. Null: no price is known, no tokens are, or it costs nothing by itself.",
    }),
    to_trace_id: z.string().nullable().openapi({
      description: "Of a handoff, the trace that it leads to. Null where that is not known.",
    }),
    bytes: count.openapi({ description: "The size of its content as JSON. 0: it was taken away." }),
    preview: z.string().nullable().openapi({ description: "The beginning of what it says, in one line." }),
  })
  .openapi("StepSkeleton");

const LinkedTrace = z
  .object({
    id: z.string(),
    parent_trace_id: z.string().nullable().openapi({ description: "Null for a root." }),
    agent: z.string(),
  })
  .openapi("LinkedTrace");

const SkeletonListResponse = z
  .object({
    traces: z.array(LinkedTrace).openapi({ description: "All, on each page, in order of creation." }),
    steps: z.array(Skeleton),
    count: count.openapi({ description: "Of all pages, as of the first one." }),
    next_cursor: nextCursor,
    watermark: z.string().openapi({ description: "Send it as `after` to get what has come since." }),
  })
  .openapi("StepSkeletonList");

const paging = {
  limit: inQuery(z.coerce.number().int().min(1).max(5000).default(1000)).openapi({
    type: "integer",
    minimum: 1,
    maximum: 5000,
    default: 1000,
  }),
  cursor: inQuery(z.string().max(512, MEASURED).optional()).openapi({
    description: "The `next_cursor` of the page before. It stands for that page's `after`, too.",
  }),
  after: inQuery(z.string().max(512, MEASURED).optional()).openapi({
    description: "A `watermark`: only what has come, or has changed, since the answer that gave it.",
  }),
};

const IN_ORDER =
  "Skeletons, in the order in which they happened: what was said is in `GET /steps`. All pages are of the moment of the " +
  "first one. With `after`, nothing that came since is missed, however late it was committed; a step may come again " +
  "where it has changed (its trace, its tokens, or that its content was taken away) or its tree has, and then stands " +
  "for the one with its id.";

const listTraceSteps = versionedRoute({
  path: "/traces/{trace_id}/steps",
  tag: "Steps",
  operationId: "listTraceSteps",
  summary: "List the steps of a trace, or of the whole tree that it is in",
  description: IN_ORDER,
  bucket: "view",
  params: z.object({
    trace_id: fromUrl(z.string()).openapi({ param: { name: "trace_id", in: "path" } }),
  }),
  query: filters({
    scope: inQuery(z.enum(["trace", "tree"]).default("trace")).openapi({
      type: "string",
      enum: ["trace", "tree"],
      default: "trace",
    }),
    ...paging,
  }),
  result: SkeletonListResponse,
});

const listSessionSteps = versionedRoute({
  path: "/sessions/{session_id}/steps",
  tag: "Steps",
  operationId: "listSessionSteps",
  summary: "List the steps of a session",
  description: `${IN_ORDER} \`traces\` are those that they belong or lead to, and all above them.`,
  bucket: "view",
  params: z.object({
    session_id: fromUrl(z.string()).openapi({ param: { name: "session_id", in: "path" } }),
  }),
  query: filters({
    namespace: inQuery(fromUrl(namespaceName).optional()).openapi({
      description: "Only its steps in this namespace.",
    }),
    ...paging,
  }),
  result: SkeletonListResponse,
});

const cut = {
  truncated: z.literal(true).optional().openapi({ description: "Its content was larger than `max_bytes`." }),
  left_out: z
    .array(z.string())
    .optional()
    .openapi({ description: "The largest members of its content, which were left out for that." }),
};

const WholeStep = ConversationRecord.extend({
  type: z.enum([...SPAN_TYPES, "message"]),
  trace_type: z.enum(SPAN_TYPES).optional(),
  ...cut,
}).openapi("WholeStep");

const WholeLogEntry = LogEntry.extend({ type: z.literal("log"), ...cut }).openapi("WholeLogEntry");

const getSteps = versionedRoute({
  path: "/steps",
  tag: "Steps",
  operationId: "getSteps",
  summary: "Get whole steps",
  description:
    "In the order of `ids`; those that are not there are absent. They have the shape that they have in a file, but for " +
    "their number.",
  bucket: "view",
  query: filters({
    ids: stepIds.openapi({
      type: "string",
      description: "Up to 50 ids of steps, with commas in between: the `id` of an answer or of a list.",
    }),
    max_bytes: inQuery(z.coerce.number().int().min(0).max(10_485_760).default(65_536)).openapi({
      type: "integer",
      minimum: 0,
      maximum: 10_485_760,
      default: 65_536,
      description: "Of a step whose content is larger, as JSON, its largest members are left out.",
    }),
  }),
  result: z.object({ steps: z.array(z.union([WholeStep, WholeLogEntry])) }).openapi("WholeStepList"),
});

export function stepRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(listTraceSteps, async (c) => {
    const query = { ...c.req.valid("param"), ...c.req.valid("query") };
    const { version, data } = await c.var.store.listTraceSteps(query, knownVersions(c));
    return versioned(c, version, data && toSkeletonList(data));
  });

  app.openapi(listSessionSteps, async (c) => {
    const query = { ...c.req.valid("param"), ...c.req.valid("query") };
    const { version, data } = await c.var.store.listSessionSteps(query, knownVersions(c));
    return versioned(c, version, data && toSkeletonList(data));
  });

  app.openapi(getSteps, async (c) => {
    const { version, data } = await c.var.store.getSteps(c.req.valid("query"), knownVersions(c));
    return versioned(c, version, data && { steps: data.steps.map(toTypedStep) });
  });
}

function toSkeletonList(list: SkeletonList) {
  return { ...list, steps: list.steps.map(toSkeleton) };
}
