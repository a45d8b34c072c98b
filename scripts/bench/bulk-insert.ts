import { directInsert, newSenders, rowOf, type Sender, sendBatch } from "./agents.ts";
import { alternate, type Comparison, type Figure } from "./figures.ts";
import { perSecond } from "./load.ts";
import type { Settings } from "./settings.ts";
import { newTenant, type Stack, startStack, type Tenant } from "./stack.ts";

const IN_FLIGHT = 8;
const TOKENS = 8;
const BATCH = 100;

/** Section 2: `traces/batch` against as many rows by one insert of supabase-js through the same REST layer. */
export async function bulkInsert(settings: Settings): Promise<Figure[]> {
  const stack = await startStack();
  try {
    const tenant = await newTenant(stack, "bench", TOKENS);
    const figure = { section: 2, unit: "steps/s" };
    return [
      {
        ...figure,
        name: `traces/batch of ${BATCH} : supabase-js bulk insert`,
        ...(await compared(stack, tenant, 25, settings)),
        goal: { atLeast: 0.7 },
        note: `${IN_FLIGHT} in flight, ${TOKENS} tokens, 4 sessions in each batch`,
      },
      {
        ...figure,
        name: "the same, each step of another session",
        ...(await compared(stack, tenant, 1, settings)),
      },
    ];
  } finally {
    await stack.stop();
  }
}

async function compared(
  stack: Stack,
  tenant: Tenant,
  sessionLength: number,
  { rounds, seconds }: Settings,
): Promise<Comparison> {
  const senders = newSenders(tenant, IN_FLIGHT, sessionLength);
  const insert = directInsert(stack);
  const sender = (place: number) => senders[place] as Sender;
  const sent = (place: number) => sendBatch(stack.url, sender(place), BATCH);
  const inserted = (place: number) =>
    insert(Array.from({ length: BATCH }, () => rowOf(tenant, sender(place))));

  await perSecond(IN_FLIGHT, 1, sent);
  await perSecond(IN_FLIGHT, 1, inserted);
  return alternate(
    rounds,
    async () => BATCH * (await perSecond(IN_FLIGHT, seconds, sent)),
    async () => BATCH * (await perSecond(IN_FLIGHT, seconds, inserted)),
  );
}
