import type { ComponentChildren } from "preact";
import type { WholeStep } from "../api/types.ts";
import { durationText, exactTime, Money } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { agentOf, type Skeleton } from "../run/run.ts";
import { href } from "../state/route.ts";

/** What is known of a step beside what was said. */
export function Facts({ step, whole }: { step: Skeleton; whole: WholeStep | undefined }) {
  const isCall = step.type === "llm_call";
  return (
    <dl class="facts-list panel-facts">
      <Fact name="Status">
        <Status status={step.status} />
      </Fact>
      <Fact name="Agent">
        <SafeText text={agentOf(step)} />
      </Fact>
      {isCall && (
        <Fact name="Model">
          <SafeText text={[step.name ?? "not told", whole?.provider].filter(Boolean).join(" · ")} />
        </Fact>
      )}
      <Fact name="Began">
        {step.time_told ? (
          exactTime(step.started_at)
        ) : (
          <>
            {exactTime(step.started_at)} <span class="quiet">(time not told: made of when it arrived)</span>
          </>
        )}
      </Fact>
      <Fact name={isCall ? "Latency" : "Duration"}>
        {step.duration_ms === null ? <span class="quiet">not told</span> : durationText(step.duration_ms)}
      </Fact>
      {(step.input_tokens !== null || step.output_tokens !== null) && (
        <Fact name="Tokens">{tokensText(step, whole)}</Fact>
      )}
      {isCall && (
        <Fact name="Cost">
          <Money value={step.cost} />
        </Fact>
      )}
      {step.trace_id && (
        <Fact name="Trace">
          <a href={href(["traces", step.trace_id], { step: step.id })}>
            <SafeText text={step.trace_id} />
          </a>
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** How a step went. What was not told is neither good nor bad. */
export function Status({ status }: { status: Skeleton["status"] }) {
  if (status === "error") return <span class="failed">✕ failed</span>;
  if (status === "ok") return <span class="went-well">✓ went well</span>;
  return <span class="quiet">not told</span>;
}

function tokensText(step: Skeleton, whole: WholeStep | undefined): string {
  const count = (tokens: number | null | undefined) => tokens?.toLocaleString() ?? "?";
  const cached = whole?.cached_input_tokens;
  const reasoning = whole?.reasoning_tokens;
  const more = [
    cached !== undefined && `${count(cached)} cached`,
    reasoning !== undefined && `${count(reasoning)} reasoning`,
  ].filter(Boolean);
  const sums = `${count(step.input_tokens)} in, ${count(step.output_tokens)} out`;
  return more.length > 0 ? `${sums} (${more.join(", ")})` : sums;
}
