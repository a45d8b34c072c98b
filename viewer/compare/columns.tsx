import { Badge } from "../parts/badge.tsx";
import { Duration, Tokens } from "../parts/figures.tsx";
import type { Column } from "../parts/list.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { agentOf, isError, type Skeleton } from "../run/run.ts";
import type { Pair } from "./align.ts";

export const COLUMNS: Column<Pair>[] = [
  {
    name: "step",
    title: "Step",
    cell: ({ a, b }) => {
      const step = (a ?? b) as Skeleton;
      return (
        <span class="outline-name">
          <Badge type={step.type} />
          <span class="line">
            <SafeText text={[agentOf(step), step.name].filter(Boolean).join(" · ")} />
          </span>
        </span>
      );
    },
  },
  { name: "a", title: "A", cell: ({ a }) => <Side step={a} name="A" /> },
  { name: "b", title: "B", cell: ({ b }) => <Side step={b} name="B" /> },
];

function Side({ step, name }: { step: Skeleton | undefined; name: string }) {
  if (!step) {
    return (
      <span class="failed">
        <span class="unseen">{name}: </span>missing
      </span>
    );
  }
  const { duration_ms, input_tokens, output_tokens } = step;
  return (
    <span class="side">
      <span class="unseen">{name}: </span>
      {isError(step) && <span class="failed">failed</span>}
      {duration_ms === null ? (
        <span class="quiet">not told</span>
      ) : (
        <span>
          <Duration milliseconds={duration_ms} />
        </span>
      )}
      {(input_tokens !== null || output_tokens !== null) && (
        <Tokens input={input_tokens} output={output_tokens} />
      )}
      <span class="line quiet">
        <SafeText text={step.error ?? step.preview ?? ""} />
      </span>
    </span>
  );
}
