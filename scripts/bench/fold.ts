import postgres from "postgres";
import { type Call, capturedCall } from "./captured-calls.ts";
import type { Figure } from "./figures.ts";
import { llmStep } from "./samples.ts";
import { foldEverything } from "./schedule.ts";
import { type SpanItem, spanItems } from "./spans.ts";
import { median } from "./statistics.ts";
import { TALKS, type Volume } from "./volume.ts";

const TIMES = 50;
const SPANS = 10_000;
const SPAN_BATCHES = 20;

/** One connection, on which `fold_milliseconds` and `derive_milliseconds` say how long something takes in Postgres. */
interface Bench {
  sql: postgres.Sql;
  volume: Volume;
  /** A request of one step, as the API makes it. */
  call: Call;
}

/** Section 8: what it takes in Postgres to turn what was written into traces, in a tenant that has much. */
export async function foldSpeed(volume: Volume): Promise<Figure[]> {
  const sql = postgres(volume.stack.database.postgresUrl, { max: 1, onnotice: () => {} });
  try {
    await foldEverything(sql);
    await createClocks(sql);
    const bench = { sql, volume, call: await callOfOneStep(volume) };
    return [...(await ofSteps(bench)), ...(await ofDeriving(bench)), ...(await ofSpans(bench))];
  } finally {
    await sql.end();
  }
}

async function ofSteps(bench: Bench): Promise<Figure[]> {
  const { short, long } = TALKS;
  const newSession = () => `folded-${crypto.randomUUID()}`;
  const many = Array.from({ length: 100 }, newSession);
  return [
    named("fold: nothing pending", await foldMedian(bench, async () => {})),
    named("fold: one step pending", await foldMedian(bench, () => write(bench, short.name, 1))),
    named("fold: the first step of a session", await foldMedian(bench, () => write(bench, newSession(), 1))),
    named(
      `fold: 100 new steps of a session of ${count(long.length)}`,
      await foldMedian(bench, () => write(bench, long.name, 100)),
    ),
    named(
      "fold: 100 new sessions of 50 steps each",
      await foldMedian(bench, () => writeAll(bench, many.splice(0), 50), 1),
    ),
  ];
}

async function ofDeriving(bench: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, length } of Object.values(TALKS)) {
    figures.push(named(`derive anew: ${count(length)} steps of a session`, await deriveMedian(bench, name)));
  }
  const { name, length } = TALKS.long;
  const handsOver = () => writeItems(bench, [{ ...handoff(), session_id: name }]);
  figures.push(
    named(`fold anew: ${count(length)} steps of a session`, await foldMedian(bench, handsOver, 3), {
      note: "a handoff came",
    }),
  );
  return figures;
}

async function ofSpans(bench: Bench): Promise<Figure[]> {
  const size = SPANS / SPAN_BATCHES;
  const childrenFirst = spanItems(SPANS).reverse();
  let written = 0;
  const folds: number[] = [];
  for (let batch = 0; batch < SPAN_BATCHES; batch += 1) {
    const begun = performance.now();
    await writeItems(bench, childrenFirst.slice(batch * size, (batch + 1) * size));
    written += performance.now() - begun;
    folds.push(await foldMilliseconds(bench));
  }
  const again = spanItems(SPANS + 1).slice(-1);
  return [
    named(
      `fold: ${count(SPANS)} spans in ${SPAN_BATCHES} requests, children first, after each`,
      folds.reduce((sum, milliseconds) => sum + milliseconds, 0),
      { note: `in all; writing them took ${Math.round(written)} ms` },
    ),
    named(
      `fold anew: ${count(SPANS)} spans of an OpenTelemetry trace`,
      await foldMedian(bench, () => writeItems(bench, again), 1),
      { note: "one more span came" },
    ),
  ];
}

function named(name: string, measured: number, more: Partial<Figure> = {}): Figure {
  return { section: 8, unit: "ms", name, measured, ...more };
}

function count(number: number): string {
  return number.toLocaleString("en");
}

/** The median time of a fold, each time after something was written. */
async function foldMedian(bench: Bench, write: () => Promise<void>, times = TIMES): Promise<number> {
  const measured: number[] = [];
  for (let time = 0; time < times; time += 1) {
    await write();
    measured.push(await foldMilliseconds(bench));
  }
  return median(measured);
}

async function foldMilliseconds({ sql, volume }: Bench): Promise<number> {
  const [row] = await sql`select pg_temp.fold_milliseconds(${volume.tenant.id}) as measured`;
  return row?.measured;
}

async function deriveMedian({ sql, volume }: Bench, session: string): Promise<number> {
  const [tree] = await sql`
    select tree_key from public.steps
    where tenant_id = ${volume.tenant.id} and session_id = ${session} and tree_kind = 'session' limit 1`;
  const measured: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    const [row] = await sql`select pg_temp.derive_milliseconds(${tree?.tree_key}) as measured`;
    measured.push(row?.measured);
  }
  return median(measured);
}

// In Postgres, so that the way there and back is not in it.
async function createClocks(sql: postgres.Sql): Promise<void> {
  for (const [name, parameter, work] of [
    ["fold_milliseconds", "tenant_id", "internal.fold(fold_milliseconds.tenant_id)"],
    ["derive_milliseconds", "tree_key", "internal.derive_session(derive_milliseconds.tree_key)"],
  ]) {
    await sql.unsafe(`
      create function pg_temp.${name}(${parameter} uuid) returns float8 language plpgsql as $$
      declare
        begun timestamptz := clock_timestamp();
      begin
        perform ${work};
        return extract(epoch from clock_timestamp() - begun) * 1000;
      end $$`);
  }
}

function callOfOneStep({ stack, token }: Volume): Promise<Call> {
  return capturedCall(stack.project, "/v1/traces/llm", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ ...llmStep(TALKS.short.name), namespace: "talks" }),
  });
}

/** Writes so many LLM calls to each of the sessions. */
async function writeAll(bench: Bench, sessions: string[], steps: number): Promise<void> {
  for (const session of sessions) await write(bench, session, steps);
}

function write(bench: Bench, session_id: string, steps: number): Promise<void> {
  const [item] = bench.call.payload.items as object[];
  return writeItems(
    bench,
    Array.from({ length: steps }, () => ({ ...item, session_id, agent: "agent-0" })),
  );
}

function handoff() {
  const to = `agent-${crypto.randomUUID()}`;
  return {
    kind: "handoff",
    namespace: "talks",
    agent: "agent-0",
    name: to,
    content: { from_agent: "agent-0", to_agent: to },
  };
}

async function writeItems({ sql, call }: Bench, items: (object | SpanItem)[]): Promise<void> {
  const numbered = items.map((item, index) => ({ ...item, index }));
  const payload = { ...call.payload, single: false, items: numbered } as postgres.JSONValue;
  const [row] = await sql`select public.record_steps(${sql.json(payload)}) as answer`;
  if (row?.answer?.data?.refused?.length !== 0) {
    throw new Error(JSON.stringify(row?.answer).slice(0, 300));
  }
}
