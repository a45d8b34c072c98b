import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "./client.ts";
import { Conversation, type SentStep } from "./conversation.ts";
import { DESK } from "./desk.ts";
import { everyday, TOPICS } from "./everyday.ts";
import { Random } from "./random.ts";

/** Sends a step every second or two to one session, until it is told to stop. Gives how many were sent. */
export async function goOnLive(client: ApiClient, sessionId: string, signal: AbortSignal): Promise<number> {
  const random = new Random(7);
  let sent = 0;
  for (const step of endlessSteps(sessionId, random)) {
    await sleep(random.between(1000, 2000), undefined, { signal }).catch(() => {});
    if (signal.aborted) return sent;
    const { type, ...fields } = step;
    await client.post(`/v1/traces/${type}`, { ...fields, timestamp: new Date().toISOString() });
    sent += 1;
  }
  return sent;
}

function* endlessSteps(id: string, random: Random): Generator<SentStep> {
  const customer = { id: "cust-live", name: "Lin Bergström", channel: "web" };
  for (;;) {
    const chat = new Conversation({ id, namespace: DESK, customer, begins: 0, isTimed: false });
    yield* everyday(chat, random.oneOf(TOPICS), random).steps;
  }
}
