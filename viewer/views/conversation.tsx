import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Message, WholeStep } from "../api/types.ts";
import { inOneLine } from "../panel/content.tsx";
import { nameOfPart, Told } from "../panel/told.tsx";
import { Badge } from "../parts/badge.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { durationText } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { useContents } from "../run/contents.ts";
import { listOf, messagesOfCall, notIn } from "../run/messages.ts";
import {
  agentOf,
  callBefore,
  isError,
  placeOf,
  previousCallOf,
  type Run,
  type Skeleton,
} from "../run/run.ts";
import type { ViewProps } from "../run/views.ts";
import { useVirtual } from "../run/virtual.ts";
import { keep, recall } from "../state/places.ts";
import { href, route } from "../state/route.ts";

/** The usual height of a row of each type, in pixels, until it is measured. */
const GUESSES: Partial<Record<Skeleton["type"], number>> = { llm_call: 96, message: 76 };
const GUESS = 34;
/** Characters of a message that are shown; the panel has them all. */
const LONGEST = 1_500;

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
    top: recall<number>(entry, "conversation") ?? 0,
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
        onScroll={({ currentTarget }) => keep(entry, "conversation", currentTarget.scrollTop)}
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

interface RowProps {
  run: Run;
  step: Skeleton;
  of: (step: Skeleton) => WholeStep | undefined;
  agentBefore: string | null | undefined;
  isChosen: boolean;
  choose: (stepId: string) => void;
}

function Row({ run, step, of, isChosen, choose }: RowProps) {
  const whole = of(step);
  const head = <Head step={step} whole={whole} isChosen={isChosen} choose={choose} />;
  if (step.type === "handoff") return <Handoff step={step} whole={whole} head={head} />;
  if (step.type !== "llm_call" && step.type !== "message") return head;
  const previous = previousCallOf(run, step);
  const other = previous || step.type === "message" ? undefined : callBefore(run, step);
  return (
    <>
      {head}
      <Messages step={step} whole={whole} previous={previous && of(previous)} other={other && of(other)} />
    </>
  );
}

type HeadProps = Pick<RowProps, "step" | "isChosen" | "choose"> & { whole: WholeStep | undefined };

/** Which step it is; pressed, it opens the panel. */
function Head({ step, whole, isChosen, choose }: HeadProps) {
  return (
    <button
      type="button"
      class="step-head"
      aria-current={isChosen ? "true" : undefined}
      onClick={() => choose(step.id)}
    >
      <Badge type={step.type} />
      <span class="who">
        <SafeText text={agentOf(step)} />
      </span>
      {step.name && step.type !== "handoff" && (
        <span class={step.type === "tool_call" ? "tool" : "quiet"}>
          <SafeText text={step.name} />
        </span>
      )}
      {isError(step) && <span class="failed">✕ failed</span>}
      <span class="line quiet">
        <SafeText text={summaryOf(step, whole)} />
      </span>
      {step.duration_ms !== null && <span class="quiet took">{durationText(step.duration_ms)}</span>}
    </button>
  );
}

/** Which tools a model wants, where that is its answer. */
function callsOf(whole: WholeStep | undefined): string {
  if (whole?.type !== "llm_call") return "";
  const calls = messagesOfCall(whole, undefined).answered.flatMap(({ tool_calls }) => tool_calls ?? []);
  const names = calls.map((call) => (call.function as { name?: unknown } | undefined)?.name ?? call.name);
  return names.length > 0 ? `calls ${names.join(", ")}` : "";
}

/** Tools and what is small, in one line. */
function summaryOf(step: Skeleton, whole: WholeStep | undefined): string {
  if (step.bytes === 0) return "what was said was taken away";
  if (step.type === "llm_call" || step.type === "message" || step.type === "handoff") {
    return isError(step) ? (step.error ?? "") : callsOf(whole);
  }
  if (step.type === "log") return [whole?.level, step.preview].filter(Boolean).join(": ");
  if (step.type !== "tool_call" || !whole) return step.error ?? step.preview ?? "";
  const given = whole.arguments === undefined ? "" : `(${inOneLine(whole.arguments, 70)})`;
  const came = step.error ?? (whole.result === undefined ? "no result" : inOneLine(whole.result, 110));
  return `${given} → ${came}`;
}

function Handoff({ step, whole, head }: { step: Skeleton; whole: WholeStep | undefined; head: JSX.Element }) {
  const [transfer] = whole?.transfers ?? [];
  return (
    <div class="handoff">
      {head}
      <p>
        hands over to{" "}
        <strong>
          <SafeText text={transfer?.to ?? step.name ?? "another agent"} />
        </strong>
        {transfer?.reason && (
          <>
            {": "}
            <SafeText text={transfer.reason} />
          </>
        )}{" "}
        {step.to_trace_id && <a href={href(["traces", step.to_trace_id])}>its trace</a>}
      </p>
    </div>
  );
}

interface MessagesProps {
  step: Skeleton;
  whole: WholeStep | undefined;
  previous: WholeStep | undefined;
  /** Where this is its agent's first call, the other agent's one before it. */
  other: WholeStep | undefined;
}

/** What is new in a call: what tools gave is in their own rows. Until it is read, its preview. */
function Messages({ step, whole, previous, other }: MessagesProps) {
  if (step.bytes === 0) return null;
  if (!whole) {
    return (
      <p class="said quiet">
        <SafeText text={step.preview ?? ""} />
      </p>
    );
  }
  const version = whole.anonymization_version;
  if (step.type === "message") {
    return listOf(whole.msg).map((message, index) => (
      <Said key={`${index}`} message={message} version={version} />
    ));
  }
  const { earlier, asked, answered } = messagesOfCall(whole, previous);
  const wanted = asked.filter(({ role }) => role === "user" || (role === "system" && earlier.length === 0));
  const told = notIn(wanted, other);
  return (
    <>
      {whole.truncated && (
        <p class="said quiet">{(whole.left_out ?? []).join(", ")}: too large, open it to see all</p>
      )}
      {[...told, ...answered].map((message, index) => (
        <Said key={`${index}`} message={message} version={version} />
      ))}
    </>
  );
}

function Said({ message, version }: { message: Message; version: number | undefined }) {
  const text = textOf(message.content);
  const calls = message.role === "tool" ? [] : (message.tool_calls ?? []);
  if (text === "" && calls.length > 0) return null;
  return (
    <div class={`said said-${classOf(message.role)}`}>
      <span class="role">
        <SafeText text={message.role} />
      </span>
      <div class="told">
        <Told text={text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text} version={version} />
      </div>
    </div>
  );
}

function classOf(role: string): string {
  return ["user", "assistant", "system"].includes(role) ? role : "other";
}

/** The texts of a message; of its other parts what they are. */
function textOf(content: unknown): string {
  if (content === null || content === undefined) return "";
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return inOneLine(content, LONGEST);
  return content
    .map((part) => {
      if (typeof part?.text === "string") return part.text;
      if (part?.type === "text" && typeof part.content === "string") return part.content;
      return `[${(isObject(part) && nameOfPart(part)) || inOneLine(part, 100)}]`;
    })
    .join("\n");
}

function isObject(part: unknown): part is Record<string, unknown> {
  return typeof part === "object" && part !== null;
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
