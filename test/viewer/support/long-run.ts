/** What a batch takes at most. */
const MOST = 100;
const START = Date.parse("2026-11-21T10:00:00Z");

/** The id of a long run's trace at this level; 0: all others are below it. */
export function traceAt(session: string, level: number): string {
  return `${session}-${level}`;
}

/** A tool call of the planner, as one sends it, but for what is said. */
export function toolCall(session: string, more: Record<string, unknown>): Record<string, unknown> {
  return {
    type: "tool",
    namespace: "shop",
    session_id: session,
    agent: "planner",
    tool_name: "look",
    arguments: {},
    result: "found",
    ...more,
  };
}

/** A session of so many steps, in traces each of which is below the one before: batches to be sent in their order. */
export function longBatches(
  session: string,
  { steps, levels }: { steps: number; levels: number },
): Record<string, unknown>[][] {
  const all = Array.from({ length: steps }, (_, index) => {
    const level = Math.floor((index * levels) / steps);
    return toolCall(session, {
      tool_name: `tool_${index}`,
      agent: `agent_${level % 7}`,
      trace_id: traceAt(session, level),
      ...(level > 0 && { parent_trace_id: traceAt(session, level - 1) }),
      started_at: new Date(START + index * 100).toISOString(),
      latency_ms: 80,
      result: `result ${index}`,
    });
  });
  return Array.from({ length: Math.ceil(steps / MOST) }, (_, batch) =>
    all.slice(batch * MOST, (batch + 1) * MOST),
  );
}
