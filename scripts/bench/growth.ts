import { type Endpoint, endpoints } from "./endpoints.ts";
import { comparison, type Figure } from "./figures.ts";
import { tablesReadWhole } from "./plans.ts";
import type { Settings } from "./settings.ts";
import { median, percentile } from "./statistics.ts";
import type { Volume } from "./volume.ts";

const WARM_UP = 20;

/** Section 5: how much longer a request takes when its tenant has a hundred times as much. */
export async function growth(small: Volume, large: Volume, settings: Settings): Promise<Figure[]> {
  const figures: Figure[] = [];
  const readWhole: string[] = [];
  const others = endpoints(small);
  for (const [place, next] of endpoints(large).entries()) {
    const { name } = next();
    for (const table of await tablesReadWhole(large, next())) readWhole.push(`${table} (${name})`);
    figures.push(latencyFigure(name, await latencies(small, others[place] ?? next, large, next, settings)));
  }
  return [...figures, planFigure(readWhole)];
}

function latencyFigure(name: string, rounds: Round[]): Figure {
  return {
    section: 5,
    name: `p50 of ${name}`,
    unit: "ms",
    ...comparison(
      rounds.map(({ measured, against }) => ({ measured: median(measured), against: median(against) })),
    ),
    goal: { atMost: 1.5 },
    p95: {
      measured: p95(rounds.flatMap(({ measured }) => measured)),
      against: p95(rounds.flatMap(({ against }) => against)),
    },
  };
}

function planFigure(readWhole: string[]): Figure {
  return {
    section: 5,
    name: "plans that read a growing table whole",
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
async function latencies(
  small: Volume,
  smallNext: () => Endpoint,
  large: Volume,
  largeNext: () => Endpoint,
  { rounds, latencies }: Settings,
): Promise<Round[]> {
  for (let time = 0; time < WARM_UP; time += 1) {
    await milliseconds(small, smallNext());
    await milliseconds(large, largeNext());
  }
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const times: Round = { measured: [], against: [] };
    for (let time = 0; time < latencies; time += 1) {
      times.against.push(await milliseconds(small, smallNext()));
      times.measured.push(await milliseconds(large, largeNext()));
    }
    measured.push(times);
  }
  return measured;
}

async function milliseconds({ stack }: Volume, { path, init }: Endpoint): Promise<number> {
  const begun = performance.now();
  const response = await fetch(`${stack.url}${path}`, init);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return performance.now() - begun;
}

function p95(times: number[]): number {
  return percentile(times, 0.95);
}
