import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { handoffItem, llmItem, logItem, toolItem } from "../domain/trace-items.ts";
import { ERROR_CODES } from "../errors.ts";
import { BODY_LIMIT } from "../middleware/body-limit.ts";
import { validationError } from "../middleware/validation.ts";
import { count, MEASURED, nullsAbsent, requestBody, schemaRef } from "../schemas/common.ts";
import {
  HandoffTrace,
  HandoffTraceResult,
  LlmTrace,
  LlmTraceResult,
  LogTrace,
  LogTraceResult,
  LogTraceShape,
  ToolTrace,
  ToolTraceResult,
} from "../schemas/traces.ts";
import type { AppEnv } from "../services.ts";
import type { TraceItem, TraceType, ValidItem } from "../store/traces.ts";
import { postRoute } from "./api-route.ts";

const TYPES = ["llm", "tool", "handoff", "log"] as const satisfies TraceType[];

/** How each type is read. An item that its schema refuses is that item's error, not the request's. */
const READERS = {
  llm: reader(requestBody(LlmTrace), llmItem),
  tool: reader(requestBody(ToolTrace), toolItem),
  handoff: reader(requestBody(HandoffTrace), handoffItem),
  log: reader(requestBody(LogTrace), logItem),
} satisfies Record<TraceType, (trace: unknown, index: number, type: TraceType) => TraceItem>;

const ITEM_SCHEMAS = {
  llm: "BatchTraceItemLlm",
  tool: "BatchTraceItemTool",
  handoff: "BatchTraceItemHandoff",
  log: "BatchTraceItemLog",
} satisfies Record<TraceType, string>;

/** What the batch itself insists on is the type alone; the documentation says the whole. */
const BatchTraceItem = z.looseObject({ type: z.enum(TYPES) }).openapi("BatchTraceItem", {
  discriminator: {
    propertyName: "type",
    mapping: Object.fromEntries(
      Object.entries(ITEM_SCHEMAS).map(([type, name]) => [type, schemaRef(name).$ref]),
    ),
  },
  oneOf: Object.values(ITEM_SCHEMAS).map(schemaRef),
});

const BatchTraceRequest = z.object({ traces: z.array(BatchTraceItem).min(1, MEASURED).max(100, MEASURED) });

const BatchTraceResultItem = z
  .object({
    index: count().openapi({ description: "Position in the request's `traces`." }),
    type: z.enum(TYPES),
    status: z.enum(["ok", "error"]),
    result: z
      .union([LlmTraceResult, ToolTraceResult, HandoffTraceResult, LogTraceResult])
      .optional()
      .openapi({ description: "When `status` is `ok`." }),
    error: z
      .object({ code: z.enum(ERROR_CODES), message: z.string() })
      .optional()
      .openapi({ description: "When `status` is `error`." }),
  })
  .openapi("BatchTraceResultItem");

const BatchTraceResponse = z
  .object({
    success: z.boolean().openapi({ description: "True only when every item succeeded." }),
    total: count(),
    succeeded: count(),
    failed: count(),
    results: z.array(BatchTraceResultItem),
  })
  .openapi("BatchTraceResponse");

const traceBatch = postRoute({
  path: "/traces/batch",
  tag: "Traces",
  storesContent: true,
  operationId: "traceBatch",
  summary: "Up to 100 traces of mixed types",
  description:
    "Each item has a `type` and the body of that type's own endpoint. Answers 200 when the batch itself is well-formed: " +
    "items that cannot be stored are reported in `results`, and the others are all stored.",
  bucket: "traces_batch",
  idempotent: true,
  bodyLimit: BODY_LIMIT.bulk,
  body: nullsAbsent(BatchTraceRequest).openapi("BatchTraceRequest"),
  result: BatchTraceResponse,
});

export function traceBatchRoutes(app: OpenAPIHono<AppEnv>): void {
  const registry = app.openAPIRegistry;
  registry.register(ITEM_SCHEMAS.llm, LlmTrace.extend({ type: z.literal("llm") }));
  registry.register(ITEM_SCHEMAS.tool, ToolTrace.extend({ type: z.literal("tool") }));
  registry.register(ITEM_SCHEMAS.handoff, HandoffTrace.extend({ type: z.literal("handoff") }));
  registry.register(ITEM_SCHEMAS.log, LogTraceShape.extend({ type: z.literal("log") }));

  app.openapi(traceBatch, async (c) => {
    const { traces } = c.req.valid("json");
    const items = traces.map((trace, index) => READERS[trace.type](trace, index, trace.type));
    const results = await c.var.store.recordTraces(items, c.var.idempotency);
    const failed = results.filter((result) => result.status === "error").length;
    const succeeded = results.length - failed;
    return c.json({ success: failed === 0, total: results.length, succeeded, failed, results }, 200);
  });
}

function reader<Schema extends z.ZodType>(schema: Schema, toItem: (trace: z.output<Schema>) => ValidItem) {
  return (trace: unknown, index: number, type: TraceType): TraceItem => {
    const parsed = schema.safeParse(trace);
    if (parsed.success) return { index, ...toItem(parsed.data) };
    return { index, type, error: validationError(parsed.error.issues, trace) };
  };
}
