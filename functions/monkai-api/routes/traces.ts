import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { handoffItem, llmItem, logItem, toolItem } from "../domain/trace-items.ts";
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
import { postRoute } from "./api-route.ts";

const success = { success: z.literal(true) };

const traceLlm = postRoute({
  path: "/traces/llm",
  tag: "Traces",
  storesContent: true,
  operationId: "traceLlmCall",
  summary: "Trace an LLM call",
  description:
    "Tokens are counted from `output.usage`: `prompt_tokens`/`completion_tokens` or `input_tokens`/`output_tokens`, " +
    "in snake or camel case.",
  bucket: "traces",
  idempotent: true,
  body: requestBody(LlmTrace).openapi("LlmTraceRequest"),
  result: LlmTraceResult.extend(success).openapi("LlmTraceResponse"),
});

const traceTool = postRoute({
  path: "/traces/tool",
  tag: "Traces",
  storesContent: true,
  operationId: "traceToolCall",
  summary: "Trace a tool or function call",
  bucket: "traces",
  idempotent: true,
  body: requestBody(ToolTrace).openapi("ToolTraceRequest"),
  result: ToolTraceResult.extend(success).openapi("ToolTraceResponse"),
});

const traceHandoff = postRoute({
  path: "/traces/handoff",
  tag: "Traces",
  storesContent: true,
  operationId: "traceHandoff",
  summary: "Trace a handoff from one agent to another",
  bucket: "traces",
  idempotent: true,
  body: requestBody(HandoffTrace).openapi("HandoffTraceRequest"),
  result: HandoffTraceResult.extend(success).openapi("HandoffTraceResponse"),
});

const traceLog = postRoute({
  path: "/traces/log",
  tag: "Traces",
  storesContent: true,
  operationId: "traceLog",
  summary: "Trace a log entry",
  description: "Either `session_id` or `namespace` must be there.",
  bucket: "traces",
  idempotent: true,
  body: requestBody(LogTrace).openapi("LogTraceRequest"),
  result: LogTraceResult.extend(success).openapi("LogTraceResponse"),
});

export function traceRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(traceLlm, async (c) => {
    const item = llmItem(c.req.valid("json"));
    const result = await c.get("store").recordTrace(item, c.get("idempotency"));
    return c.json({ success: true as const, ...result }, 200);
  });

  app.openapi(traceTool, async (c) => {
    const item = toolItem(c.req.valid("json"));
    const result = await c.get("store").recordTrace(item, c.get("idempotency"));
    return c.json({ success: true as const, ...result }, 200);
  });

  app.openapi(traceHandoff, async (c) => {
    const item = handoffItem(c.req.valid("json"));
    const result = await c.get("store").recordTrace(item, c.get("idempotency"));
    return c.json({ success: true as const, ...result }, 200);
  });

  app.openapi(traceLog, async (c) => {
    const item = logItem(c.req.valid("json"));
    const result = await c.get("store").recordTrace(item, c.get("idempotency"));
    return c.json({ success: true as const, ...result }, 200);
  });
}
