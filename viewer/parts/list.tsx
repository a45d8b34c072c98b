import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { keep, recall } from "../state/places.ts";
import { route } from "../state/route.ts";

export interface Column<Row> {
  name: string;
  title: ComponentChildren;
  /** As in `grid-template-columns`; without it, the stylesheet says how wide the list's columns are. */
  width?: string;
  /** Numbers stand to the right. */
  isNumber?: boolean;
  cell: (row: Row) => ComponentChildren;
}

/** What makes a tree of the rows. */
export interface Branches<Row> {
  /** From 1. */
  levelOf: (row: Row) => number;
  /** Undefined: there is nothing below it. */
  isOpen: (row: Row) => boolean | undefined;
  setOpen: (row: Row, isOpen: boolean) => void;
}

interface Props<Row> {
  /** What the list is of, for those who do not see it; also its name in the stylesheet, as `list-sessions`. */
  name: string;
  rows: Row[];
  keyOf: (row: Row) => string;
  columns: Column<Row>[];
  /** Pixels. All rows are of one height. */
  rowHeight: number;
  /** How many there are in all, where that is known. */
  count: number | undefined;
  open: (row: Row) => void;
  isBusy?: boolean;
  tree?: Branches<Row>;
  /** The key of the row that the page shows beside the list: it comes into view. */
  chosen?: string;
  /** Further classes of a row. */
  classOf?: (row: Row) => string;
}

/** Rows beyond both ends of what is visible: what is scrolled into view is there already. */
const SPARE = 8;

/**
 * A grid of rows of one height, of which only those in view are in the document. Arrows, Home and End move, Enter opens. The
 * list remembers how far it was scrolled and which row was chosen, for when the reader comes back to it.
 */
