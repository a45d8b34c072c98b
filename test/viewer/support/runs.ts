import { expect } from "vitest";
import { type Client, limitTenant } from "../../support/tenant.ts";
import { longBatches, toolCall, traceAt } from "./long-run.ts";

/** Sends tool calls of the planner at once, in their order. */
export async function sendBatch(
  client: Client,
  session: string,
  steps: Record<string, unknown>[],
): Promise<void> {
  const traces = steps.map((step) => toolCall(session, step));
  const { status, body } = await client.post("/v1/traces/batch", { traces });
  expect([status, body.failed]).toEqual([200, 0]);
}

/** A tree of so many levels, with so many steps in all. Gives the root's id. */
export async function sendLongRun(
  client: Client,
  { steps, levels }: { steps: number; levels: number },
): Promise<string> {
  const batches = longBatches("long", { steps, levels });
  await limitTenant(client.tenant, { traces_batch: batches.length });
  for (const traces of batches) {
    const { status, body } = await client.post("/v1/traces/batch", { traces });
    expect([status, body.failed]).toEqual([200, 0]);
  }
  return traceAt("long", 0);
}
