/** A span as it will be stored: see internal.store_steps. */
export interface SpanItem {
  kind: string;
  namespace: string;
  name: string;
  agent?: string;
  started_at: string;
  occurred_at: string;
  latency_ms: number;
  otel_trace_id: string;
  span_id: string;
  parent_span_id?: string;
  content: object;
}

const WIDTH = 100;
const TRACE = crypto.randomUUID().replaceAll("-", "");
const BEGUN = Date.now();

/** So many spans of one OpenTelemetry trace, parents first: a root, and below it a hundred chains of equal length. */
export function spanItems(count: number): SpanItem[] {
  return Array.from({ length: count }, (_, place) => spanItem(place));
}

// Every tenth span of a chain is an agent's, and all others are what it does.
function spanItem(place: number): SpanItem {
  const depth = Math.ceil(place / WIDTH);
  const kind = depth % 10 === 0 ? "agent" : (["llm", "tool", "span"][place % 3] ?? "span");
  return {
    kind,
    namespace: "talks",
    name: `work-${place % 7}`,
    ...(kind === "agent" ? { agent: `agent-${place % 20}` } : {}),
    started_at: new Date(BEGUN + place).toISOString(),
    occurred_at: new Date(BEGUN + place + 20).toISOString(),
    latency_ms: 20,
    otel_trace_id: TRACE,
    span_id: spanId(place),
    ...(place > 0 ? { parent_span_id: spanId(Math.max(place - WIDTH, 0)) } : {}),
    content: { attributes: { "gen_ai.operation.name": kind } },
  };
}

function spanId(place: number): string {
  return place.toString(16).padStart(16, "0");
}
