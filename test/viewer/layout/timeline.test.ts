import { describe, expect, it } from "vitest";
import type { Skeleton } from "../../../viewer/run/run.ts";
import { axisOf } from "../../../viewer/timeline/axis.ts";
import { barOf, scaleOf } from "../../../viewer/timeline/scale.ts";
import { elapsedText, ticksOf } from "../../../viewer/timeline/ticks.ts";
import { bounded, zoomed } from "../../../viewer/timeline/window.ts";
import { skeleton } from "./skeletons.ts";

const HOUR = 3_600_000;

/** Steps that begin and end at these seconds. */
const timed = (...spans: [from: number, to: number][]) =>
  spans.map(([from, to]) => skeleton({ start: from * 1000, duration_ms: (to - from) * 1000 }));

const gapsOf = (steps: Skeleton[], open: number[] = []) =>
  axisOf(steps, new Set(open)).stretches.filter(({ kind }) => kind === "gap");

describe("gaps", () => {
  it("two hours between two bursts fold, a pause that is short beside the rest does not", () => {
    const steps = timed([0, 4], [5, 9], [7209, 7212]);
    expect(gapsOf(steps).map(({ from, to }) => [from, to])).toEqual([[9_000, 7_209_000]]);
  });

  it("all of several long gaps fold, be there none of the rest", () => {
    expect(gapsOf(timed([0, 0], [7200, 7200], [14_400, 14_400]))).toHaveLength(2);
  });

  it("steps that come regularly are all of them the rest", () => {
    const steps = timed(
      ...Array.from({ length: 100 }, (_, index) => [index * 60, index * 60] as [number, number]),
    );
    expect(gapsOf(steps)).toEqual([]);
  });

  it("what overlaps a gap fills it", () => {
    expect(gapsOf(timed([0, 7200], [1, 2], [7000, 7201]))).toEqual([]);
  });

  it("the last bar is within the view, folded and unfolded, at every width", () => {
    const steps = timed([0, 4], [7204, 7205], [7205, 7205]);
    for (const open of [[], [0]]) {
      for (const width of [120, 900, 90_000]) {
        const scale = scaleOf(axisOf(steps, new Set(open)), width, Math.min(width, 900));
        for (const step of steps) {
          const { left, width: wide } = barOf(scale, step);
          expect(left).toBeGreaterThanOrEqual(0);
          expect(wide).toBeGreaterThanOrEqual(3);
          expect(left + wide).toBeLessThanOrEqual(width + 1e-6);
        }
      }
    }
  });

  it("a folded gap takes little room, an unfolded one what its time takes", () => {
    const steps = timed([0, 4], [7204, 7208]);
    const room = (open: number[]) =>
      scaleOf(axisOf(steps, new Set(open)), 1_000, 1_000).pieces.find(({ kind }) => kind === "gap")?.width ??
      0;
    expect(room([])).toBe(72);
    expect(room([0])).toBeGreaterThan(990);
  });
});

describe("times that are not told", () => {
  const batch = Array.from({ length: 5 }, (_, index) =>
    skeleton({ start: 10_000 - index, duration_ms: index, time_told: false }),
  );

  it("steps that came at once lie one after the other in their order, whatever their latencies", () => {
    const scale = scaleOf(axisOf(batch, new Set()), 500, 500);
    const bars = batch.map((step) => barOf(scale, step));
    bars.slice(1).forEach((bar, index) => {
      const before = bars[index] as (typeof bars)[number];
      expect(bar.left).toBeGreaterThanOrEqual(before.left + before.width);
    });
  });

  it("one beside told ones takes its own time", () => {
    const alone = skeleton({ start: 2_000, duration_ms: 1_000, time_told: false });
    const axis = axisOf([...timed([0, 2]), alone, ...timed([3, 4])], new Set());
    expect(axis.slots.size).toBe(0);
  });

  it("told steps around the moment are before and behind it", () => {
    const told = timed([0, 10], [10, 20]);
    const scale = scaleOf(axisOf([...told, ...batch], new Set()), 1_000, 1_000);
    const [before, behind] = told.map((step) => barOf(scale, step));
    const slots = batch.map((step) => barOf(scale, step));
    expect((before?.left ?? 0) + (before?.width ?? 0)).toBeLessThanOrEqual(slots[0]?.left ?? 0);
    expect(behind?.left).toBeGreaterThanOrEqual((slots[4]?.left ?? 0) + (slots[4]?.width ?? 0) - 1);
  });
});

describe("ticks", () => {
  it("are as far apart as people count, and have room", () => {
    const scale = scaleOf(axisOf(timed([0, 12]), new Set()), 900, 900);
    const ticks = ticksOf(scale, 0, 900);
    expect(ticks.map(({ text }) => text)).toEqual(["0 s", "2 s", "4 s", "6 s", "8 s", "10 s"]);
  });

  it("go on after a folded gap with the time that has gone by", () => {
    const scale = scaleOf(axisOf(timed([0, 4], [7204, 7208]), new Set()), 900, 900);
    expect(ticksOf(scale, 0, 900).map(({ text }) => text)).toContain("2:00:04");
  });

  it.each([
    [0, "0 s"],
    [250, "250 ms"],
    [12_500, "12.5 s"],
    [65_000, "1:05"],
    [2 * HOUR + 245_000, "2:04:05"],
    [26 * HOUR, "1 d 2:00:00"],
  ])("%i milliseconds are %s", (milliseconds, text) => {
    expect(elapsedText(milliseconds)).toBe(text);
  });
});

it("zooming keeps what is under the pointer, and never leaves the run", () => {
  const near = zoomed({ zoom: 1, at: 0 }, 4, 0.25);
  expect(near.at + 0.25 / near.zoom).toBeCloseTo(0.25);
  expect(zoomed(near, 0.01)).toEqual({ zoom: 1, at: 0 });
  expect(bounded({ zoom: 4, at: 9 })).toEqual({ zoom: 4, at: 0.75 });
});
