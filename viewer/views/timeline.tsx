import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Count, Duration, durationText, exactTime } from "../parts/figures.tsx";
import { type Column, List } from "../parts/list.tsx";
import { isError, placeOf, type Run, stepsOfTrace } from "../run/run.ts";
import type { ViewProps } from "../run/views.ts";
import { numbersIn, textOf } from "../state/numbers.ts";
import { replace, route, setQuery } from "../state/route.ts";
import { isNarrow } from "../state/screen.ts";
import { axisOf } from "../timeline/axis.ts";
import { Minimap } from "../timeline/minimap.tsx";
import { type Bar, barOf, type Scale, scaleOf } from "../timeline/scale.ts";
import { ticksOf } from "../timeline/ticks.ts";
import { useWindow } from "../timeline/use-window.ts";
import { bounded, moved, type TimeWindow, zoomed } from "../timeline/window.ts";
import type { Branch, OutlineRow } from "../tree/outline.ts";
import { OutlineName } from "../tree/outline-name.tsx";
import { useOutline } from "../tree/use-outline.ts";

/** Pixels; on a narrow screen a bar is below its name. */
const ROW = 30;
const TALL_ROW = 46;

/** `?view=timeline`: when each step was. */
export function Timeline({ run, chosen, choose, matches }: ViewProps) {
  const { branches, rows, setOpen } = useOutline(run, chosen);
  const { shown, show } = useWindow();
  const track = useRef<HTMLDivElement>(null);
  const map = useRef<HTMLDivElement>(null);
  const width = useWidth(track);
  const mapWidth = useWidth(map);
  const openGaps = route.value.query.get("gaps") ?? "";
  const axis = useMemo(() => axisOf(run.steps, numbersIn(openGaps)), [run, openGaps]);
  const scale = useMemo(() => scaleOf(axis, width * shown.zoom, width), [axis, width, shown.zoom]);
  const traceBars = useMemo(() => barsOf(scale, run, branches), [scale, branches]);
  const whole = useMemo(() => scaleOf(axis, mapWidth, mapWidth), [axis, mapWidth]);
  const offset = shown.at * width * shown.zoom;
  const view = useWheel(track, shown, show);

  // A step that is chosen elsewhere, as by its error, comes into the window.
  useEffect(() => {
    const step = run.steps[placeOf(run, chosen)];
    if (!step || width === 0) return;
    const { left, width: wide } = barOf(scale, step);
    if (left + wide > offset && left < offset + width) return;
    const middle = (left + wide / 2) / scale.width;
    show(bounded({ zoom: shown.zoom, at: middle - 0.5 / shown.zoom }));
  }, [chosen]);

  const onKeyDown = (event: KeyboardEvent) => {
    const next = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key]?.(shown);
    if (!next) return;
    event.preventDefault();
    show(next);
  };
  const columns: Column<OutlineRow>[] = [
    {
      name: "name",
      title: "Trace, step",
      cell: (row) => <OutlineName row={row} setOpen={setOpen} />,
    },
    {
      name: "bar",
      title: "Time",
      cell: (row) => <RowBar row={row} scale={scale} traceBars={traceBars} offset={offset} width={width} />,
    },
    { name: "duration", title: "Duration", isNumber: true, cell: (row) => <RowDuration row={row} /> },
  ];
  return (
    <div class="timeline" role="group" aria-label="Steps over time" ref={view} onKeyDown={onKeyDown}>
      <div class="tools">
        <ZoomButtons shown={shown} show={show} />
        <Facts run={run} start={axis.start} milliseconds={axis.end - axis.start} untold={axis.slots.size} />
      </div>
      <div ref={map}>
        {mapWidth > 0 && <Minimap steps={run.steps} scale={whole} shown={shown} show={show} />}
      </div>
      <div class="chart">
        <div class="axis">
          <div class="track" ref={track}>
            <AxisMarks scale={scale} offset={offset} width={width} />
          </div>
        </div>
        <List
          name="timeline"
          rows={rows}
          keyOf={({ key }) => key}
          columns={columns}
          rowHeight={isNarrow.value ? TALL_ROW : ROW}
          count={rows.length < run.steps.length + branches.length ? rows.length : run.count + branches.length}
          open={(row) => (row.kind === "step" ? choose(row.step.id) : setOpen(row, !row.isOpen))}
          tree={{
            levelOf: ({ depth }) => depth + 1,
            isOpen: (row) => (row.kind === "trace" ? row.isOpen : undefined),
            setOpen,
          }}
          chosen={chosen}
          classOf={(row) => rowClass(row, chosen, matches)}
        />
      </div>
    </div>
  );
}

const KEYS: Record<string, (shown: TimeWindow) => TimeWindow> = {
  "+": (shown) => zoomed(shown, 2),
  "=": (shown) => zoomed(shown, 2),
  "-": (shown) => zoomed(shown, 0.5),
  "0": () => ({ zoom: 1, at: 0 }),
};

