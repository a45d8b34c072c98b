import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { useContents } from "../run/contents.ts";
import type { Run, Skeleton } from "../run/run.ts";
import { candidatesOf, canonical, type Loop, loopsAmong } from "./loops.ts";

/** Calls whose arguments are read unasked. */
const UNASKED = 500;

export interface Loops {
  loops: Loop[];
  /** Calls that may be part of one, and those of them whose arguments were looked at. */
  candidates: Skeleton[];
  lookedAt: number;
  /** More are left, and are looked at when asked for. */
  hasMore: boolean;
  more: () => void;
  contents: ReturnType<typeof useContents>;
}

/** Reads the arguments of tool calls that follow each other with the same name, and of no others. */
export function useLoops(run: Run): Loops {
  const limit = useSignal(UNASKED);
  const groups = useMemo(() => candidatesOf(run), [run]);
  const candidates = useMemo(() => groups.flat(), [groups]);
  const contents = useContents(candidates.slice(0, limit.value));
  const known = new Map<string, string>();
  let lookedAt = 0;
  for (const step of candidates.slice(0, limit.value)) {
    // What was taken away is not known, and never the same.
    if (step.bytes === 0) lookedAt += 1;
    const content = contents.of(step);
    if (!content) continue;
    lookedAt += 1;
    if (content.arguments !== undefined) known.set(step.id, canonical(content.arguments));
  }
  return {
    loops: loopsAmong(groups, known),
    candidates,
    lookedAt,
    hasMore: candidates.length > limit.value,
    more: () => {
      limit.value += UNASKED;
    },
    contents,
  };
}
