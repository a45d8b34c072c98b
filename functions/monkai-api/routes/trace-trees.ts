import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { treeJson } from "../domain/trace-tree.ts";
import { deleteRoute, getRoute } from "../http/api-route.ts";
import { methodNotAllowed } from "../middleware/refusals.ts";
import { agentName, count, dates, fromUrl, inQuery, sessionId, TRACE_TYPES } from "../schemas/common.ts";
import { ScoreFigures } from "../schemas/figures.ts";
import { filters } from "../schemas/filters.ts";
import type { AppEnv } from "../services.ts";

/** SOAT's Trace, and after it our own members. */
const Trace = z
  .object({
    id: z.string(),
    project_id: z.string().openapi({ description: "The namespace's public id." }),
    agent_id: z.string(),
    file_id: z.string().nullable().openapi({ description: "The file of its steps; null while it has none." }),
    step_count: count,
    parent_trace_id: z.string().nullable().openapi({ description: "Null for a root." }),
    root_trace_id: z.string().nullable().openapi({ description: "Null for a root." }),
    created_at: z.string().openapi({ format: "date-time" }),
    namespace: z.string(),
    agent: z.string().openapi({ description: "The agent's name." }),
    session_id: z.string().nullable(),
    content_redacted_at: z
      .string()
      .nullable()
      .openapi({ format: "date-time", description: "When what was said in it was taken away." }),
    scores: ScoreFigures.openapi({ description: "Of the trace and its steps." }),
  })
  .openapi("Trace");

const TraceTreeNode = Trace.extend({
  get children() {
    return z.array(TraceTreeNode);
  },
}).openapi("TraceTreeNode");

const traceParams = z.object({
  trace_id: fromUrl(z.string()).openapi({ param: { name: "trace_id", in: "path" } }),
});

const listTraces = getRoute({
  path: "/traces",
  tag: "Trace trees",
  operationId: "listTraces",
  summary: "List traces",
  description:
    "A trace is one agent's part in an execution; its steps are LLM calls, tool calls, handoffs, logs and records. Within " +
    "a session the first step opens the root; a handoff opens a trace for the other agent below it, or returns to one on " +
    "the way up to the root; a step that names an agent goes to its latest trace, one that names none to the active " +
    "one. Steps that say `trace_id` or `parent_trace_id` belong to that trace alone. Newest first.",
  bucket: "query",
  query: filters({
    project_id: inQuery(fromUrl(z.string()).optional()).openapi({
      description: "A namespace, by its public id or its name.",
    }),
    session_id: inQuery(fromUrl(sessionId).optional()),
    agent: inQuery(fromUrl(agentName).optional()),
    start_date: inQuery(dates.start_date),
    end_date: inQuery(dates.end_date),
    root_only: inQuery(z.enum(["true", "false"]).optional()).openapi({ description: "Roots alone." }),
    limit: inQuery(z.coerce.number().int().min(1).max(1000).default(50)),
    offset: inQuery(z.coerce.number().int().min(0).default(0)).openapi({
      type: "integer",
      minimum: 0,
      default: 0,
    }),
  }),
  result: z.object({ data: z.array(Trace), total: count, limit: count, offset: count }).openapi("TraceList"),
});

const getTrace = getRoute({
  path: "/traces/{trace_id}",
  tag: "Trace trees",
  operationId: "getTrace",
  summary: "Get a trace",
  bucket: "query",
  params: traceParams,
  result: Trace,
});

const getTraceTree = getRoute({
  path: "/traces/{trace_id}/tree",
  tag: "Trace trees",
  operationId: "getTraceTree",
  summary: "Get the whole tree that a trace is in",
  bucket: "query",
  params: traceParams,
  result: TraceTreeNode,
});

const purgeTraceContent = deleteRoute({
  path: "/traces/{trace_id}/content",
  tag: "Trace trees",
  operationId: "purgeTraceContent",
  summary: "Take away what was said in a trace and in all below it",
  description:
    "For good. Ids, times and counts stay. Again it changes nothing, but for steps that have come since.",
  bucket: "query",
  params: traceParams,
  result: Trace,
});

export function traceTreeRoutes(app: OpenAPIHono<AppEnv>): void {
  // `GET /traces/llm` is a wrong method, and not a trace named llm.
  for (const type of TRACE_TYPES) app.all(`/traces/${type}`, (c) => methodNotAllowed(c, ["POST"]));

  app.openapi(listTraces, async (c) => {
    const { root_only, ...query } = c.req.valid("query");
    const { traces, total } = await c.var.store.listTraces({ ...query, root_only: root_only === "true" });
    return c.json({ data: traces, total, limit: query.limit, offset: query.offset }, 200);
  });

  app.openapi(getTrace, async (c) => c.json(await c.var.store.getTrace(c.req.valid("param").trace_id), 200));

  app.openapi(getTraceTree, async (c) => {
    const traces = await c.var.store.getTraceTree(c.req.valid("param").trace_id);
    return c.body(treeJson(traces), 200, { "Content-Type": "application/json" });
  });

  app.openapi(purgeTraceContent, async (c) =>
    c.json(await c.var.store.purgeTraceContent(c.req.valid("param").trace_id), 200),
  );
}
