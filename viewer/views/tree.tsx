import { Count, Duration, Money, Tokens } from "../parts/figures.tsx";
import { type Column, List } from "../parts/list.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { isError } from "../run/run.ts";
import type { ViewProps } from "../run/views.ts";
import { isNarrow } from "../state/screen.ts";
import type { OutlineRow, TraceRow } from "../tree/outline.ts";
import { OutlineName } from "../tree/outline-name.tsx";
import { useOutline } from "../tree/use-outline.ts";

/** Pixels. */
const ROW = 32;
const TALL_ROW = 52;

/** `?view=tree`: the traces of a run, what is below each of them, and what it took. */
export function Tree({ run, chosen, choose, matches }: ViewProps) {
  const { branches, rows, setOpen, setAllOpen } = useOutline(run, chosen);
  const columns: Column<OutlineRow>[] = [
    { name: "name", title: "Trace, step", cell: (row) => <OutlineName row={row} setOpen={setOpen} /> },
    {
      name: "preview",
      title: "Content",
      cell: (row) =>
        row.kind === "step" && (
          <span class="quiet">
            <SafeText text={row.step.error ?? row.step.preview ?? ""} />
          </span>
        ),
    },
    {
      name: "steps",
      title: "Steps",
      isNumber: true,
      cell: (row) => row.kind === "trace" && <Count value={row.branch.figures.steps} />,
    },
    {
      name: "errors",
      title: "Errors",
      isNumber: true,
      cell: (row) => row.kind === "trace" && <Errors row={row} />,
    },
    { name: "tokens", title: "Tokens in → out", isNumber: true, cell: (row) => <RowTokens row={row} /> },
    { name: "cost", title: "Cost", isNumber: true, cell: (row) => <RowCost row={row} /> },
    { name: "time", title: "Time", isNumber: true, cell: (row) => <RowTime row={row} /> },
  ];
  const isAllOpen = rows.length === run.steps.length + branches.length;
  return (
    <div class="tree">
      <div class="tools">
        <button type="button" onClick={() => setAllOpen(!isAllOpen)}>
          {isAllOpen ? "Fold all" : "Unfold all"}
        </button>
        <p class="quiet">
          <Count value={branches.length} /> traces,{" "}
          {run.isComplete ? (
            <Count value={run.steps.length} />
          ) : (
            <>
              <Count value={run.steps.length} /> of <Count value={run.count} />
            </>
          )}{" "}
          steps
        </p>
      </div>
      <List
        name="tree"
        rows={rows}
        keyOf={({ key }) => key}
        columns={columns}
        rowHeight={isNarrow.value ? TALL_ROW : ROW}
        count={isAllOpen ? run.count + branches.length : rows.length}
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
  );
}

/** A trace's own errors, and those of the traces below it. */
function Errors({ row: { branch } }: { row: TraceRow }) {
  const { figures, errorsBelow } = branch;
  if (figures.errors + errorsBelow === 0) return <span class="quiet">0</span>;
  return (
    <span class="failed">
      {figures.errors > 0 && <Count value={figures.errors} />}
      {figures.errors > 0 && errorsBelow > 0 && " + "}
      {errorsBelow > 0 && (
        <>
          <Count value={errorsBelow} /> below
        </>
      )}
    </span>
  );
}

function RowTokens({ row }: { row: OutlineRow }) {
  if (row.kind === "trace") {
    const { inputTokens, outputTokens } = row.branch.figures;
    return <Tokens input={inputTokens} output={outputTokens} />;
  }
  const { input_tokens, output_tokens } = row.step;
  if (input_tokens === null && output_tokens === null) return null;
  return <Tokens input={input_tokens} output={output_tokens} />;
}

/** What costs nothing by itself, as a tool, says nothing. */
function RowCost({ row }: { row: OutlineRow }) {
  if (row.kind === "trace") {
    const { cost } = row.branch.figures;
    const isFree = cost.amount === null && cost.unpriced_steps === 0;
    return isFree ? null : <Money value={cost} />;
  }
  const { cost, type } = row.step;
  return cost || type === "llm_call" ? <Money value={cost} /> : null;
}

function RowTime({ row }: { row: OutlineRow }) {
  const milliseconds = row.kind === "step" ? row.step.duration_ms : row.branch.milliseconds;
  if (milliseconds === null) return <span class="quiet">not told</span>;
  return <Duration milliseconds={milliseconds} />;
}

function rowClass(row: OutlineRow, chosen: string | undefined, matches: Set<string> | undefined): string {
  if (row.kind === "trace") {
    const { figures, errorsBelow } = row.branch;
    return figures.errors + errorsBelow > 0 ? "trace failed-branch" : "trace";
  }
  const { id } = row.step;
  const classes = [
    id === chosen && "chosen",
    matches?.has(id) && "match",
    isError(row.step) && "failed-branch",
  ];
  return classes.filter(Boolean).join(" ");
}
