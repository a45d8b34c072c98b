export interface Handoff {
  from: string;
  to: string;
}

/** A step as a client sends it. */
export interface Step {
  /** Which step of its history this is. It is sent as `resource_id`, which stays when content is taken away. */
  key: string;
  kind: "llm" | "tool" | "handoff" | "message" | "log" | "agent" | "span";
  namespace: string;
  session?: string;
  agent?: string;
  name?: string;
  handoffs: Handoff[];
  traceId?: string;
  parentId?: string;
  otelTraceId?: string;
  spanId?: string;
  parentSpanId?: string;
  user?: string;
  role?: "turn" | "task";
  /** Of each sort as many, so that a difference between them shows. */
  tokens?: number;
  /** When it began, in seconds; absent: its sender tells no time, and it happens when it arrives. */
  time?: number;
  /** How its sender tells the time: by its start, by its end, or by both. */
  told?: "start" | "end" | "both";
}

/** Steps that are sent together: all of them messages to upload, or none. */
export type Request = Step[];

export const START = Date.UTC(2026, 0, 1);
const LATENCY = 250;
const MODELS = ["m", "M", undefined];

/** The function of a request, and its items as the API would send them. */
export function itemsOf(request: Request): { name: string; items: object[] } {
  const items = request.map((step, index) => ({
    index,
    kind: step.kind,
    namespace: step.namespace,
    session_id: step.session,
    agent: step.agent,
    name: step.name,
    level: step.kind === "log" ? "info" : undefined,
    resource_id: step.key,
    trace_id: step.traceId,
    parent_trace_id: step.parentId,
    otel_trace_id: step.otelTraceId,
    span_id: step.spanId,
    parent_span_id: step.parentSpanId,
    user_id: step.user,
    role: step.role,
    input_tokens: step.tokens,
    output_tokens: step.tokens,
    cached_input_tokens: step.tokens,
    reasoning_tokens: step.tokens,
    latency_ms: LATENCY,
    status: step.key.endsWith("3") ? "error" : undefined,
    model: MODELS[step.key.charCodeAt(0) % 3],
    ...timesOf(step),
    error: { message: step.key },
    content: {
      msg: step.key,
      ...(step.kind === "message" ? { transfers: step.handoffs } : {}),
      ...(step.kind === "handoff"
        ? { from_agent: step.handoffs[0]?.from, to_agent: step.handoffs[0]?.to }
        : {}),
    },
  }));
  return { name: request[0]?.kind === "message" ? "upload_steps" : "record_steps", items };
}

function timesOf({ time, told }: Step): object {
  if (time === undefined) return {};
  const started_at = new Date(START + time * 1000).toISOString();
  if (told === "start") return { started_at };
  if (told === "end") return { occurred_at: started_at };
  return { started_at, occurred_at: new Date(START + time * 1000 + LATENCY).toISOString() };
}