function useWidth(box: { current: HTMLElement | null }): number {
  const width = useSignal(0);
  useLayoutEffect(() => {
    if (!box.current) return;
    const element = box.current;
    const measure = () => {
      width.value = element.clientWidth;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width.value;
}

/** Ctrl and the wheel zoom about the pointer; the wheel sideways, or with Shift, moves. Else it scrolls, as everywhere. */
function useWheel(
  track: { current: HTMLElement | null },
  shown: TimeWindow,
  show: (next: TimeWindow) => void,
) {
  const view = useRef<HTMLDivElement>(null);
  const current = useRef({ shown, show });
  current.current = { shown, show };
  useEffect(() => {
    const onWheel = (event: WheelEvent) => {
      const { shown, show } = current.current;
      const box = track.current?.getBoundingClientRect();
      if (!box) return;
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (event.ctrlKey) {
        const about = Math.min(1, Math.max(0, (event.clientX - box.left) / Math.max(box.width, 1)));
        show(zoomed(shown, 2 ** (-event.deltaY / 200), about));
      } else if (sideways !== 0 && shown.zoom > 1) {
        show(moved(shown, sideways / Math.max(box.width, 1)));
      } else {
        return;
      }
      event.preventDefault();
    };
    // Listened to by hand: browsers take a wheel's listener for one that never prevents anything.
    view.current?.addEventListener("wheel", onWheel, { passive: false });
    return () => view.current?.removeEventListener("wheel", onWheel);
  }, []);
  return view;
}

function ZoomButtons({ shown, show }: { shown: TimeWindow; show: (next: TimeWindow) => void }) {
  const isAll = shown.zoom === 1;
  return (
    <div class="zoom" role="group" aria-label="Zoom">
      <button type="button" aria-label="Zoom out" disabled={isAll} onClick={() => show(zoomed(shown, 0.5))}>
        −
      </button>
      <button type="button" aria-label="Zoom in" onClick={() => show(zoomed(shown, 2))}>
        +
      </button>
      <button type="button" disabled={isAll} onClick={() => show({ zoom: 1, at: 0 })}>
        All
      </button>
      <span class="quiet" role="status">
        {isAll ? "" : `${Number(shown.zoom.toFixed(1))} times`}
      </span>
    </div>
  );
}

function Facts(props: { run: Run; start: number; milliseconds: number; untold: number }) {
  const { run, start, milliseconds, untold } = props;
  return (
    <p class="facts-line quiet">
      {run.steps.length > 0 && (
        <span>
          From {exactTime(new Date(start).toISOString())}, {durationText(milliseconds)}
        </span>
      )}
      {!run.isComplete && (
        <span>
          <Count value={run.steps.length} /> of <Count value={run.count} /> steps
        </span>
      )}
      {untold > 0 && (
        <span>
          <span class="sample-untold" /> time not told: <Count value={untold} /> steps, in their order
        </span>
      )}
    </p>
  );
}

/** The ticks, and the times in which nothing happened: a click folds and unfolds them. */
function AxisMarks({ scale, offset, width }: { scale: Scale; offset: number; width: number }) {
  const ticks = ticksOf(scale, offset, offset + width);
  const openGaps = numbersIn(route.value.query.get("gaps") ?? "");
  const gaps = scale.pieces.filter(
    ({ kind, left, width: wide }) => kind === "gap" && left + wide > offset && left < offset + width,
  );
  const toggle = (number: number) => {
    if (!openGaps.delete(number)) openGaps.add(number);
    setQuery({ gaps: textOf(openGaps) }, replace);
  };
  return (
    <>
      {ticks.map(({ left, text }) => (
        <span key={left} class="tick" style={{ left: `${left - offset}px` }}>
          {text}
        </span>
      ))}
      {gaps.map(({ number, from, to, left, width: wide, isOpen }) => (
        <button
          key={`gap ${number}`}
          type="button"
          class={`gap ${isOpen ? "open" : "closed"}`}
          aria-expanded={isOpen}
          aria-label={`Nothing happened for ${durationText(to - from)}`}
          title={`Nothing happened for ${durationText(to - from)}: ${isOpen ? "fold" : "unfold"}`}
          style={placed(Math.max(left, offset) - offset, Math.min(wide, left + wide - offset, width))}
          onClick={() => toggle(number)}
        >
          {durationText(to - from)}
        </button>
      ))}
    </>
  );
}

interface RowBarProps {
  row: OutlineRow;
  scale: Scale;
  traceBars: Map<Branch, Bar>;
  offset: number;
  width: number;
}

function RowBar({ row, scale, traceBars, offset, width }: RowBarProps) {
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
function barsOf(scale: Scale, run: Run, branches: Branch[]): Map<Branch, Bar> {
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

function RowDuration({ row }: { row: OutlineRow }) {
  const milliseconds = row.kind === "step" ? row.step.duration_ms : row.branch.milliseconds;
  if (milliseconds === null) return <span class="quiet">not told</span>;
  return <Duration milliseconds={milliseconds} />;
}

/** The part of a bar that is within the window. */
function cut(bar: { left: number; width: number }, offset: number, width: number) {
  const left = Math.max(bar.left - offset, 0);
  const right = Math.min(bar.left + bar.width - offset, width);
  return right <= left ? undefined : { left, width: right - left };
}

function placed(left: number, width: number) {
  return { left: `${left}px`, width: `${Math.max(width, 1)}px` };
}

function rowClass(row: OutlineRow, chosen: string | undefined, matches: Set<string> | undefined): string {
  if (row.kind === "trace") return "trace";
  const { id } = row.step;
  return [id === chosen && "chosen", matches?.has(id) && "match"].filter(Boolean).join(" ");
}
