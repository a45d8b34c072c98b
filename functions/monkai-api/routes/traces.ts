import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { handoffItem, llmItem, logItem, toolItem, type ValidItem } from "../domain/trace-items.ts";
import { ApiError } from "../errors.ts";
import { requestBody } from "../schemas/common.ts";
import {
  HandoffTrace,
  HandoffTraceResult,
  LlmTrace,
  LlmTraceResult,
  LogTrace,
  LogTraceResult,
  ToolTrace,
  ToolTraceResult,
} from "../schemas/traces.ts";
import type { AppEnv } from "../services.ts";
import type { TraceResult } from "../store/traces.ts";
import { apiRoute } from "./api-route.ts";

const success = { success: z.literal(true) };

const traceLlm = apiRoute({
  path: "/traces/llm",
  tag: "Traces",
  operationId: "traceLlmCall",
  summary: "Trace an LLM call",
  description:
    "Tokens are counted from `output.usage`: `prompt_tokens`/`completion_tokens` or `input_tokens`/`output_tokens`, " +
    "in snake or camel case.",
  bucket: "traces",
  body: requestBody(LlmTrace).openapi("LlmTraceRequest"),
  result: LlmTraceResult.extend(success).openapi("LlmTraceResponse"),
});

const traceTool = apiRoute({
  path: "/traces/tool",
  tag: "Traces",
  operationId: "traceToolCall",
  summary: "Trace a tool or function call",
  bucket: "traces",
  body: requestBody(ToolTrace).openapi("ToolTraceRequest"),
  result: ToolTraceResult.extend(success).openapi("ToolTraceResponse"),
});

const traceHandoff = apiRoute({
  path: "/traces/handoff",
  tag: "Traces",
  operationId: "traceHandoff",
  summary: "Trace a handoff from one agent to another",
  bucket: "traces",
  body: requestBody(HandoffTrace).openapi("HandoffTraceRequest"),
  result: HandoffTraceResult.extend(success).openapi("HandoffTraceResponse"),
});

const traceLog = apiRoute({
  path: "/traces/log",
  tag: "Traces",
  operationId: "traceLog",
  summary: "Trace a log entry",
  description: "Either `session_id` or `namespace` must be there.",
  bucket: "traces",
  body: requestBody(LogTrace).openapi("LogTraceRequest"),
  result: LogTraceResult.extend(success).openapi("LogTraceResponse"),
});

export function traceRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(traceLlm, async (c) => {
    const result = await record(c, llmItem(c.req.valid("json")));
    return c.json({ success: true as const, ...result }, 200);
  });

  app.openapi(traceTool, async (c) => {
    const result = await record(c, toolItem(c.req.valid("json")));
    return c.json({ success: true as const, ...result }, 200);
  });

  app.openapi(traceHandoff, async (c) => {
    const result = await record(c, handoffItem(c.req.valid("json")));
    return c.json({ success: true as const, ...result }, 200);
  });

  app.openapi(traceLog, async (c) => {
    const result = await record(c, logItem(c.req.valid("json")));
    return c.json({ success: true as const, ...result }, 200);
  });
}

/** A single trace is a batch of one, whose refusal is the request's. */
async function record<Result extends TraceResult>(
  c: Context<AppEnv>,
  item: ValidItem<Result>,
): Promise<Result> {
  const [stored] = await c.var.store.recordTraces([{ index: 0, ...item }]);
  if (stored?.status === "ok") return stored.result as Result;
  throw new ApiError(
    stored?.error.code ?? "internal_error",
    stored?.error.message ?? "The trace was not stored.",
  );
}
