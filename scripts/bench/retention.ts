import { setTimeout as sleep } from "node:timers/promises";
import { endpoints, type NextRequest } from "./endpoints.ts";
import { comparison, type Figure } from "./figures.ts";
import { milliseconds } from "./growth.ts";
import type { Settings } from "./settings.ts";
import { median } from "./statistics.ts";
import type { Volume } from "./volume.ts";

/** Half of what the volume has: its steps are spread evenly over 90 days. */
const KEPT_DAYS = 45;
/** Between two pieces, as the schedule waits. */
const PAUSE = 200;

const MEASURED = [
  "traces/llm",
  "traces/batch of 10",
  "record_query, first page",
  "GET sessions of all namespaces",
  "GET traces",
];

/**
 * Section 12: how long requests take while retention deletes half of what a tenant has, and reads leave that half out, beside
 * the same while it pauses and nothing is due.
 */
export async function retentionBeside(volume: Volume, settings: Settings): Promise<Figure[]> {
  const forgetting = await startForgetting(volume);
  try {
    const figures: Figure[] = [];
    for (const next of endpoints(volume).filter((next) => MEASURED.includes(next().name))) {
      figures.push(await latencyFigure(volume, next, forgetting, settings));
    }
    return [...figures, await restFigure(volume, forgetting)];
  } finally {
    await forgetting.stop();
  }
}

async function latencyFigure(
  volume: Volume,
  next: NextRequest,
  forgetting: Forgetting,
  { rounds, latencies }: Settings,
): Promise<Figure> {
  const p50 = async () => {
    const times: number[] = [];
    for (let time = 0; time < latencies; time += 1) times.push(await milliseconds({ volume, next }));
    return median(times);
  };
  await p50();
  const measured: { measured: number; against: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const against = await p50();
    await forgetting.goOn();
    const during = await p50();
    await forgetting.pause();
    measured.push({ measured: during, against });
  }
  return {
    section: 12,
    name: `while retention deletes: p50 of ${next().name}`,
    unit: "ms",
    ...comparison(measured),
    goal: { atMost: 1.3 },
  };
}

/** How many steps a second go where nobody else asks for anything. */
async function restFigure({ stack }: Volume, forgetting: Forgetting): Promise<Figure> {
  const count = async () => Number((await stack.sql`select count(*) from public.steps`)[0]?.count);
  const before = await count();
  const begun = performance.now();
  await forgetting.goOn();
  await sleep(10_000);
  await forgetting.pause();
  const gone = before - (await count());
  return {
    section: 12,
    name: "what retention deletes, with its pauses",
    unit: "steps/s",
    measured: (gone / (performance.now() - begun)) * 1000,
  };
}

/** Deletes what is due piece by piece, as the schedule does, while it is let. */
interface Forgetting {
  goOn(): Promise<void>;
  pause(): Promise<void>;
  stop(): Promise<void>;
}

async function startForgetting({ stack, tenant }: Volume): Promise<Forgetting> {
  const rules = { content_days: null, days: KEPT_DAYS, namespaces: {} };
  await stack.sql`
    insert into public.retention (tenant_id, rules) values (${tenant.id}, ${stack.sql.json(rules)})`;
  await stack.sql`insert into public.retention_runs (tenant_id, version) values (${tenant.id}, 1)`;
  let working = false;
  let ended = Promise.resolve();
  const work = async () => {
    while (working) {
      await stack.sql`select public.forget_due()`;
      await sleep(PAUSE);
    }
  };
  const isDue = (due: boolean) => stack.sql`
    update public.retention_runs set enforced_on = case when not ${due} then internal.shown_day() end
    where tenant_id = ${tenant.id}`;
  const pause = async () => {
    working = false;
    await ended;
    await isDue(false);
  };
  return {
    async goOn() {
      await isDue(true);
      working = true;
      ended = work();
    },
    pause,
    async stop() {
      await pause();
      await stack.sql`delete from public.retention where tenant_id = ${tenant.id}`;
      await stack.sql`delete from public.retention_runs where tenant_id = ${tenant.id}`;
    },
  };
}