export function List<Row>(props: Props<Row>) {
  const { name, rows, keyOf, columns, rowHeight, count, open, isBusy, tree, chosen, classOf } = props;
  const { entry } = route.value;
  const box = useRef<HTMLDivElement>(null);
  const place = useSignal(recall<{ top: number; key: string }>(entry, `list ${name}`) ?? { top: 0, key: "" });
  const height = useSignal(800);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    element.scrollTop = place.peek().top;
    // Whoever comes back is where they left.
    if (place.peek().key)
      element.querySelector<HTMLElement>("[tabindex='0']")?.focus({ preventScroll: true });
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  /** Not looked for again while one scrolls. */
  const useIndexOf = (key: string | undefined) =>
    useMemo(() => (key ? rows.findIndex((row) => keyOf(row) === key) : -1), [rows, key]);
  const chosenIndex = useIndexOf(chosen);
  useLayoutEffect(() => {
    if (chosenIndex < 0 || !box.current) return;
    remember({ key: chosen });
    box.current.scrollTo({ top: scrolledTo(chosenIndex, rowHeight, box.current) });
    // Also when its page comes after the others.
  }, [chosen, chosenIndex < 0]);

  const remember = (change: Partial<{ top: number; key: string }>) => {
    place.value = { ...place.peek(), ...change };
    keep(entry, `list ${name}`, place.value);
  };
  const active = Math.max(0, useIndexOf(place.value.key));
  const choose = (index: number) => {
    const row = rows[index];
    if (!row) return;
    remember({ key: keyOf(row) });
    box.current?.scrollTo({ top: scrolledTo(index, rowHeight, box.current) });
    requestAnimationFrame(() =>
      box.current?.querySelector<HTMLElement>(`[aria-rowindex="${index + 2}"]`)?.focus(),
    );
  };
  /** Right leads into an open row, left to the row above a closed one: the one that it is below. */
  const branchTarget = (key: string): number | undefined => {
    const row = rows[active];
    if (!row || !tree) return undefined;
    if (key === "ArrowRight") return tree.isOpen(row) ? active + 1 : undefined;
    if (key !== "ArrowLeft" || tree.isOpen(row)) return undefined;
    const level = tree.levelOf(row);
    const above = rows.slice(0, active).findLastIndex((other) => tree.levelOf(other) < level);
    return above < 0 ? undefined : above;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target instanceof Element && event.target.closest("input, button")) return;
    const page = Math.max(1, Math.floor(height.value / rowHeight) - 1);
    const targets: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: Math.min(active + page, rows.length - 1),
      PageUp: Math.max(active - page, 0),
      Home: 0,
      End: rows.length - 1,
    };
    const target = targets[event.key] ?? (tree && branchTarget(event.key));
    const row = rows[active];
    if (event.key === "Enter" && row) open(row);
    else if (row && tree && event.key === "ArrowRight" && tree.isOpen(row) === false) tree.setOpen(row, true);
    else if (row && tree && event.key === "ArrowLeft" && tree.isOpen(row)) tree.setOpen(row, false);
    else if (target !== undefined) choose(target);
    else return;
    event.preventDefault();
  };

  return (
    <div class={`list list-${name}`} role="presentation" style={widthsOf(columns)}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it has a role, one of two */}
      {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole: both of them have these */}
      <div
        class="rows"
        ref={box}
        role={tree ? "treegrid" : "grid"}
        aria-label={name}
        aria-rowcount={count === undefined ? -1 : Math.max(count, rows.length) + 1}
        aria-colcount={columns.length}
        aria-busy={isBusy}
        onScroll={({ currentTarget }) => remember({ top: currentTarget.scrollTop })}
        onKeyDown={onKeyDown}
      >
        <div class="row header" role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <div key={column.name} role="columnheader" class={cellClass(column)}>
              {column.title}
            </div>
          ))}
        </div>
        <div class="space" role="presentation" style={{ height: `${rows.length * rowHeight}px` }}>
          {inView(rows.length, active, place.value.top, height.value, rowHeight).map((index) => {
            const row = rows[index] as Row;
            return (
              <div
                key={keyOf(row)}
                class={`row ${classOf?.(row) ?? ""}`}
                role="row"
                aria-level={tree?.levelOf(row)}
                aria-expanded={tree?.isOpen(row)}
                aria-selected={chosen === undefined ? undefined : keyOf(row) === chosen}
                aria-rowindex={index + 2}
                tabIndex={index === active ? 0 : -1}
                style={{ transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }}
                onFocus={() => remember({ key: keyOf(row) })}
                onClick={(event) => isOnControl(event) || open(row)}
              >
                {columns.map((column) => (
                  <div key={column.name} role="gridcell" class={cellClass(column)}>
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function widthsOf<Row>(columns: Column<Row>[]): Record<string, string> | undefined {
  const widths = columns.map(({ width }) => width);
  return widths.includes(undefined) ? undefined : { "--columns": widths.join(" ") };
}

/** The indices of the rows to draw, the chosen one among them: it has the focus, wherever one scrolls. */
function inView(total: number, active: number, top: number, height: number, rowHeight: number): number[] {
  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE);
  const last = Math.min(total - 1, Math.ceil((top + height) / rowHeight) + SPARE);
  const indices: number[] = [];
  if (active < first && active < total) indices.push(active);
  for (let index = first; index <= last; index += 1) indices.push(index);
  if (active > last && active < total) indices.push(active);
  return indices;
}

/** How far to scroll so that a row is in view, and no further. The header stays above the rows. */
function scrolledTo(index: number, rowHeight: number, box: HTMLElement): number {
  const header = box.querySelector<HTMLElement>(".header")?.offsetHeight ?? 0;
  const top = index * rowHeight;
  const lowest = top + rowHeight + header - box.clientHeight;
  return Math.min(top, Math.max(box.scrollTop, lowest));
}

function isOnControl(event: MouseEvent): boolean {
  return event.target instanceof Element && event.target.closest("a, button, label") !== null;
}

function cellClass({ name, isNumber }: { name: string; isNumber?: boolean }): string {
  return `cell cell-${name}${isNumber ? " number" : ""}`;
}

interface FooterProps {
  shown: number;
  count?: number;
  isAtLeast?: boolean;
  /** What they are, as "steps". */
  unit?: string;
  hasMore: boolean;
  isLoading: boolean;
  more: () => void;
  /** What the button for more is called. */
  moreTitle?: string;
}

/** How much of a list is shown, and the rest of it. */
export function ListFooter({
  shown,
  count,
  isAtLeast,
  unit,
  hasMore,
  isLoading,
  more,
  moreTitle = "Load more",
}: FooterProps) {
  const total =
    count === undefined
      ? ""
      : ` of ${isAtLeast ? "at least " : ""}${Math.max(count, shown).toLocaleString()}`;
  return (
    <p class="list-footer">
      <span role="status">
        {shown.toLocaleString()}
        {total}
        {unit && ` ${unit}`}
      </span>
      {hasMore && (
        <button type="button" disabled={isLoading} onClick={more}>
          {isLoading ? "Loading…" : moreTitle}
        </button>
      )}
    </p>
  );
}

/** Waits for its reader, so that nothing moves under their eyes. */
export function News({ count, show }: { count: number; show: () => void }) {
  const showAndStay = () => {
    show();
    // The button that has the focus goes away.
    document.querySelector<HTMLElement>("main")?.focus();
  };
  return (
    <div role="status" class="news">
      {count > 0 && (
        <button type="button" onClick={showAndStay}>
          {count} new
        </button>
      )}
    </div>
  );
}
