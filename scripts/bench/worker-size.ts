import { gzipSync } from "node:zlib";
import { bundleForWorkerd } from "../stack/bundle.ts";
import { deployedWorker } from "../stack/deployed-worker.ts";
import { loopback } from "../stack/ports.ts";
import { type PreparedWorker, prepareWorker, startWorkerd } from "../stack/workerd.ts";
import type { Figure } from "./figures.ts";
import type { Settings } from "./settings.ts";
import { median, spread } from "./statistics.ts";

/** Section 7: how large the worker is, then how long a cold one lets its first client wait. */
export async function workerSize({ starts }: Settings): Promise<[size: Figure, start: Figure]> {
  const code = await deployedWorker();
  const empty = bundleForWorkerd("scripts/bench/workers/empty.ts");
  const times = await startUpTimes({ code, empty, starts });
  return [
    {
      section: 7,
      name: "the worker, minified and gzipped",
      unit: "KiB",
      measured: gzipSync(code, { level: 9 }).length / 1024,
      goal: { atMost: 260 },
    },
    {
      section: 7,
      name: "start-up in workerd, first answer included",
      unit: "ms",
      measured: median(times),
      spread: spread(times),
      goal: { atMost: 60 },
      note: `${starts} starts, each less the start of an empty worker beside it`,
    },
  ];
}

/** How many milliseconds longer it takes than with an empty worker, from the start of workerd to its first answer. */
async function startUpTimes({ code, empty, starts }: { code: string; empty: string; starts: number }) {
  const measured = prepareWorker({ code });
  const against = prepareWorker({ code: empty });
  await untilFirstAnswer(measured);
  await untilFirstAnswer(against);
  const times: number[] = [];
  for (let start = 0; start < starts; start += 1) {
    const without = await untilFirstAnswer(against);
    times.push((await untilFirstAnswer(measured)) - without);
  }
  return times;
}

async function untilFirstAnswer(worker: PreparedWorker): Promise<number> {
  const begun = performance.now();
  const workerd = await startWorkerd(worker);
  try {
    const response = await fetch(`http://${loopback}:${workerd.port}/v1/health`);
    await response.text();
    if (!response.ok) throw new Error(`The worker answered ${response.status}.`);
    return performance.now() - begun;
  } finally {
    await workerd.stop();
  }
}
