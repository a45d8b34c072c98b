import { alternate, comparison, type Figure } from "./figures.ts";
import { spread } from "./statistics.ts";
import type { Viewer } from "./viewer-page.ts";
import type { Runs } from "./viewer-runs.ts";

/** What a slow phone is taken for. */
const SLOW = 4;

interface About {
  section: number;
  viewer: Viewer;
  runs: Runs;
  rounds: number;
}

/** Something that takes time, and how many milliseconds it may take. */
interface Timed {
  name: string;
  measure: () => Promise<number>;
  atMost: { plain: number; slow: number };
}

/** How long people wait for the viewer, with a run of 10,000 steps. */
export async function timesOf(about: About): Promise<Figure[]> {
  const { viewer, runs } = about;
  const timeline = `#/sessions/${runs.long}?view=timeline`;
  return [
    ...(await firstRows(about, "conversation")),
    ...(await firstRows(about, "timeline")),
    ...(await plainAndSlow(about, {
      name: "a frame while the timeline is scrolled, p95",
      measure: () => viewer.frame(timeline),
      atMost: { plain: 20, slow: 70 },
    })),
    ...(await plainAndSlow(about, {
      name: "find in 10,000 steps, one key",
      measure: () => viewer.key(timeline),
      atMost: { plain: 16, slow: 50 },
    })),
  ];
}

async function firstRows(about: About, view: string): Promise<Figure[]> {
  const { section, viewer, runs, rounds } = about;
  const name = `${view}: first rows of 10,000 steps`;
  const firstRowOf = (session: string) => () => viewer.firstRow(`#/sessions/${session}?view=${view}`);
  const compared = await alternate(rounds, firstRowOf(runs.long), firstRowOf(runs.short));
  return [
    ...(await plainAndSlow(about, {
      name,
      measure: firstRowOf(runs.long),
      atMost: { plain: 800, slow: 1_500 },
    })),
    { section, name: `${name} : of 100`, unit: "ms", ...compared },
  ];
}

/** Beside its two budgets, and how much longer it takes where the CPU is slow. */
async function plainAndSlow(about: About, { name, measure, atMost }: Timed): Promise<Figure[]> {
  const { section, viewer, rounds } = about;
  const pairs: { measured: number; against: number }[] = [];
  // What is compiled and cached once is so for both.
  await measure();
  for (let round = 0; round < rounds; round += 1) {
    const against = await measure();
    await viewer.slowDown(SLOW);
    const measured = await measure();
    await viewer.slowDown(1);
    pairs.push({ measured, against });
  }
  const compared = comparison(pairs);
  const figure = { section, unit: "ms" };
  return [
    {
      ...figure,
      name,
      measured: compared.against,
      spread: spread(pairs.map(({ against }) => against)),
      goal: { atMost: atMost.plain },
    },
    {
      ...figure,
      name: `the same, CPU ${SLOW}x slower`,
      measured: compared.measured,
      spread: spread(pairs.map(({ measured }) => measured)),
      goal: { atMost: atMost.slow },
    },
    { ...figure, name: `the same, ${SLOW}x slower : as it is`, ...compared },
  ];
}
