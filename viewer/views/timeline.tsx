import { useEffect, useMemo, useRef } from "preact/hooks";
import { Count, Duration, durationText, exactTime } from "../parts/figures.tsx";
import { type Column, List } from "../parts/list.tsx";
import { useWidth } from "../parts/use-width.ts";
import { placeOf, type Run } from "../run/run.ts";
import type { ViewProps } from "../run/views.ts";
import { numbersIn } from "../state/numbers.ts";
import { route } from "../state/route.ts";
import { isNarrow } from "../state/screen.ts";
import { axisOf } from "../timeline/axis.ts";
import { AxisMarks } from "../timeline/axis-marks.tsx";
import { Minimap } from "../timeline/minimap.tsx";
import { barsOf, RowBar } from "../timeline/row-bar.tsx";
import { barOf, scaleOf } from "../timeline/scale.ts";
import { useWindow } from "../timeline/use-window.ts";
import { bounded } from "../timeline/window.ts";
import { useWheel, ZOOM_KEYS, ZoomButtons } from "../timeline/zoom.tsx";
import type { OutlineRow } from "../tree/outline.ts";
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

  const place = placeOf(run, chosen);
  // A step that is chosen elsewhere, as by its error, comes into the window.
  useEffect(() => {
    const step = run.steps[place];
    if (!step || width === 0) return;
    const { left, width: wide } = barOf(scale, step);
    if (left + wide > offset && left < offset + width) return;
    const middle = (left + wide / 2) / scale.width;
    show(bounded({ zoom: shown.zoom, at: middle - 0.5 / shown.zoom }));
  }, [chosen, place < 0]);

  const onKeyDown = (event: KeyboardEvent) => {
    const next = event.ctrlKey || event.metaKey || event.altKey ? undefined : ZOOM_KEYS[event.key]?.(shown);
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

function RowDuration({ row }: { row: OutlineRow }) {
  const milliseconds = row.kind === "step" ? row.step.duration_ms : row.branch.milliseconds;
  if (milliseconds === null) return <span class="quiet">not told</span>;
  return <Duration milliseconds={milliseconds} />;
}

function rowClass(row: OutlineRow, chosen: string | undefined, matches: Set<string> | undefined): string {
  if (row.kind === "trace") return "trace";
  const { id } = row.step;
  return [id === chosen && "chosen", matches?.has(id) && "match"].filter(Boolean).join(" ");
}
