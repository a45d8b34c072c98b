import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { toConversationRecord } from "../domain/read-back.ts";
import { recordItem } from "../domain/upload-items.ts";
import { BODY_LIMIT } from "../middleware/body-limit.ts";
import {
  agentName,
  count,
  namespaceName,
  nullsAbsent,
  pageLimit,
  pageOffset,
  requestBody,
  sessionId,
  timestamp,
} from "../schemas/common.ts";
import { ConversationRecord, RecordUpload } from "../schemas/records.ts";
import { UPLOAD_ITEMS, UploadAnswer, uploadAnswer } from "../schemas/uploads.ts";
import type { AppEnv } from "../services.ts";
import { postRoute } from "./api-route.ts";

const RecordQueryFilters = z.object({
  agent: agentName().optional(),
  session_id: sessionId().optional(),
  start_date: timestamp("start").optional(),
  end_date: timestamp("end").optional().openapi({ description: "Inclusive; a bare day is included whole." }),
  limit: pageLimit(),
  offset: pageOffset(),
});

const RecordQueryRequest = z.object({
  namespace: namespaceName(),
  query: nullsAbsent(RecordQueryFilters).openapi("RecordQueryFilters"),
});

const RecordQueryResponse = z
  .object({
    records: z.array(ConversationRecord),
    count: count().openapi({ description: "All records that match, not only this page's." }),
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

const RecordsUploadRequest = z.object({
  records: z.array(nullsAbsent(RecordUpload)).min(1).max(UPLOAD_ITEMS),
});

const uploadRecords = postRoute({
  path: "/records/upload",
  tag: "Records",
  operationId: "uploadRecords",
  summary: "Upload conversation records (batch)",
  description:
    "Up to 1,000 records, all stored or none. A record is dropped as a duplicate when one with the same namespace, " +
    "session, agent, message and (when given) `inserted_at` was stored within the last 60 seconds.",
  bucket: "bulk_upload",
  bodyLimit: BODY_LIMIT.bulk,
  body: requestBody(RecordsUploadRequest).openapi("RecordsUploadRequest"),
  result: UploadAnswer.openapi("RecordsUploadResponse"),
});

export function recordRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(uploadRecords, async (c) => {
    const items = c.req.valid("json").records.map(recordItem);
    return c.json(uploadAnswer(await c.var.store.uploadItems(items)), 200);
  });

  app.openapi(queryRecords, async (c) => {
    const { namespace, query } = c.req.valid("json");
    const { records, count } = await c.var.store.queryRecords({ namespace, ...query });
    return c.json({ records: records.map(toConversationRecord), count }, 200);
  });
}
