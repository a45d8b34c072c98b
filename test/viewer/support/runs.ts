import { expect } from "vitest";
import { type Client, limitTenant } from "../../support/tenant.ts";

/** What a batch takes at most. */
const MOST = 100;

/** Sends tool calls of the planner at once, in their order. */
export async function sendBatch(
  client: Client,
  session: string,
  steps: Record<string, unknown>[],
): Promise<void> {
  const traces = steps.map((step) => ({
    type: "tool",
    namespace: "shop",
    session_id: session,
    agent: "planner",
    tool_name: "look",
    arguments: {},
    result: "found",
    ...step,
  }));
  const { status, body } = await client.post("/v1/traces/batch", { traces });
  expect([status, body.failed]).toEqual([200, 0]);
}

/** A tree of so many levels, each a trace below the other, with so many steps in all. Gives the root's id. */
export async function sendLongRun(
  client: Client,
  { steps, levels }: { steps: number; levels: number },
): Promise<string> {
  const start = Date.parse("2026-11-21T10:00:00Z");
  const all = Array.from({ length: steps }, (_, index) => {
    const level = Math.floor((index * levels) / steps);
    return {
      tool_name: `tool_${index}`,
      agent: `agent_${level % 7}`,
      trace_id: `level-${level}`,
      ...(level > 0 && { parent_trace_id: `level-${level - 1}` }),
      started_at: new Date(start + index * 100).toISOString(),
      latency_ms: 80,
    };
  });
  await limitTenant(client.tenant, { traces_batch: Math.ceil(steps / MOST) });
  for (let from = 0; from < steps; from += MOST) {
    await sendBatch(client, "long", all.slice(from, from + MOST));
  }
  return "level-0";
}
