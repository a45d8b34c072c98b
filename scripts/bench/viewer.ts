import { existsSync } from "node:fs";
import { CHROMIUM } from "../../test/viewer/support/chromium.ts";
import { buildPages } from "../pages-build.ts";
import { viewerSizes } from "../viewer-size.ts";
import type { Figure } from "./figures.ts";
import type { Settings } from "./settings.ts";
import { startStack } from "./stack.ts";
import { openViewer, type Viewer } from "./viewer-page.ts";
import { type Runs, sendRuns, skeletonBytes } from "./viewer-runs.ts";
import { timesOf } from "./viewer-times.ts";

const SECTION = 10;

/** Section 10: the viewer beside its budgets, in a Chromium: as it is, and with its CPU slowed down. */
export async function viewerBudgets({ rounds }: Settings): Promise<Figure[]> {
  buildPages();
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
      return [
        ...sizes,
        ...(await timesOf({ section: SECTION, viewer, runs, rounds })),
        ...(await weightOf(viewer, runs)),
      ];
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
