import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { toConversationRecord } from "../domain/read-back.ts";
import { messageStep } from "../domain/sent-steps.ts";
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
import { filters, recordFilters } from "../schemas/filters.ts";
import { ConversationRecord, RecordUpload } from "../schemas/records.ts";
import { UPLOAD_ITEMS, UploadAnswer, uploadAnswer } from "../schemas/uploads.ts";
import type { AppEnv } from "../services.ts";

const queryFilters = { ...recordFilters, ...paging };

const RecordQueryRequest = filters(
  {
    namespace: namespaceName,
    query: nullsAbsent(filters(queryFilters).refine(isOnePage, ONE_PAGE)).openapi("RecordQueryFilters"),
  },
  Object.keys(queryFilters).map((name) => `query.${name}`),
);

const RecordQueryResponse = z
  .object({
    records: z.array(ConversationRecord),
    count: count.openapi({ description: "All records that match, not only this page's." }),
    next_cursor: nextCursor,
    warning: namespaceWarning(),
  })
  .openapi("RecordQueryResponse");

const queryRecords = postRoute({
  path: "/record_query",
  tag: "Query",
  operationId: "queryRecords",
  summary: "Query conversation records",
  description: "Newest first. LLM calls, tool calls and handoffs that were traced are records too.",
  bucket: "query",
  body: requestBody(RecordQueryRequest).openapi("RecordQueryRequest"),
  result: RecordQueryResponse,
});

/** Who reads next derives a tree of all of them in one piece, within the time that a request has. */
const MOST_TRANSFERS = 20_000;

const RecordsUploadRequest = z.object({
  records: z
    .array(nullsAbsent(RecordUpload))
    .min(1, MEASURED)
    .max(UPLOAD_ITEMS, MEASURED)
    .refine(
      (records) => records.reduce((sum, { transfers = [] }) => sum + transfers.length, 0) <= MOST_TRANSFERS,
      `have more than ${MOST_TRANSFERS} transfers all in all: send fewer records at a time`,
    ),
});

const uploadRecords = postRoute({
  path: "/records/upload",
  tag: "Records",
  storesContent: true,
  operationId: "uploadRecords",
  summary: "Upload conversation records (batch)",
  description:
    "Up to 1,000 records with up to 20,000 transfers, all stored or none. A record is dropped as a duplicate when one " +
    "with the same namespace, session, agent, user, message (with attachments and `wam_id`) and, when given, " +
    "`inserted_at` was stored within the last 60 seconds.",
  bucket: "bulk_upload",
  bodyLimit: BODY_LIMIT.bulk,
  body: requestBody(RecordsUploadRequest).openapi("RecordsUploadRequest"),
  result: UploadAnswer.openapi("RecordsUploadResponse"),
});

const exportRecords = exportRoute({
  path: "/records/export",
  tag: "Export",
  operationId: "exportRecords",
  summary: "Export conversation records (JSON or CSV)",
  description:
    "All records that match, newest first, however many: the answer is written while they are read. One that fails " +
    "half-way breaks off. In CSV, objects and lists are JSON, and a text that a spreadsheet would run as a formula (it " +
    "begins with `=`, `+`, `-`, `@`, a tab or a line break) has a `'` in front.",
  bucket: "query",
  body: requestBody(filters({ namespace: namespaceName, ...recordFilters, format: exportFormat() })).openapi(
    "RecordExportRequest",
  ),
  result: z.object({ records: z.array(ConversationRecord) }).openapi("RecordExportResponse"),
});

export function recordRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(uploadRecords, async (c) => {
    const steps = c.req.valid("json").records.map(messageStep);
    return c.json(uploadAnswer(await c.var.store.uploadSteps(steps)), 200);
  });

  app.openapi(queryRecords, async (c) => {
    const { namespace, query } = c.req.valid("json");
    const asked = { namespace, ...query };
    const { rows, namespace_known, ...page } = await c.var.store.querySteps("records", asked);
    const records = rows.map(toConversationRecord) as ConversationRecord[];
    return c.json({ records, ...page, ...warningOf(namespace_known) }, 200);
  });

  app.openapi(exportRecords, (c) => {
    const { format, ...wanted } = c.req.valid("json");
    const pages = c.var.store.exportSteps("records", wanted);
    const fields = Object.keys(ConversationRecord.shape);
    return exportResponse(c, {
      name: "records",
      namespace: wanted.namespace,
      format,
      fields,
      pages,
      toItem: toConversationRecord,
    });
  });
}
