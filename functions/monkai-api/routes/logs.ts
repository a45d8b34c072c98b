import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { toLogEntry } from "../domain/read-back.ts";
import { logEntryStep } from "../domain/sent-steps.ts";
import { exportRoute, postRoute } from "../http/api-route.ts";
import { exportResponse } from "../http/export-response.ts";
import { BODY_LIMIT } from "../middleware/body-limit.ts";
import {
  count,
  exportFormat,
  isOnePage,
  MEASURED,
  namespaceName,
  namespaceWarning,
  nextCursor,
  nullsAbsent,
  ONE_PAGE,
  paging,
  requestBody,
  warningOf,
} from "../schemas/common.ts";
import { filters, logFilters } from "../schemas/filters.ts";
import { LogEntry, LogUpload } from "../schemas/logs.ts";
import { UPLOAD_ITEMS, UploadAnswer, uploadAnswer } from "../schemas/uploads.ts";
import type { AppEnv } from "../services.ts";

const LogQueryRequest = filters({ namespace: namespaceName, ...logFilters, ...paging }).refine(
  isOnePage,
  ONE_PAGE,
);

const LogQueryResponse = z
  .object({
    logs: z.array(LogEntry),
    count: count.openapi({ description: "All entries that match, not only this page's." }),
    next_cursor: nextCursor,
    warning: namespaceWarning(),
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
  logs: z.array(nullsAbsent(LogUpload)).min(1, MEASURED).max(UPLOAD_ITEMS, MEASURED),
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
  body: requestBody(filters({ namespace: namespaceName, ...logFilters, format: exportFormat() })).openapi(
    "LogExportRequest",
  ),
  result: z.object({ logs: z.array(LogEntry) }).openapi("LogExportResponse"),
});

export function logRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(uploadLogs, async (c) => {
    const steps = c.req.valid("json").logs.map(logEntryStep);
    return c.json(uploadAnswer(await c.var.store.uploadSteps(steps)), 200);
  });

  app.openapi(queryLogs, async (c) => {
    const query = c.req.valid("json");
    const { rows, namespace_known, ...page } = await c.var.store.querySteps("logs", query);
    const logs = rows.map(toLogEntry) as LogEntry[];
    return c.json({ logs, ...page, ...warningOf(namespace_known) }, 200);
  });

  app.openapi(exportLogs, (c) => {
    const { format, ...wanted } = c.req.valid("json");
    const pages = c.var.store.exportSteps("logs", wanted);
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
