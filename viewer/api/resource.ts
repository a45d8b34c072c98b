import { useSignal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { whenVisible } from "../state/visible.ts";
import { asProblem, mayPass, type Problem } from "./problem.ts";

/** Something that is being read, or was. */
export interface Resource<Data> {
  /** What came last. It stays while something newer is on its way, and when that fails. */
  data: Data | undefined;
  problem: Problem | undefined;
  isLoading: boolean;
  /** When it tries again by itself. */
  retryAt: number | undefined;
  retry: () => void;
}

/** Milliseconds before the first try after a failure, where the API does not say; then twice as long, up to 30 seconds. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 30_000;

/**
 * Reads what `about` names, and again when that changes. What may pass by itself is tried again; `load` is given a signal
 * that ends when nobody wants the answer any more. A hidden tab does not try again until it is looked at.
 */
export function useResource<Data>(
  about: string,
  load: (signal: AbortSignal) => Promise<Data>,
): Resource<Data> {
  const state = useSignal<{
    about: string;
    data?: Data;
    problem?: Problem;
    retryAt?: number;
    isLoading: boolean;
  }>({
    about,
    isLoading: true,
  });
  const turn = useSignal(0);
  // Asked for before anything is drawn: an effect would wait for the next frame.
  useLayoutEffect(() => {
    const stopped = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const attempt = async (pause: number) => {
      try {
        const data = await load(stopped.signal);
        if (!stopped.signal.aborted) state.value = { about, data, isLoading: false };
      } catch (thrown) {
        const problem = asProblem(thrown);
        if (stopped.signal.aborted || !problem) return;
        const wait = mayPass(problem) ? (problem.retryAfter ?? pause) : undefined;
        const retryAt = wait === undefined ? undefined : Date.now() + wait;
        state.value = { about, data: state.peek().data, problem, retryAt, isLoading: false };
        if (wait === undefined) return;
        const again = () => attempt(Math.min(pause * 2, LONGEST_PAUSE));
        timer = setTimeout(whenVisible, wait, again, stopped.signal);
      }
    };
    state.value = { ...state.peek(), isLoading: true };
    attempt(FIRST_PAUSE);
    return () => {
      stopped.abort();
      clearTimeout(timer);
    };
  }, [about, turn.value]);
  const { data, problem, retryAt, isLoading } = state.value;
  return { data, problem, retryAt, isLoading, retry: () => turn.value++ };
}
