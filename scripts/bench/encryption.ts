import { newContentKey } from "../../functions/monkai-api/domain/content-keys.ts";
import { newSenders, type Sender, sendBatch, sendStep } from "./agents.ts";
import { alternate, type Figure } from "./figures.ts";
import { perSecond } from "./load.ts";
import type { Settings } from "./settings.ts";
import { newTenant, type Stack, startFreshWorker, startStack, type Tenant } from "./stack.ts";

const IN_FLIGHT = 8;
const TOKENS = 8;
const BATCH = 100;
const EXPORTED = 10_000;

/** A tenant, and the Worker that its agents send to. */
interface Side {
  url: string;
  tenant: Tenant;
  senders: Sender[];
}

/** Section 11: what encryption costs: two Workers on one database, one with CONTENT_KEYS and one without. */
export async function encryptionCost(settings: Settings): Promise<Figure[]> {
  const stack = await startStack();
  const worker = await startFreshWorker(stack, newContentKey("bench"));
  try {
    const sides = async (name: string): Promise<[Side, Side]> => [
      await sideOf(stack, worker.url, `${name}, encrypted`),
      await sideOf(stack, stack.url, name),
    ];
    const figure = { section: 11 };
    const kept = await sides("kept");
    await fill(kept);
    return [
      {
        ...figure,
        name: "traces/llm, encrypted : not",
        unit: "requests/s",
        ...(await compared(await sides("one"), settings, oneByOne)),
        note: `${IN_FLIGHT} in flight, ${TOKENS} tokens`,
      },
      {
        ...figure,
        name: `traces/batch of ${BATCH}, encrypted : not`,
        unit: "steps/s",
        ...(await compared(await sides("batch"), settings, inBatches)),
      },
      {
        ...figure,
        name: `export of ${EXPORTED.toLocaleString("en")} records as JSON, encrypted : not`,
        unit: "records/s",
        ...(await compared(kept, settings, exported)),
      },
      {
        ...figure,
        name: "a stored step without its indexes, encrypted : not",
        unit: "bytes",
        ...(await sizes(stack, kept)),
      },
    ];
  } finally {
    await worker.stop();
    await stack.stop();
  }
}

async function sideOf(stack: Stack, url: string, name: string): Promise<Side> {
  const tenant = await newTenant(stack, name, TOKENS);
  return { url, tenant, senders: newSenders(tenant, IN_FLIGHT) };
}

type Measure = (side: Side, seconds: number) => Promise<number>;

async function compared([one, other]: [Side, Side], { rounds, seconds }: Settings, measure: Measure) {
  await measure(one, 1);
  await measure(other, 1);
  return alternate(
    rounds,
    () => measure(one, seconds),
    () => measure(other, seconds),
  );
}

const oneByOne: Measure = ({ url, senders }, seconds) =>
  perSecond(IN_FLIGHT, seconds, (place) => sendStep(url, senders[place] as Sender));

const inBatches: Measure = async ({ url, senders }, seconds) =>
  BATCH * (await perSecond(IN_FLIGHT, seconds, (place) => sendBatch(url, senders[place] as Sender, BATCH)));

/** One whole export, however long it takes. */
async function exported({ url, tenant }: Side): Promise<number> {
  const begun = performance.now();
  const response = await fetch(`${url}/v1/records/export`, {
    method: "POST",
    headers: { Authorization: `Bearer ${tenant.tokens[0]}`, "Content-Type": "application/json" },
    body: JSON.stringify({ namespace: "bench" }),
  });
  const { records } = (await response.json()) as { records?: unknown[] };
  if (records?.length !== EXPORTED)
    throw new Error(`${response.status}: ${records?.length} records were exported.`);
  return EXPORTED / ((performance.now() - begun) / 1000);
}

async function fill(sides: Side[]): Promise<void> {
  for (const { url, senders } of sides)
    for (let sent = 0; sent < EXPORTED; sent += BATCH) await sendBatch(url, senders[0] as Sender, BATCH);
}

async function sizes({ sql }: Stack, [one, other]: [Side, Side]) {
  const sizeOf = async ({ tenant }: Side) => {
    const [row] = await sql<[{ bytes: number }]>`
      select avg(pg_column_size(steps))::float8 as bytes from public.steps where tenant_id = ${tenant.id}`;
    return row.bytes;
  };
  const [measured, against] = [await sizeOf(one), await sizeOf(other)];
  return { measured, against, ratio: measured / against };
}
