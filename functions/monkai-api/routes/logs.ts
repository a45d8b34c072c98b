import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { toLogEntry } from "../domain/read-back.ts";
import { logEntryItem } from "../domain/upload-items.ts";
import { BODY_LIMIT } from "../middleware/body-limit.ts";
import {
  count,
  logLevel,
  namespaceName,
  nullsAbsent,
  pageLimit,
  pageOffset,
  requestBody,
  timestamp,
} from "../schemas/common.ts";
import { LogEntry } from "../schemas/logs.ts";
import { UPLOAD_ITEMS, UploadAnswer, uploadAnswer } from "../schemas/uploads.ts";
import type { AppEnv } from "../services.ts";
import { postRoute } from "./api-route.ts";

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

const queryLogs = postRoute({
  path: "/logs/query",
  tag: "Query",
  operationId: "queryLogs",
  summary: "Query log entries",
  description: "Newest first.",
  bucket: "query",
  body: requestBody(LogQueryRequest).openapi("LogQueryRequest"),
  result: LogQueryResponse,
});

const LogsUploadRequest = z.object({ logs: z.array(nullsAbsent(LogEntry)).min(1).max(UPLOAD_ITEMS) });

const uploadLogs = postRoute({
  path: "/logs/upload",
  tag: "Logs",
  operationId: "uploadLogs",
  summary: "Upload operational logs (batch)",
  description: "Up to 1,000 entries, all stored or none.",
  bucket: "bulk_upload",
  bodyLimit: BODY_LIMIT.bulk,
  body: requestBody(LogsUploadRequest).openapi("LogsUploadRequest"),
  result: UploadAnswer.openapi("LogsUploadResponse"),
});

export function logRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(uploadLogs, async (c) => {
    const items = c.req.valid("json").logs.map(logEntryItem);
    return c.json(uploadAnswer(await c.var.store.uploadItems(items)), 200);
  });

  app.openapi(queryLogs, async (c) => {
    const { logs, count } = await c.var.store.queryLogs(c.req.valid("json"));
    return c.json({ logs: logs.map(toLogEntry), count }, 200);
  });
}
