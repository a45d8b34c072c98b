import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { toLogEntry } from "../domain/read-back.ts";
import {
  count,
  logLevel,
  namespaceName,
  pageLimit,
  pageOffset,
  requestBody,
  timestamp,
} from "../schemas/common.ts";
import { LogEntry } from "../schemas/logs.ts";
import type { AppEnv } from "../services.ts";
import { apiRoute } from "./api-route.ts";

const LogQueryRequest = z.object({
  namespace: namespaceName(),
  level: logLevel().optional(),
  resource_id: z.string().optional(),
  start_date: timestamp("start").optional(),
  end_date: timestamp("end").optional().openapi({ description: "Inclusive; a bare day is included whole." }),
  limit: pageLimit(),
  offset: pageOffset(),
});

const LogQueryResponse = z
  .object({
    logs: z.array(LogEntry),
    count: count().openapi({ description: "All entries that match, not only this page's." }),
  })
  .openapi("LogQueryResponse");

const queryLogs = apiRoute({
  path: "/logs/query",
  tag: "Query",
  operationId: "queryLogs",
  summary: "Query log entries",
  description: "Newest first.",
  bucket: "query",
  body: requestBody(LogQueryRequest).openapi("LogQueryRequest"),
  result: LogQueryResponse,
});

export function logRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(queryLogs, async (c) => {
    const { logs, count } = await c.var.store.queryLogs(c.req.valid("json"));
    return c.json({ logs: logs.map(toLogEntry), count }, 200);
  });
}
