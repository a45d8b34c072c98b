import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { listSessionSteps, listTraceSteps } from "../api/operations.ts";
import { asProblem, type Problem } from "../api/problem.ts";
import { type Resource, useResource } from "../api/resource.ts";
import type { StepList } from "../api/types.ts";
import { useLive } from "../state/live.ts";
import { keep, recall } from "../state/places.ts";
import { route } from "../state/route.ts";
import { merged, type Run, renewed } from "./run.ts";

const PAGE = 5_000;
/** What is there soon: the rest of a page follows it. */
const FIRST_PAGE = 500;
/** Steps that are read without being asked for. */
const ENOUGH = 20_000;

/** A run, and how it is read. */
export interface RunReading {
  run: Run | undefined;
  /** Its first page. */
  first: Resource<StepList>;
  /** Changes when something has come, shown or not. */
  watermark: string;
  /** Steps that have come since and are not shown yet. */
  news: number;
  showNews: () => void;
  more: () => void;
  isLoadingMore: boolean;
  moreProblem: Problem | undefined;
  isFollowing: boolean;
  follow: (isFollowing: boolean) => void;
  /** Asks at once for what has changed. */
  refresh: () => Promise<void>;
}

interface Shown {
  run: Run;
  /** `run` with what has come since. */
  latest: Run;
  next: string | undefined;
  watermark: string;
}

/**
 * Reads the steps of a session, or of the tree of a trace. Pages are read until there are enough; once all are read, what
 * comes later is asked for again and again: it waits for a click, unless its reader follows the end.
 */
export function useRun(kind: Run["kind"], id: string): RunReading {
  const about = `${kind} ${id}`;
  const { entry } = route.value;
  const shown = useSignal<Shown | undefined>(recall(entry, `run ${about}`));
  const more = useSignal<{ isLoading: boolean; problem?: Problem }>({ isLoading: false });
  const isFollowing = useSignal(false);

  const read = (query: Record<string, string | number>, signal: AbortSignal) =>
    kind === "session"
      ? listSessionSteps(id, { limit: PAGE, ...query }, signal)
      : listTraceSteps(id, { scope: "tree", limit: PAGE, ...query }, signal);
  const set = (next: Shown) => {
    shown.value = next;
    keep(entry, `run ${about}`, next);
  };

  const first = useResource(about, async (signal) => {
    const page = await read({ limit: FIRST_PAGE }, signal);
    const known = shown.peek();
    if (known?.watermark === page.watermark && known.run.steps.length >= page.steps.length) return page;
    const { traces, steps, count, next_cursor: next, watermark } = page;
    const run: Run = { kind, id, traces, steps, count, isComplete: !next };
    set({ run, latest: run, next, watermark });
    return page;
  });

  const loadMore = async (signal: AbortSignal) => {
    const before = shown.peek();
    if (!before?.next || more.peek().isLoading) return;
    more.value = { isLoading: true };
    try {
      const limit = PAGE - (before.run.steps.length % PAGE);
      const page = await read({ cursor: before.next, limit }, signal);
      const { run } = before;
      const known = new Set(run.steps.map((step) => step.id));
      const steps = [...run.steps, ...page.steps.filter((step) => !known.has(step.id))];
      const next = page.next_cursor;
      const longer: Run = { ...run, traces: page.traces, steps, isComplete: !next };
      set({ ...before, run: longer, latest: longer, next });
      more.value = { isLoading: false };
    } catch (thrown) {
      more.value = { isLoading: false, problem: asProblem(thrown) };
    }
  };

  const next = shown.value?.next;
  const readCount = shown.value?.run.steps.length ?? 0;
  useEffect(() => {
    if (!next || readCount >= ENOUGH) return;
    const stopped = new AbortController();
    loadMore(stopped.signal);
    return () => {
      stopped.abort();
      more.value = { isLoading: false };
    };
  }, [next]);

  const ask = async (signal: AbortSignal): Promise<boolean> => {
    const before = shown.peek();
    // The rest of a run that is not read yet is of the moment of its first page: what came since is asked for after it.
    if (!before?.run.isComplete) return false;
    let known = before;
    let cursor: string | undefined;
    do {
      const page = await read(cursor ? { cursor } : { after: before.watermark }, signal);
      if (shown.peek() !== before) return false;
      if (page.steps.length === 0 && page.watermark === known.watermark) return false;
      const latest = merged(known.latest, page);
      const run = isFollowing.peek() ? latest : renewed(known.run, page.steps);
      known = { ...known, run, latest, watermark: page.watermark };
      cursor = page.next_cursor;
    } while (cursor);
    set(known);
    return known.latest !== before.latest;
  };
  useLive(`${about} ${first.data !== undefined}`, ask);

  const refresh = async () => {
    const before = shown.peek();
    const { signal } = new AbortController();
    if (!before || before.run.isComplete) {
      await ask(signal);
      return;
    }
    const page = await read({ after: before.watermark }, signal);
    if (shown.peek() !== before) return;
    const run = renewed(before.run, page.steps);
    set({ ...before, run, latest: run });
  };

  const showNews = () => {
    const current = shown.peek();
    if (current && current.run !== current.latest) set({ ...current, run: current.latest });
  };
  const follow = (wanted: boolean) => {
    isFollowing.value = wanted;
    if (wanted) showNews();
  };
  const { run, latest, watermark = "" } = shown.value ?? {};
  return {
    run,
    first,
    watermark,
    news: run && latest ? latest.steps.length - run.steps.length : 0,
    showNews,
    more: () => loadMore(new AbortController().signal),
    isLoadingMore: more.value.isLoading,
    moreProblem: more.value.problem,
    isFollowing: isFollowing.value,
    follow,
    refresh,
  };
}
