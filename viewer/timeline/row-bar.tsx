import { isError, type Run, stepsOfTrace } from "../run/run.ts";
import type { Branch, OutlineRow } from "../tree/outline.ts";
import { placed } from "./placed.ts";
import { type Bar, barOf, type Scale } from "./scale.ts";

interface RowBarProps {
  row: OutlineRow;
  scale: Scale;
  traceBars: Map<Branch, Bar>;
  offset: number;
  width: number;
}

export function RowBar({ row, scale, traceBars, offset, width }: RowBarProps) {
  if (width === 0) return null;
  if (row.kind === "trace") {
    const whole = traceBars.get(row.branch);
    const bar = whole && cut(whole, offset, width);
    return bar && <div class="span span-trace" style={placed(bar.left, bar.width)} />;
  }
  const { step } = row;
  const isUntold = !step.time_told;
  const bar = cut(barOf(scale, step), offset, width);
  return (
    <>
      {bar && (
        <div
          class={`span span-${step.type}${isUntold ? " untold" : ""}${isError(step) ? " span-failed" : ""}`}
          style={placed(bar.left, bar.width)}
        />
      )}
      {isUntold && <span class="unseen">time not told</span>}
    </>
  );
}

/** From where the first of a trace's own steps lies to where the last one ends. */
export function barsOf(scale: Scale, run: Run, branches: Branch[]): Map<Branch, Bar> {
  const bars = new Map<Branch, Bar>();
  for (const branch of branches) {
    const steps = stepsOfTrace(run, branch.trace.id).map((step) => barOf(scale, step));
    if (steps.length === 0) continue;
    const left = steps.reduce((first, bar) => Math.min(first, bar.left), scale.width);
    const right = steps.reduce((last, bar) => Math.max(last, bar.left + bar.width), 0);
    bars.set(branch, { left, width: right - left });
  }
  return bars;
}

/** The part of a bar that is within the window. */
function cut(bar: { left: number; width: number }, offset: number, width: number) {
  const left = Math.max(bar.left - offset, 0);
  const right = Math.min(bar.left + bar.width - offset, width);
  return right <= left ? undefined : { left, width: right - left };
}
