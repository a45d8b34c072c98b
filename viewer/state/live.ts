import { useEffect } from "preact/hooks";
import { waitAfter } from "../api/problem.ts";

/** Milliseconds. */
const SHORTEST = 2_000;
const LONGEST = 30_000;

/**
 * Calls `ask` every two seconds while the page is visible; ever more rarely, down to every thirty seconds, while `ask` says
 * that nothing has come. `about`: what is asked for; asking begins anew when it changes.
 */
export function useLive(about: string, ask: (signal: AbortSignal) => Promise<boolean>): void {
  useEffect(() => {
    const stopped = new AbortController();
    let pause = SHORTEST;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = (milliseconds: number) => {
      clearTimeout(timer);
      timer = setTimeout(turn, milliseconds);
    };
    const turn = async () => {
      if (document.hidden || stopped.signal.aborted) return;
      let wait = 0;
      try {
        const hasCome = await ask(stopped.signal);
        pause = hasCome ? SHORTEST : Math.min(pause * 2, LONGEST);
      } catch (problem) {
        pause = Math.min(pause * 2, LONGEST);
        wait = waitAfter(problem) ?? 0;
      }
      if (!stopped.signal.aborted) later(Math.max(pause, wait));
    };
    const wake = () => {
      if (document.hidden) return;
      pause = SHORTEST;
      later(0);
    };
    document.addEventListener("visibilitychange", wake);
    later(pause);
    return () => {
      stopped.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
    };
  }, [about]);
}
