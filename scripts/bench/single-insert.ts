import { directInsert, newSenders, rowOf, type Sender, sendTrace } from "./agents.ts";
import { alternate, type Figure } from "./figures.ts";
import { perSecond } from "./load.ts";
import type { Settings } from "./settings.ts";
import { newTenant, type Stack, startStack, type Tenant } from "./stack.ts";

const IN_FLIGHT = 16;
const TOKENS = 8;

/** Section 1: `traces/llm` against what one would do without it, a row by supabase-js through the same REST layer. */
export async function singleInsert(settings: Settings): Promise<Figure[]> {
  const stack = await startStack();
  try {
    const tenant = await newTenant(stack, "bench", TOKENS);
    const many = newSenders(tenant, IN_FLIGHT);
    // All requests of one token wait for each other at its counter, those of one session at the session.
    const oneToken = newSenders({ ...tenant, tokens: tenant.tokens.slice(0, 1) }, 1);
    const one = Array.from({ length: IN_FLIGHT }, () => oneToken[0] as Sender);

    return [
      {
        section: 1,
        name: "traces/llm : supabase-js insert",
        unit: "requests/s",
        ...(await compared(stack, tenant, many, settings)),
        goal: { atLeast: 0.8 },
        note: `${IN_FLIGHT} in flight, ${TOKENS} tokens, a session for each of those in flight`,
      },
      {
        section: 1,
        name: "the same, one token and one session",
        unit: "requests/s",
        ...(await compared(stack, tenant, one, settings)),
        note: `${IN_FLIGHT} in flight`,
      },
    ];
  } finally {
    await stack.stop();
  }
}

async function compared(stack: Stack, tenant: Tenant, senders: Sender[], { rounds, seconds }: Settings) {
  const insert = directInsert(stack);
  const sender = (place: number) => senders[place % senders.length] as Sender;
  const traced = (place: number) => sendTrace(stack, sender(place));
  const inserted = (place: number) => insert(rowOf(tenant, sender(place)));

  await perSecond(senders.length, 1, traced);
  await perSecond(senders.length, 1, inserted);
  return alternate(
    rounds,
    () => perSecond(senders.length, seconds, traced),
    () => perSecond(senders.length, seconds, inserted),
  );
}
