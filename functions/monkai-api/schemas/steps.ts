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
  timestamp,
  traceId,
} from "./common.ts";
import { outcome } from "./outcome.ts";

/** What every kind of step may say beside its own fields. */
const common = {
  namespace: namespaceName.optional().openapi({
    description: "Where a session that is not known yet belongs. Default: the tenant's `default` namespace.",
  }),
  metadata: freeForm.optional(),
  timestamp: timestamp().optional().openapi({ description: "When it ended. Default: when it arrives." }),
  ...outcome,
  trace_id: traceId.optional().openapi({
    description:
      "The trace that this is a step of, where you know your own tree: then no handoff moves it. Default: see `GET /traces`.",
  }),
  parent_trace_id: traceId.optional().openapi({
    description:
      "The parent of that trace. It may come later. Where several are claimed, the one of the earliest step counts.",
  }),
};

export const LlmStep = z.object({
  session_id: sessionId,
  agent: agentName
    .optional()
    .openapi({ description: "Agent that made the call. Default: the namespace's name." }),
  model: z.string().optional(),
  provider: z.string().optional(),
  input: freeForm.optional().openapi({ description: "Common shape: `{ messages: [...] }`." }),
  output: freeForm.optional().openapi({ description: "Common shape: `{ content: ..., usage: {...} }`." }),
  latency_ms: count.optional(),
  ...common,
  ...externalUser,
});

export const ToolStep = z.object({
  session_id: sessionId,
  tool_name: z.string().min(1, MEASURED),
  arguments: freeForm.optional(),
  result: anyJson,
  latency_ms: count.optional(),
  agent: agentName.optional().openapi({ description: "Agent that called the tool." }),
  ...common,
  ...externalUser,
});

export const HandoffStep = z.object({
  session_id: sessionId,
  from_agent: agentName,
  to_agent: agentName,
  reason: z.string().optional(),
  agent: agentName
    .optional()
    .openapi({ description: "Agent that the trace is filed under. Default: `from_agent`." }),
  ...common,
  ...externalUser,
});

/** Without the rule that ties two of its fields together, which a schema to be extended cannot bear. */
export const LogStepShape = z.object({
  session_id: sessionId.optional().openapi({ description: "Provide either `session_id` or `namespace`." }),
  level: logLevel.default("info"),
  message: z.string(),
  resource_id: resourceId.optional(),
  agent: agentName.optional(),
  custom_object: freeForm.optional().openapi({
    description:
      "Read back as `custom_object`, as `metadata` is where there is no other; both are kept where both are sent.",
  }),
  ...common,
});

export const LogStep = LogStepShape.refine(
  (log) => log.session_id !== undefined || log.namespace !== undefined,
  {
    path: ["session_id"],
    message: "is required when there is no namespace",
  },
);

export type LlmStep = z.infer<typeof LlmStep>;

const stored = {
  success: z.literal(true),
  id: z.uuid().openapi({ description: "The step's id. It has it wherever it is read back." }),
  trace_id: z
    .string()
    .optional()
    .openapi({
      description:
        "The trace that you said it is a step of. Where you said none, the trace is known as soon as somebody reads it: " +
        "`GET /traces?session_id=` lists the traces of a session, and the step has its `trace_id` wherever it is read back.",
    }),
};

export const LlmStepAnswer = z.object({
  trace_type: z.literal("llm_call"),
  tokens: z.object({ input: z.int(), output: z.int() }),
  ...stored,
});
export const ToolStepAnswer = z.object({
  trace_type: z.literal("tool_call"),
  tool_name: z.string(),
  ...stored,
});
export const HandoffStepAnswer = z.object({
  trace_type: z.literal("handoff"),
  from: z.string(),
  to: z.string(),
  ...stored,
});
export const LogStepAnswer = z.object({ trace_type: z.literal("log"), ...stored });
