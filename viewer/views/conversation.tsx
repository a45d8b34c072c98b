import { useEffect, useRef } from "preact/hooks";
import { Row } from "../conversation/row.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { useContents } from "../run/contents.ts";
import { callBefore, isError, placeOf, previousCallOf, type Run, type Skeleton } from "../run/run.ts";
import type { ViewProps } from "../run/views.ts";
import { type Scrolled, useVirtual } from "../run/virtual.ts";
import { keep, recall } from "../state/places.ts";
import { route } from "../state/route.ts";
import { token } from "../state/token.ts";

/** The usual height of a row of each type, in pixels, until it is measured. */
const GUESSES: Partial<Record<Skeleton["type"], number>> = { llm_call: 96, message: 76 };

const GUESS = 34;

/** `?view=conversation`: what all agents were asked and answered, in one column. */
export function Conversation({ run, chosen, choose, matches, isFollowing }: ViewProps) {
  const { entry } = route.value;
  const { steps } = run;
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtual({
    box,
    count: steps.length,
    keyOf: (index) => steps[index]?.id ?? `${index}`,
    guess: (index) => GUESSES[steps[index]?.type ?? "log"] ?? GUESS,
    was: recall<Scrolled>(entry, "conversation"),
    entry,
    leave: (now) => {
      // Who signs out leaves nothing.
      if (token.peek()) keep(entry, "conversation", now);
    },
  });
  const rows = virtual.getVirtualItems();
  const inView = rows.map(({ index }) => steps[index]).filter((step) => step !== undefined);
  const { of, problem } = useContents(withPrevious(run, inView));

  // The chosen step stays in view while rows around it get their height, until its reader scrolls.
  const held = useRef<string | undefined>(undefined);
  const letGo = () => {
    held.current = undefined;
  };
  const size = virtual.getTotalSize();
  useEffect(() => {
    held.current = chosen;
  }, [chosen]);
  useEffect(() => {
    const place = placeOf(run, held.current);
    if (place >= 0) virtual.scrollToIndex(place, { align: "auto" });
  }, [chosen, size, virtual.scrollRect?.height]);
  useEffect(() => {
    if (isFollowing && steps.length > 0) virtual.scrollToIndex(steps.length - 1, { align: "end" });
  }, [isFollowing, steps.length]);

  return (
    <>
      {problem && <ErrorBox problem={problem} />}
      <div
        class="conversation"
        ref={box}
        tabIndex={0}
        role="region"
        aria-label="Conversation"
        onWheel={letGo}
        onTouchMove={letGo}
        onPointerDown={letGo}
        onKeyDown={letGo}
      >
        <ol style={{ height: `${size}px` }}>
          {rows.map(({ index, key, start }) => {
            const step = steps[index];
            if (!step) return null;
            const isMatch = matches?.has(step.id);
            return (
              <li
                key={`${key}`}
                ref={virtual.measureElement}
                data-index={index}
                data-step={step.id}
                aria-setsize={run.count}
                aria-posinset={index + 1}
                class={rowClass(step, step.id === chosen, matches && !isMatch)}
                style={{ transform: `translateY(${start}px)` }}
              >
                <Row
                  run={run}
                  step={step}
                  of={of}
                  agentBefore={steps[index - 1]?.agent}
                  isChosen={step.id === chosen}
                  choose={choose}
                />
              </li>
            );
          })}
        </ol>
      </div>
    </>
  );
}

/** What is new in a call is known by the call before it. */
function withPrevious(run: Run, steps: Skeleton[]): Skeleton[] {
  const calls = steps.filter(({ type }) => type === "llm_call");
  const before = calls.map((step) => previousCallOf(run, step) ?? callBefore(run, step));
  const all = [...steps, ...before.filter((step) => step !== undefined)];
  return [...new Map(all.map((step) => [step.id, step])).values()];
}

function rowClass(step: Skeleton, isChosen: boolean, isOther: boolean | undefined): string {
  return [
    "step",
    `step-${step.type}`,
    isChosen && "chosen",
    isOther && "other",
    isError(step) && "has-failed",
  ]
    .filter(Boolean)
    .join(" ");
}
