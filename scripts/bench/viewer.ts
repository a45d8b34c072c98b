import { existsSync } from "node:fs";
import { CHROMIUM } from "../../test/viewer/support/chromium.ts";
import { buildViewer } from "../viewer-build.ts";
import { viewerSizes } from "../viewer-size.ts";
import { comparison, type Figure, type Goal } from "./figures.ts";
import type { Settings } from "./settings.ts";
import { startStack } from "./stack.ts";
import { median, spread } from "./statistics.ts";
import { openViewer, type Viewer } from "./viewer-page.ts";
import { type Runs, sendRuns, skeletonBytes } from "./viewer-runs.ts";

const SECTION = 10;
/** What a slow phone is taken for. */
const SLOW = 4;

/** Section 10: the viewer beside its budgets, in a Chromium: as it is, and with its CPU slowed down. */
export async function viewerBudgets(settings: Settings): Promise<Figure[]> {
  buildViewer();
  const stack = await startStack();
  try {
    const runs = await sendRuns(stack);
    const sizes = [...sizesOfCode(), await sizeOfSkeletons(runs)];
    if (!existsSync(CHROMIUM)) {
      console.error(
        `section ${SECTION}: only sizes. There is no Chromium at ${CHROMIUM}; CHROMIUM=PATH says where.`,
      );
      return sizes;
    }
    const viewer = await openViewer(runs);
    try {
      return [...sizes, ...(await timesOf(viewer, runs, settings)), ...(await weightOf(viewer, runs))];
    } finally {
      await viewer.close();
    }
  } finally {
    await stack.stop();
  }
}

function sizesOfCode(): Figure[] {
  const { first, all } = viewerSizes();
  const figure = { section: SECTION, unit: "KiB" };
  return [
    {
      ...figure,
      name: "scripts and styles before the first list, gzip",
      measured: first,
      goal: { atMost: 45 },
    },
    { ...figure, name: "with all lazy parts, gzip", measured: all, goal: { atMost: 75 } },
  ];
}

async function sizeOfSkeletons(runs: Runs): Promise<Figure> {
  const measured = (await skeletonBytes(runs)) / 1024;
  return { section: SECTION, name: "10,000 skeletons, gzip", unit: "KiB", measured, goal: { atMost: 450 } };
}

async function timesOf(viewer: Viewer, { long, short }: Runs, { rounds }: Settings): Promise<Figure[]> {
  const conversation = (session: string) => `#/sessions/${session}`;
  const timeline = (session: string) => `${conversation(session)}?view=timeline`;
  return [
    ...(await firstRows("conversation", conversation(long), conversation(short))),
    ...(await firstRows("timeline", timeline(long), timeline(short))),
    ...(await plainAndSlow(
      "a frame while the timeline is scrolled, p95",
      () => viewer.frame(timeline(long)),
      { plain: 20, slow: 70 },
    )),
    ...(await plainAndSlow("find in 10,000 steps, one key", () => viewer.key(timeline(long)), {
      plain: 16,
      slow: 50,
    })),
  ];

  async function firstRows(view: string, at: string, atShort: string): Promise<Figure[]> {
    const name = `${view}: first rows of 10,000 steps`;
    const limits = { plain: 800, slow: 1_500 };
    const [plain, ...others] = await plainAndSlow(name, () => viewer.firstRow(at), limits);
    const pairs = [];
    for (let round = 0; round < rounds; round += 1) {
      pairs.push({ measured: await viewer.firstRow(at), against: await viewer.firstRow(atShort) });
    }
    const compared = { section: SECTION, name: `${name} : of 100`, unit: "ms", ...comparison(pairs) };
    return [plain as Figure, ...others, compared];
  }

  /** Beside its two budgets, and how much longer it takes where the CPU is slow. */
  async function plainAndSlow(
    name: string,
    measure: () => Promise<number>,
    most: { plain: number; slow: number },
  ): Promise<Figure[]> {
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
    const figure = { section: SECTION, unit: "ms" };
    const plain = pairs.map(({ against }) => against);
    const slow = pairs.map(({ measured }) => measured);
    return [
      { ...figure, name, ...summary(plain, { atMost: most.plain }) },
      { ...figure, name: `the same, CPU ${SLOW}x slower`, ...summary(slow, { atMost: most.slow }) },
      { ...figure, name: `the same, ${SLOW}x slower : as it is`, ...comparison(pairs) },
    ];
  }
}

function summary(values: number[], goal: Goal): Pick<Figure, "measured" | "spread" | "goal"> {
  return { measured: median(values), spread: spread(values), goal };
}

async function weightOf(viewer: Viewer, { long }: Runs): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const view of ["conversation", "timeline"]) {
    const { rows, heap } = await viewer.weight(`#/sessions/${long}?view=${view}`);
    const figure = { section: SECTION, goal: { atMost: 80 } };
    figures.push({ ...figure, name: `${view}: rows in the document`, unit: "rows", measured: rows });
    figures.push({
      section: SECTION,
      name: `${view}: JavaScript heap with 10,000 steps`,
      unit: "MB",
      measured: heap / 1e6,
      goal: { atMost: 60 },
    });
  }
  return figures;
}
