import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { toLogEntry } from "../domain/read-back.ts";
import { logEntryItem } from "../domain/upload-items.ts";
import { BODY_LIMIT } from "../middleware/body-limit.ts";
import {
  count,
  dates,
  exportFormat,
  isOnePage,
  logLevel,
  MEASURED,
  namespaceName,
  nextCursor,
  nullsAbsent,
  ONE_PAGE,
  paging,
  requestBody,
} from "../schemas/common.ts";
import { LogEntry } from "../schemas/logs.ts";
import { UPLOAD_ITEMS, UploadAnswer, uploadAnswer } from "../schemas/uploads.ts";
import type { AppEnv } from "../services.ts";
import { exportRoute, postRoute } from "./api-route.ts";
import { exportResponse } from "./export-response.ts";

const filters = {
  namespace: namespaceName(),
  level: logLevel().optional(),
  resource_id: z.string().optional(),
  ...dates,
};

const LogQueryRequest = z.object({ ...filters, ...paging }).refine(isOnePage, ONE_PAGE);

const LogQueryResponse = z
  .object({
    logs: z.array(LogEntry),
    count: count().openapi({ description: "All entries that match, not only this page's." }),
    next_cursor: nextCursor(),
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

const LogsUploadRequest = z.object({
  logs: z.array(nullsAbsent(LogEntry)).min(1, MEASURED).max(UPLOAD_ITEMS, MEASURED),
});

const uploadLogs = postRoute({
  path: "/logs/upload",
  tag: "Logs",
  storesContent: true,
  operationId: "uploadLogs",
  summary: "Upload operational logs (batch)",
  description: "Up to 1,000 entries, all stored or none.",
  bucket: "bulk_upload",
  bodyLimit: BODY_LIMIT.bulk,
  body: requestBody(LogsUploadRequest).openapi("LogsUploadRequest"),
  result: UploadAnswer.openapi("LogsUploadResponse"),
});

const exportLogs = exportRoute({
  path: "/logs/export",
  tag: "Export",
  operationId: "exportLogs",
  summary: "Export logs (JSON or CSV)",
  description: "All entries that match, newest first, in the same form as the export of records.",
  bucket: "query",
  body: requestBody(z.object({ ...filters, format: exportFormat() })).openapi("LogExportRequest"),
  result: z.object({ logs: z.array(LogEntry) }).openapi("LogExportResponse"),
});

export function logRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(uploadLogs, async (c) => {
    const items = c.req.valid("json").logs.map(logEntryItem);
    return c.json(uploadAnswer(await c.var.store.uploadItems(items)), 200);
  });

  app.openapi(queryLogs, async (c) => {
    const { rows, ...page } = await c.var.store.queryLogs(c.req.valid("json"));
    return c.json({ logs: rows.map(toLogEntry), ...page }, 200);
  });

  app.openapi(exportLogs, (c) => {
    const { format, ...wanted } = c.req.valid("json");
    const pages = c.var.store.exportLogs(wanted);
    const fields = Object.keys(LogEntry.shape);
    return exportResponse(c, {
      name: "logs",
      namespace: wanted.namespace,
      format,
      fields,
      pages,
      toItem: toLogEntry,
    });
  });
}
