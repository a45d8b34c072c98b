import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { jsonText } from "../domain/export-text.ts";
import { toNumberedStep } from "../domain/read-back.ts";
import type { TraceRow } from "../domain/trace-tree.ts";
import { getRoute } from "../http/api-route.ts";
import { streamedFile } from "../http/streamed-file.ts";
import { count, fromUrl } from "../schemas/common.ts";
import { LogEntry } from "../schemas/logs.ts";
import { ConversationRecord } from "../schemas/records.ts";
import type { AppEnv } from "../services.ts";

const fileParams = z.object({
  file_id: fromUrl(z.string()).openapi({ param: { name: "file_id", in: "path" } }),
});

const File = z
  .object({
    id: z.string(),
    trace_id: z.string(),
    filename: z.string(),
    content_type: z.literal("application/json"),
    step_count: count,
    created_at: z.string().openapi({ format: "date-time" }),
    content_redacted_at: z.string().nullable().openapi({ format: "date-time" }),
  })
  .openapi("File");

const getFile = getRoute({
  path: "/files/{file_id}",
  tag: "Trace trees",
  operationId: "getFile",
  summary: "Get what is known of the file of a trace's steps",
  bucket: "query",
  params: fileParams,
  result: File,
});

const step_number = count.openapi({ description: "In the order of arrival in its trace." });

const RecordStep = ConversationRecord.extend({
  step_number,
  type: z.enum(["llm_call", "tool_call", "handoff", "message"]),
}).openapi("RecordStep");

const LogStep = LogEntry.extend({ step_number, type: z.literal("log") }).openapi("LogStep");

const downloadFile = getRoute({
  path: "/files/{file_id}/download",
  tag: "Trace trees",
  operationId: "downloadFile",
  summary: "Download the steps of a trace, log entries among them, in order",
  description: "Written while it is read. One that fails half-way breaks off, and is no JSON.",
  bucket: "query",
  params: fileParams,
  isFile: true,
  result: z.array(z.union([RecordStep, LogStep])).openapi("TraceSteps"),
});

export function fileRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(getFile, async (c) => {
    const { file_id } = c.req.valid("param");
    return c.json(fileOf(file_id, await c.var.store.getFile(file_id)), 200);
  });

  app.openapi(downloadFile, (c) => {
    const { file_id } = c.req.valid("param");
    return streamedFile(c, {
      fileName: fileName(file_id),
      mediaType: "application/json",
      pages: c.var.store.exportFile(file_id),
      toItem: toNumberedStep,
      write: (steps) => jsonText("[", steps, "]"),
    });
  });
}

function fileOf(id: string, trace: TraceRow): z.infer<typeof File> {
  const { id: trace_id, step_count, created_at, content_redacted_at } = trace;
  const filename = fileName(id);
  return {
    id,
    trace_id,
    filename,
    content_type: "application/json",
    step_count,
    created_at,
    content_redacted_at,
  };
}

/** Only what a file's id may have, whatever was asked for. */
function fileName(fileId: string): string {
  return `${fileId.replace(/[^\w-]/g, "-").slice(0, 80)}.json`;
}
