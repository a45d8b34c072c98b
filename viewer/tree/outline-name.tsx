import { Badge } from "../parts/badge.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { isError } from "../run/run.ts";
import type { OutlineRow } from "./outline.ts";

/** Pixels for each level, and levels after which a row moves no further: its level is written instead. */
const INDENT = 14;
const DEEPEST = 10;

/** What a row of a run's outline is called, as deep as it lies. */
export function OutlineName({
  row,
  setOpen,
}: {
  row: OutlineRow;
  setOpen: (row: OutlineRow, isOpen: boolean) => void;
}) {
  const { depth } = row;
  return (
    <span class="outline-name" style={{ paddingLeft: `${Math.min(depth, DEEPEST) * INDENT}px` }}>
      {row.kind === "trace" ? (
        <>
          <span
            class="outline-fold"
            aria-hidden="true"
            onClick={(event) => [event.stopPropagation(), setOpen(row, !row.isOpen)]}
          >
            {row.isOpen ? "▾" : "▸"}
          </span>
          <Badge type="agent" />
          <strong class="line">
            <SafeText text={row.branch.trace.agent} />
          </strong>
          {depth >= DEEPEST && <span class="quiet">level {depth + 1}</span>}
        </>
      ) : (
        <>
          <span class="outline-fold" />
          <Badge type={row.step.type} />
          <span class="line">
            <SafeText text={row.step.name ?? row.step.preview ?? row.step.type} />
          </span>
          {isError(row.step) && <span class="failed">failed</span>}
        </>
      )}
    </span>
  );
}
