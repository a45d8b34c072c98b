import type { Afternoon } from "./afternoon.ts";
import { afternoonUntil } from "./afternoon.ts";
import { type ApiClient, Refusal } from "./client.ts";
import type { Conversation, SentStep } from "./conversation.ts";
import { AFTERNOON_MINUTES, DESK } from "./desk.ts";

/** Items of one POST /v1/traces/batch or /v1/scores/batch. */
const BATCH_ITEMS = 100;

export interface Sent {
  afternoon: Afternoon;
  end: Date;
  /** Had this day's afternoon been begun before? */
  wasThere: boolean;
}

/**
 * Sends the afternoon of this day (in UTC): up to now, or where it was sent before, the same one again. Then every request has
 * the key and the bytes of then, and only what had not arrived is stored.
 */
export async function sendAfternoon(client: ApiClient): Promise<Sent> {
  const day = new Date().toISOString().slice(0, 10);
  const { end, wasThere } = await openTheDesk(client, day);
  const afternoon = afternoonUntil(end);
  const ids = new Map<SentStep, string>();
  const batches = [afternoon.logs, ...inBatches(afternoon.conversations)];
  for (const [index, steps] of batches.entries()) {
    const answer = await client.post("/v1/traces/batch", { traces: steps }, `demo-${day}-steps-${index}`);
    for (const { index: place, id } of stored(answer)) ids.set(steps[place] as SentStep, id);
  }
  await client.post("/v1/traces", afternoon.spans.request);
  await sendRecords(client, afternoon.redacted);
  const scores = afternoon.scores.map(({ of, ...score }) =>
    of ? { ...score, step_id: ids.get(of) } : score,
  );
  stored(await client.post("/v1/scores/batch", { scores }, `demo-${day}-scores`));
  await client.delete(`/v1/traces/${afternoon.purgedTraceId}/content`);
  return { afternoon, end, wasThere };
}

/** The first step of the day says when its afternoon began, to whoever sends it again. */
async function openTheDesk(client: ApiClient, day: string): Promise<{ end: Date; wasThere: boolean }> {
  const trace_id = `demo-${day}`;
  const known = await orNothing(client.get(`/v1/traces/${trace_id}/steps?limit=1`));
  if (known) {
    const began = Date.parse(known.steps[0].started_at);
    return { end: new Date(began + AFTERNOON_MINUTES * 60_000), wasThere: true };
  }
  const end = new Date();
  const timestamp = new Date(end.getTime() - AFTERNOON_MINUTES * 60_000).toISOString();
  const opening = { namespace: DESK, trace_id, agent: "triage", message: "The desk opens", timestamp };
  await client.post("/v1/traces/log", opening, `demo-${day}-opening`);
  return { end, wasThere: false };
}

/** Uploads know no idempotency key: whether they have been made, their session says. */
async function sendRecords(client: ApiClient, { sessionId, records }: Afternoon["redacted"]): Promise<void> {
  if (await orNothing(client.get(`/v1/sessions/${sessionId}`))) return;
  await client.post("/v1/records/upload", { records });
}

/** Conversations one after the other, each whole: who lists sessions by their last activity sees them in this order. */
function inBatches(conversations: Conversation[]): SentStep[][] {
  const batches: SentStep[][] = [[]];
  for (const { steps } of conversations) {
    const last = batches.at(-1) as SentStep[];
    if (last.length + steps.length > BATCH_ITEMS) batches.push([...steps]);
    else last.push(...steps);
  }
  return batches;
}

interface BatchAnswer {
  results: { index: number; status: string; result?: { id: string }; error?: { message: string } }[];
}

/** The ids of all items. Throws where one was refused. */
function stored({ results }: BatchAnswer): { index: number; id: string }[] {
  return results.map(({ index, result, error }) => {
    if (!result) throw new Error(`Item ${index} of a batch was refused: ${error?.message}`);
    return { index, id: result.id };
  });
}

async function orNothing<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return undefined;
    throw error;
  }
}
