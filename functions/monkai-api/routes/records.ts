import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { toConversationRecord } from "../domain/read-back.ts";
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
import { ConversationRecord } from "../schemas/records.ts";
import type { AppEnv } from "../services.ts";
import { apiRoute } from "./api-route.ts";

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

const queryRecords = apiRoute({
  path: "/record_query",
  tag: "Query",
  operationId: "queryRecords",
  summary: "Query conversation records",
  description: "Newest first. LLM calls, tool calls and handoffs that were traced are records too.",
  bucket: "query",
  body: requestBody(RecordQueryRequest).openapi("RecordQueryRequest"),
  result: RecordQueryResponse,
});

export function recordRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(queryRecords, async (c) => {
    const { namespace, query } = c.req.valid("json");
    const { records, count } = await c.var.store.queryRecords({ namespace, ...query });
    return c.json({ records: records.map(toConversationRecord), count }, 200);
  });
}
