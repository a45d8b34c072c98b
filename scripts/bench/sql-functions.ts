import postgres from "postgres";
import { newSenders, rowOf, type Sender, sendersOfOneSession } from "./agents.ts";
import { insertOfRow, insertOfRows } from "./bare-rows.ts";
import { type Call, capturedCall } from "./captured-calls.ts";
import { alternate, type Comparison, type Figure } from "./figures.ts";
import { perSecond } from "./load.ts";
import { llmStep } from "./samples.ts";
import { foldEverything } from "./schedule.ts";
import type { Settings } from "./settings.ts";
import { literal, run } from "./simple-protocol.ts";
import { newTenant, type Stack, startStack, type Tenant } from "./stack.ts";

const CONNECTIONS = 8;
const BATCH = 100;
/** Of a batch: four sessions. */
const STEPS_OF_A_SESSION = 25;

interface Bench {
  stack: Stack;
  tenant: Tenant;
  connections: postgres.Sql[];
  settings: Settings;
}

/** Section 3: the request function called in SQL against the bare insert of the rows that it stores. */
export async function sqlFunctions(settings: Settings): Promise<Figure[]> {
  const stack = await startStack();
  const connections = Array.from({ length: CONNECTIONS }, () =>
    postgres(stack.database.postgresUrl, { max: 1, onnotice: () => {} }),
  );
  try {
    const tenant = await newTenant(stack, "bench", CONNECTIONS);
    const bench = { stack, tenant, connections, settings };
    return [...(await ofOneStep(bench)), ...(await ofBatches(bench)), await clientFigure(bench)];
  } finally {
    await Promise.all(connections.map((connection) => connection.end({ timeout: 1 })));
    await stack.stop();
  }
}

async function ofOneStep(bench: Bench): Promise<Figure[]> {
  const figure = { section: 3, unit: "steps/s" };
  const { tenant } = bench;
  return [
    {
      ...figure,
      name: "record_steps of one step : bare insert, one connection",
      ...(await compared(bench, newSenders(tenant, 1), 1)),
      goal: { atLeast: 0.55 },
      note:
        "Both sides by the simple protocol, fsync off. The other table has the columns, checks, indexes and generated columns " +
        "of steps. What was written is folded every 10 seconds beside it, as the schedule does.",
    },
    {
      ...figure,
      name: "the same, eight connections in one session",
      ...(await compared(bench, sendersOfOneSession(tenant, CONNECTIONS), 1)),
      goal: { atLeast: 0.35 },
      note: "eight tokens",
    },
    {
      ...figure,
      name: "the same, eight connections in many sessions",
      ...(await compared(bench, newSenders(tenant, CONNECTIONS), 1)),
      note: "eight tokens",
    },
  ];
}

async function ofBatches(bench: Bench): Promise<Figure[]> {
  const figure = { section: 3, unit: "steps/s", goal: { atLeast: 0.8 } };
  const { tenant } = bench;
  const note = `${BATCH / STEPS_OF_A_SESSION} sessions in each batch`;
  return [
    {
      ...figure,
      name: `record_steps of ${BATCH} steps : bare insert, one connection`,
      ...(await compared(bench, newSenders(tenant, 1, STEPS_OF_A_SESSION), BATCH)),
      note,
    },
    {
      ...figure,
      name: "the same, eight connections",
      ...(await compared(bench, newSenders(tenant, CONNECTIONS, STEPS_OF_A_SESSION), BATCH)),
      note: `${note}, eight tokens`,
    },
  ];
}

async function compared(bench: Bench, senders: Sender[], size: number): Promise<Comparison> {
  const { stack, tenant, connections, settings } = bench;
  const calls = await Promise.all(senders.map((sender) => callOf(stack, sender, size)));
  const called = (place: number) => callAgain(at(connections, place), at(calls, place), at(senders, place));
  const inserted = async (place: number) => {
    const rows = Array.from({ length: size }, () => rowOf(tenant, at(senders, place)));
    await run(at(connections, place), size === 1 ? insertOfRow(at(rows, 0)) : insertOfRows(rows));
  };

  const { rounds, seconds } = settings;
  await perSecond(senders.length, 1, called);
  await perSecond(senders.length, 1, inserted);
  const comparison = await alternate(
    rounds,
    async () => size * (await perSecond(senders.length, seconds, called)),
    async () => size * (await perSecond(senders.length, seconds, inserted)),
  );
  await foldEverything(stack.sql);
  return comparison;
}

// What the clients and the protocol alone would allow: the figures above are worth something while they are far below.
async function clientFigure({ connections, settings }: Bench): Promise<Figure> {
  const measured = await perSecond(CONNECTIONS, settings.seconds, async (place) => {
    await run(at(connections, place), `select ${place}`);
  });
  return { section: 3, name: "the clients' own limit: select 1", unit: "statements/s", measured };
}

/** What the API asks the database for so many LLM calls. */
function callOf({ project }: Stack, { token, nextSession }: Sender, size: number): Promise<Call> {
  const steps = Array.from({ length: size }, () => ({ type: "llm", ...llmStep(nextSession()) }));
  return capturedCall(project, size === 1 ? "/v1/traces/llm" : "/v1/traces/batch", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(size === 1 ? steps[0] : { traces: steps }),
  });
}

/** The same call with the sender's next sessions. */
async function callAgain(sql: postgres.Sql, call: Call, sender: Sender): Promise<void> {
  const items = (call.payload.items as object[]).map((item) => ({
    ...item,
    session_id: sender.nextSession(),
  }));
  const payload = literal({ ...call.payload, items });
  const [row] = await run<{ answer: Answer }>(sql, `select public.${call.name}(${payload}) as answer`);
  if (row?.answer.data?.refused.length !== 0) throw new Error(JSON.stringify(row?.answer));
}

interface Answer {
  data?: { refused: object[] };
}

function at<Item>(items: Item[], place: number): Item {
  return items[place] as Item;
}
