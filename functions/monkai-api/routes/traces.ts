import type { OpenAPIHono } from "@hono/zod-openapi";
import type * as z from "zod";
import { type AnsweredStep, handoffStep, llmStep, logStep, toolStep } from "../domain/sent-steps.ts";
import { postRoute } from "../http/api-route.ts";
import { requestBody } from "../schemas/common.ts";
import {
  HandoffStep,
  HandoffStepAnswer,
  LlmStep,
  LlmStepAnswer,
  LogStep,
  LogStepAnswer,
  LogStepShape,
  ToolStep,
  ToolStepAnswer,
} from "../schemas/steps.ts";
import type { AppEnv } from "../services.ts";

/** All that is particular to a kind of step that is traced one by one or in batches. */
export interface TracedKind {
  path: string;
  operationId: string;
  summary: string;
  description?: string;
  body: z.ZodType;
  /** What a batch's item has beside its type: its name in the document, and its fields. */
  item: [name: string, z.ZodObject];
  answer: z.ZodType;
  /** What `body` has read becomes a step. */
  // biome-ignore lint/suspicious/noExplicitAny: `traced` has compared it with the body
  toStep: (sent: any) => AnsweredStep;
}

/** Says nothing but that what the body reads is what the step is made of. */
function traced<Body extends z.ZodType>(
  kind: TracedKind & { body: Body; toStep: (sent: z.output<Body>) => AnsweredStep },
): TracedKind {
  return kind;
}

export const TRACED_KINDS = {
  llm: traced({
    path: "/traces/llm",
    operationId: "traceLlmCall",
    summary: "Trace an LLM call",
    description:
      "Tokens are counted from `output.usage`: `prompt_tokens`/`completion_tokens` or `input_tokens`/`output_tokens`, " +
      "in snake or camel case. Cached and reasoning tokens are read there and in its details, where they are told.",
    body: requestBody(LlmStep).openapi("LlmTraceRequest"),
    item: ["BatchTraceItemLlm", LlmStep],
    answer: LlmStepAnswer.openapi("LlmTraceResponse"),
    toStep: llmStep,
  }),
  tool: traced({
    path: "/traces/tool",
    operationId: "traceToolCall",
    summary: "Trace a tool or function call",
    body: requestBody(ToolStep).openapi("ToolTraceRequest"),
    item: ["BatchTraceItemTool", ToolStep],
    answer: ToolStepAnswer.openapi("ToolTraceResponse"),
    toStep: toolStep,
  }),
  handoff: traced({
    path: "/traces/handoff",
    operationId: "traceHandoff",
    summary: "Trace a handoff from one agent to another",
    body: requestBody(HandoffStep).openapi("HandoffTraceRequest"),
    item: ["BatchTraceItemHandoff", HandoffStep],
    answer: HandoffStepAnswer.openapi("HandoffTraceResponse"),
    toStep: handoffStep,
  }),
  log: traced({
    path: "/traces/log",
    operationId: "traceLog",
    summary: "Trace a log entry",
    description: "Either `session_id` or `namespace` must be there.",
    body: requestBody(LogStep).openapi("LogTraceRequest"),
    item: ["BatchTraceItemLog", LogStepShape],
    answer: LogStepAnswer.openapi("LogTraceResponse"),
    toStep: logStep,
  }),
};

export function traceRoutes(app: OpenAPIHono<AppEnv>): void {
  for (const kind of Object.values(TRACED_KINDS)) {
    const { path, operationId, summary, description, body, answer, toStep } = kind;
    const route = postRoute({
      path,
      tag: "Traces",
      storesContent: true,
      operationId,
      summary,
      description,
      bucket: "traces",
      idempotent: true,
      body,
      result: answer,
    });
    app.openapi(route, async (c) => {
      const step = toStep(c.req.valid("json"));
      return c.json(await c.get("store").storeStep(step, c.get("idempotency")), 200);
    });
  }
}
