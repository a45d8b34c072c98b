import { useMemo } from "preact/hooks";
import { address } from "../api/client.ts";
import { curlOf } from "../parts/copy.tsx";
import { Empty } from "../parts/empty.tsx";
import { Count, Duration, Money, Tokens } from "../parts/figures.tsx";
import { Heading } from "../parts/shell.tsx";
import { endOf, figuresOf, type Run, startOf } from "../run/run.ts";
import { ByAgent, Figure } from "../run/run-figures.tsx";
import { RunPage } from "../run/run-page.tsx";
import { useRun } from "../run/use-run.ts";
import { href } from "../state/route.ts";

/** `#/traces/T`: the whole tree that a trace is in. */
export function Trace({ id }: { id: string }) {
  const reading = useRun("trace", id);
  const { run, first } = reading;
  if (first.problem?.status === 404) {
    return (
      <Empty title="This trace is not there">
        <p>It does not exist, or belongs to a namespace that this token may not use.</p>
        <a href={href(["traces"])}>All traces</a>
      </Empty>
    );
  }
  const query = { scope: "tree", limit: 5000 };
  return (
    <RunPage reading={reading}>
      <a href={href(["traces"])}>← Traces</a>
      <Heading title={id} curl={curlOf(address(`/traces/${encodeURIComponent(id)}/steps`, query))} />
      {run && <Figures run={run} />}
      {run && (
        <div class="run-details">
          <ByAgent run={run} />
        </div>
      )}
    </RunPage>
  );
}

/** Added up from the steps that are read. */
function Figures({ run }: { run: Run }) {
  const figures = useMemo(() => figuresOf(run.steps), [run]);
  return (
    <dl class="run-figures">
      <Figure name="Traces">
        <Count value={run.traces.length} />
      </Figure>
      <Figure name="Steps">
        <Count value={run.count} />
      </Figure>
      <Figure name="Errors">
        <span class={figures.errors ? "failed" : ""}>
          <Count value={figures.errors} />
        </span>
      </Figure>
      <Figure name="Tokens">
        <Tokens input={figures.inputTokens} output={figures.outputTokens} />
      </Figure>
      <Figure name="Cost">
        <Money value={figures.cost} />
      </Figure>
      <Figure name="Duration">
        <Duration milliseconds={durationOf(run)} />
      </Figure>
      {!run.isComplete && <Figure name="Of">the steps that are read</Figure>}
    </dl>
  );
}

function durationOf({ steps }: Run): number | null {
  if (steps.length === 0) return null;
  const from = steps.reduce((least, step) => Math.min(least, startOf(step)), Number.POSITIVE_INFINITY);
  const until = steps.reduce((most, step) => Math.max(most, endOf(step)), 0);
  return Math.round(until - from);
}
