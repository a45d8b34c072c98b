import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useLive } from "../state/live.ts";
import { keep, recall } from "../state/places.ts";
import { route } from "../state/route.ts";
import { asProblem, type Problem } from "./problem.ts";
import { type Resource, useResource } from "./resource.ts";

/** A page of a list, as the API gives it. */
export interface Page<Row> {
  rows: Row[];
  count?: number;
  /** There are more than `count`. */
  isAtLeast?: boolean;
  next?: string;
  /** How far back was looked, where that is not all that `next` leads to. */
  until?: string;
}

/** A list that grows at its end when asked to, and at its start only when its reader says so. */
export interface Pages<Row> extends Omit<Page<Row>, "rows"> {
  rows: Row[] | undefined;
  first: Resource<Page<Row>>;
  /** Rows that have come since and are not shown yet. */
  news: number;
  showNews: () => void;
  more: () => void;
  isLoadingMore: boolean;
  moreProblem: Problem | undefined;
}

interface Shown<Row> extends Page<Row> {
  about: string;
}

/**
 * Reads a list page by page. `about` names the list; `keyOf` a row. While the page is looked at, the first page is asked
 * for again and again: rows that are shown get their new figures where they are, and new ones are only counted.
 */
export function usePages<Row>(
  about: string,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Row>>,
  keyOf: (row: Row) => string,
): Pages<Row> {
  const { entry } = route.value;
  const shown = useSignal<Shown<Row> | undefined>(recall(entry, about));
  const latest = useSignal<Page<Row> | undefined>(undefined);
  const news = useSignal(0);
  const more = useSignal<{ isLoading: boolean; problem?: Problem }>({ isLoading: false });

  const show = (page: Page<Row>) => {
    latest.value = page;
    shown.value = { ...page, about };
    news.value = 0;
    keep(entry, about, shown.value);
  };
  const first = useResource(`${entry} ${about}`, async (signal) => {
    const kept = recall<Shown<Row>>(entry, about);
    if (kept) {
      shown.value = kept;
      return kept;
    }
    const page = await load(undefined, signal);
    show(page);
    return page;
  });

  useEffect(() => {
    news.value = 0;
    more.value = { isLoading: false };
  }, [about]);

  useLive(about, async (signal) => {
    const current = shown.peek();
    // What is being typed is about to ask for something else.
    if (current?.about !== about || isTyping()) return false;
    const page = await load(undefined, signal);
    if (isSame(page.rows, latest.peek()?.rows) || shown.peek() !== current) return false;
    latest.value = page;
    const merged = mergeFigures(current, page, keyOf);
    news.value = merged.news;
    shown.value = merged.shown;
    keep(entry, about, merged.shown);
    return true;
  });

  const loadMore = async () => {
    const current = shown.peek();
    if (!current?.next || more.peek().isLoading) return;
    more.value = { isLoading: true };
    try {
      const page = await load(current.next, new AbortController().signal);
      const before = shown.peek();
      if (before?.about !== about || before.next !== current.next) return;
      const known = new Set(before.rows.map(keyOf));
      const rows = [...before.rows, ...page.rows.filter((row) => !known.has(keyOf(row)))];
      shown.value = { ...before, rows, next: page.next, until: page.until };
      keep(entry, about, shown.value);
      more.value = { isLoading: false };
    } catch (thrown) {
      more.value = { isLoading: false, problem: asProblem(thrown) };
    }
  };

  const showNews = () => {
    if (latest.value) show(latest.value);
  };
  // While the rows of other filters are being replaced they stay; when that fails, they would be taken for these.
  const isOther = shown.value?.about !== about;
  const { rows, count, isAtLeast, next, until } = (isOther && first.problem ? undefined : shown.value) ?? {};
  return {
    rows,
    count,
    isAtLeast,
    next,
    until,
    first,
    news: news.value,
    showNews,
    more: loadMore,
    isLoadingMore: more.value.isLoading,
    moreProblem: more.value.problem,
  };
}

/** Answers to POST have no version: the rows themselves are compared. */
function isSame<Row>(rows: Row[], others: Row[] | undefined): boolean {
  return rows === others || JSON.stringify(rows) === JSON.stringify(others);
}

function isTyping(): boolean {
  return document.activeElement?.matches("search input") ?? false;
}

/** The rows that are shown, in their order, with what the newest first page says of them; and how many it has beside. */
function mergeFigures<Row>(shown: Shown<Row>, page: Page<Row>, keyOf: (row: Row) => string) {
  const newest = new Map(page.rows.map((row) => [keyOf(row), row]));
  const rows = shown.rows.map((row) => newest.get(keyOf(row)) ?? row);
  const known = new Set(shown.rows.map(keyOf));
  const news = page.rows.filter((row) => !known.has(keyOf(row))).length;
  return { shown: { ...shown, rows, count: page.count, isAtLeast: page.isAtLeast }, news };
}
