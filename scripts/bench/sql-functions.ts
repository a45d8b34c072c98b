import postgres from "postgres";
import { newSenders, rowOf, type Sender } from "./agents.ts";
import { insertBareRow, insertBareRows } from "./bare-rows.ts";
import { type Call, capturedCall } from "./captured-calls.ts";
import { alternate, type Figure } from "./figures.ts";
import { perSecond } from "./load.ts";
import { type BareRow, llmTrace } from "./samples.ts";
import type { Settings } from "./settings.ts";
import { newTenant, type Stack, startStack, type Tenant } from "./stack.ts";

const CONNECTIONS = 8;
const BATCH = 100;

interface Bench {
  stack: Stack;
  tenant: Tenant;
  /** One connection for each sender, whose statements are prepared once. */
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
    return [
      ...(await figures(bench, 1, 0.5)),
      ...(await figures(bench, BATCH, 0.7)),
      await clientFigure(bench),
    ];
  } finally {
    await Promise.all(connections.map((connection) => connection.end({ timeout: 1 })));
    await stack.stop();
  }
}

async function figures(bench: Bench, size: number, atLeast: number): Promise<Figure[]> {
  const figure = { section: 3, unit: "traces/s" };
  const of = size === 1 ? "of one trace" : `of ${size} traces`;
  return [
    {
      ...figure,
      name: `record_traces ${of} : bare insert`,
      ...(await compared(bench, size, "bare_rows")),
      goal: { atLeast },
    },
    {
      ...figure,
      name: `record_traces ${of} : insert into records itself`,
      ...(await compared(bench, size, "records")),
      note: "with the foreign keys of records",
    },
  ];
}

async function compared(bench: Bench, size: number, table: "bare_rows" | "records") {
  const { stack, tenant, connections, settings } = bench;
  const senders = newSenders(tenant, CONNECTIONS, size === 1 ? undefined : 25);
  const calls = await Promise.all(senders.map((sender) => callOf(stack, sender, size)));
  const called = (place: number) =>
    callAgain(at(connections, place), at(calls, place), at(senders, place), size);

  const known = await storedRow(stack.sql, tenant);
  const rows = (place: number) =>
    Array.from({ length: size }, () =>
      table === "records"
        ? known
        : { ...rowOf(tenant, at(senders, place)), namespace_id: known.namespace_id },
    );
  const inserted = (place: number) => insert(at(connections, place), table, rows(place));

  const { rounds, seconds } = settings;
  await perSecond(CONNECTIONS, 1, called);
  await perSecond(CONNECTIONS, 1, inserted);
  return alternate(
    rounds,
    async () => size * (await perSecond(CONNECTIONS, seconds, called)),
    async () => size * (await perSecond(CONNECTIONS, seconds, inserted)),
  );
}

// What the clients and the protocol alone would allow: the figures above are worth something while they are far below.
async function clientFigure({ connections, settings }: Bench): Promise<Figure> {
  const measured = await perSecond(CONNECTIONS, settings.seconds, async (place) => {
    await at(connections, place)`select ${place}::integer`;
  });
  return { section: 3, name: "the clients' own limit: select 1", unit: "statements/s", measured };
}

function callOf({ project }: Stack, { token, nextSession }: Sender, size: number): Promise<Call> {
  const traces = Array.from({ length: size }, () => ({ type: "llm", ...llmTrace(nextSession()) }));
  return capturedCall(project, size === 1 ? "/v1/traces/llm" : "/v1/traces/batch", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(size === 1 ? traces[0] : { traces }),
  });
}

/** The same call with the sender's next sessions. */
async function callAgain(sql: postgres.Sql, call: Call, sender: Sender, size: number): Promise<void> {
  const items = (call.payload.items as postgres.JSONValue[]).map((item) => ({
    ...(item as object),
    session_id: sender.nextSession(),
  }));
  const payload = { ...call.payload, items };
  const [row] = await sql`select public.record_traces(${sql.json(payload)}) as answer`;
  if (row?.answer?.data?.results?.length !== size) throw new Error(JSON.stringify(row?.answer));
}

function insert(sql: postgres.Sql, table: string, rows: BareRow[]): Promise<void> {
  const [row] = rows;
  return rows.length === 1 && row ? insertBareRow(sql, table, row) : insertBareRows(sql, table, rows);
}

/** A row whose session and trace are there, for the foreign keys. */
async function storedRow(sql: postgres.Sql, tenant: Tenant): Promise<BareRow> {
  const [row] = await sql<BareRow[]>`
    select tenant_id, namespace_id::integer, session_id, trace_id::integer, step_number, type, agent,
           latency_ms::integer, model, input_tokens::integer, output_tokens::integer, total_tokens::integer, content
    from public.records where tenant_id = ${tenant.id} limit 1`;
  if (!row) throw new Error("Nothing was stored.");
  return row;
}

function at<Item>(items: Item[], place: number): Item {
  return items[place] as Item;
}
