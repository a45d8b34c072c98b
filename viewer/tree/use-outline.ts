import { useEffect, useMemo } from "preact/hooks";
import { placeOf, type Run } from "../run/run.ts";
import { numbersIn, textOf } from "../state/numbers.ts";
import { replace, route, setQuery } from "../state/route.ts";
import { type Branch, branchesOf, numbersAbove, type OutlineRow, rowsOf } from "./outline.ts";

export interface Outline {
  branches: Branch[];
  rows: OutlineRow[];
  setOpen: (row: OutlineRow, isOpen: boolean) => void;
  /** Closes every trace, or opens all. */
  setAllOpen: (isOpen: boolean) => void;
}

/** The rows of a run. Which traces are closed is in the fragment; the chosen step is never within a closed one. */
export function useOutline(run: Run, chosen: string | undefined): Outline {
  const text = route.value.query.get("closed") ?? "";
  const branches = useMemo(() => branchesOf(run), [run]);
  const rows = useMemo(() => rowsOf(branches, numbersIn(text)), [branches, text]);
  const setClosed = (closed: Set<number>) => setQuery({ closed: textOf(closed) }, replace);

  const place = placeOf(run, chosen);
  useEffect(() => {
    const step = run.steps[place];
    if (!step) return;
    const closed = numbersIn(text);
    const hiding = numbersAbove(branches, step).filter((number) => closed.delete(number));
    if (hiding.length > 0) setClosed(closed);
  }, [chosen, place < 0]);

  const setOpen = (row: OutlineRow, isOpen: boolean) => {
    if (row.kind !== "trace") return;
    const closed = numbersIn(text);
    if (isOpen) closed.delete(row.branch.number);
    else closed.add(row.branch.number);
    setClosed(closed);
  };
  const setAllOpen = (isOpen: boolean) =>
    setClosed(new Set(isOpen ? [] : branches.map(({ number }) => number)));
  return { branches, rows, setOpen, setAllOpen };
}
