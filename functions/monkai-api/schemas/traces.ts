import "@hono/zod-openapi";
import * as z from "zod";
import {
  agentName,
  anyJson,
  count,
  externalUser,
  freeForm,
  logLevel,
  MEASURED,
  namespaceName,
  resourceId,
  sessionId,
  TRACE_ID_EXAMPLE,
  timestamp,
  traceId,
} from "./common.ts";

/** What every kind of trace may say beside its own fields. */
const common = {
  namespace: namespaceName().optional().openapi({
    description: "Where a session that is not known yet belongs. Default: the tenant's `default` namespace.",
  }),
  metadata: freeForm().optional(),
  timestamp: timestamp().optional(),
  trace_id: traceId().optional().openapi({
    description:
      "The trace that this is a step of, where you know your own tree. Default: see `GET /traces`.",
  }),
  parent_trace_id: traceId().optional().openapi({
    description: "The parent of that trace. It may come later.",
  }),
};

export const LlmTrace = z.object({
  session_id: sessionId(),
  agent: agentName()
    .optional()
    .openapi({ description: "Agent that made the call. Default: the namespace's name." }),
  model: z.string().optional().openapi({ example: "gpt-4" }),
  provider: z.string().optional().openapi({ example: "openai" }),
  input: freeForm().optional().openapi({ description: "Common shape: `{ messages: [...] }`." }),
  output: freeForm().optional().openapi({ description: "Common shape: `{ content: ..., usage: {...} }`." }),
  latency_ms: count().optional(),
  ...common,
  ...externalUser,
});

export const ToolTrace = z.object({
  session_id: sessionId(),
  tool_name: z.string().min(1, MEASURED).openapi({ example: "get_weather" }),
  arguments: freeForm().optional(),
  result: anyJson(),
  latency_ms: count().optional(),
  agent: agentName().optional().openapi({ description: "Agent that called the tool." }),
  ...common,
  ...externalUser,
});

export const HandoffTrace = z.object({
  session_id: sessionId(),
  from_agent: agentName().openapi({ example: "triage-agent" }),
  to_agent: agentName().openapi({ example: "sales-agent" }),
  reason: z.string().optional(),
  agent: agentName()
    .optional()
    .openapi({ description: "Agent that the trace is filed under. Default: `from_agent`." }),
  ...common,
  ...externalUser,
});

/** Without the rule that ties two of its fields together, which a schema to be extended cannot bear. */
export const LogTraceShape = z.object({
  session_id: sessionId().optional().openapi({ description: "Provide either `session_id` or `namespace`." }),
  level: logLevel().default("info"),
  message: z.string(),
  resource_id: resourceId().optional(),
  agent: agentName().optional(),
  ...common,
});

export const LogTrace = LogTraceShape.refine(
  (log) => log.session_id !== undefined || log.namespace !== undefined,
  {
    path: ["session_id"],
    message: "is required when there is no namespace",
  },
);

export type LlmTrace = z.infer<typeof LlmTrace>;
export type ToolTrace = z.infer<typeof ToolTrace>;
export type HandoffTrace = z.infer<typeof HandoffTrace>;
export type LogTrace = z.infer<typeof LogTrace>;

const placed = {
  trace_id: z
    .string()
    .openapi({ description: "The trace that this is a step of.", example: TRACE_ID_EXAMPLE }),
};

export const LlmTraceResult = z.object({
  trace_type: z.literal("llm_call"),
  tokens: z.object({ input: z.int(), output: z.int() }),
  ...placed,
});
export const ToolTraceResult = z.object({
  trace_type: z.literal("tool_call"),
  tool_name: z.string(),
  ...placed,
});
export const HandoffTraceResult = z.object({
  trace_type: z.literal("handoff"),
  from: z.string(),
  to: z.string(),
  ...placed,
});
export const LogTraceResult = z.object({
  trace_type: z.literal("log"),
  trace_id: placed.trace_id.optional().openapi({
    description: "The trace that this is a step of. A log entry without a session is none.",
  }),
});
