import type { JSX } from "preact";
import type { WholeStep } from "../api/types.ts";
import { inOneLine } from "../panel/content.tsx";
import { Badge } from "../parts/badge.tsx";
import { durationText } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { messagesOfCall } from "../run/messages.ts";
import { agentOf, callBefore, isError, previousCallOf, type Run, type Skeleton } from "../run/run.ts";
import { href } from "../state/route.ts";
import { Messages } from "./messages.tsx";

interface RowProps {
  run: Run;
  step: Skeleton;
  of: (step: Skeleton) => WholeStep | undefined;
  agentBefore: string | null | undefined;
  isChosen: boolean;
  choose: (stepId: string) => void;
}

export function Row({ run, step, of, isChosen, choose }: RowProps) {
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
