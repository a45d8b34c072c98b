import { type Endpoint, endpoints, endpointsOfSession, type NextRequest } from "./endpoints.ts";
import { comparison, type Figure } from "./figures.ts";
import { MANY_ROWS, tablesReadWhole } from "./plans.ts";
import type { Settings } from "./settings.ts";
import { median, percentile } from "./statistics.ts";
import { TALKS, type Volume } from "./volume.ts";
import { writeAllTheTime } from "./writers.ts";

const WARM_UP = 20;

/** A request, and the stack that it goes to. */
export interface Side {
  volume: Volume;
  next: NextRequest;
}

/** Section 5: how much longer a request takes when its tenant, or its session, has a hundred or a thousand times as much. */
export async function growth(small: Volume, large: Volume, settings: Settings): Promise<Figure[]> {
  const figures: Figure[] = [];
  const readWhole: string[] = [];
  const pairs = pairsOf(small, large);
  for (const { few, many } of pairs) {
    const { name } = many.next();
    for (const table of await tablesReadWhole(large, many.next())) readWhole.push(`${table} (${name})`);
    figures.push(latencyFigure(`p50 of ${name}`, goalOf(many.next()), await latencies(few, many, settings)));
  }
  figures.push(...(await ofSessions(large, settings)));

  const writers = [writeAllTheTime(small), writeAllTheTime(large)];
  try {
    for (const { few, many } of pairs.filter(({ many }) => many.next().whileOthersWrite)) {
      const name = `while others write: p50 of ${many.next().name}`;
      figures.push(latencyFigure(name, 1.3, await latencies(few, many, settings)));
    }
  } finally {
    await Promise.all(writers.map((writer) => writer.stop()));
  }
  return [...figures, planFigure(readWhole)];
}

function pairsOf(small: Volume, large: Volume): { few: Side; many: Side }[] {
  const others = endpoints(small);
  return endpoints(large).map((next, place) => ({
    few: { volume: small, next: others[place] ?? next },
    many: { volume: large, next },
  }));
}

async function ofSessions(volume: Volume, settings: Settings): Promise<Figure[]> {
  const { short, long } = TALKS;
  const figures: Figure[] = [];
  const others = endpointsOfSession(volume, short.name, short.length);
  for (const [place, next] of endpointsOfSession(volume, long.name, long.length).entries()) {
    const other = others[place] ?? next;
    const name = `p50 of ${next().name} : of ${short.length}`;
    const rounds = await latencies({ volume, next: other }, { volume, next }, settings);
    figures.push(latencyFigure(name, 1.5, rounds));
  }
  return figures;
}

function goalOf({ atMost = 1.05 }: Endpoint): number | null {
  return atMost;
}

function latencyFigure(name: string, atMost: number | null, rounds: Round[]): Figure {
  return {
    section: 5,
    name,
    unit: "ms",
    ...comparison(
      rounds.map(({ measured, against }) => ({ measured: median(measured), against: median(against) })),
    ),
    ...(atMost === null ? {} : { goal: { atMost } }),
    p95: {
      measured: p95(rounds.flatMap(({ measured }) => measured)),
      against: p95(rounds.flatMap(({ against }) => against)),
    },
  };
}

function planFigure(readWhole: string[]): Figure {
  return {
    section: 5,
    name: `plans that read a growing table whole, or ${MANY_ROWS.toLocaleString("en")} rows of it`,
    unit: "plans",
    measured: readWhole.length,
    goal: { atMost: 0 },
    note: readWhole.join(", "),
  };
}

interface Round {
  measured: number[];
  against: number[];
}

// One request at a time, by turns.
async function latencies(few: Side, many: Side, { rounds, latencies }: Settings): Promise<Round[]> {
  for (let time = 0; time < WARM_UP; time += 1) {
    await milliseconds(few);
    await milliseconds(many);
  }
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const times: Round = { measured: [], against: [] };
    for (let time = 0; time < latencies; time += 1) {
      times.against.push(await milliseconds(few));
      times.measured.push(await milliseconds(many));
    }
    measured.push(times);
  }
  return measured;
}

/** How long the next request takes, until its answer is read. */
export async function milliseconds({ volume, next }: Side): Promise<number> {
  const { path, init, isLong } = next();
  const begun = performance.now();
  const response = await fetch(`${volume.stack.url}${path}`, init);
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  if (isLong) await beginning(response);
  else await response.arrayBuffer();
  return performance.now() - begun;
}

/** Reads the first part of an answer, and lets go of the rest. */
async function beginning({ body }: Response): Promise<void> {
  const reader = body?.getReader();
  await reader?.read();
  await reader?.cancel();
}

function p95(times: number[]): number {
  return percentile(times, 0.95);
}
