import { address } from "../api/client.ts";
import { Copy, curlOf } from "../parts/copy.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { StepButton } from "./step-button.tsx";
import type { useLoops } from "./use-loops.ts";

interface LoopListProps {
  found: ReturnType<typeof useLoops>;
  choose: (stepId: string) => void;
}

export function LoopList({ found, choose }: LoopListProps) {
  const { loops, candidates, lookedAt, hasMore, more, contents } = found;
  if (candidates.length === 0) return null;
  const [first] = candidates;
  const ids = candidates.slice(0, 50).map(({ id }) => id);
  return (
    <section class="loops">
      <div class="tools">
        <h2>Loops</h2>
        <p class="quiet" role="status">
          The arguments of <Count value={lookedAt} /> of <Count value={candidates.length} /> repeated tool
          calls were looked at.
        </p>
        {hasMore && (
          <button type="button" onClick={more}>
            Look at more
          </button>
        )}
        {first && <Copy text={curlOf(address("/steps", { ids: ids.join(",") }))} label="Copy curl" />}
      </div>
      {contents.problem && <ErrorBox problem={contents.problem} />}
      {loops.length === 0 && lookedAt === candidates.length && <p>None of them is a loop.</p>}
      <ul>
        {loops.map(({ agent, tool, steps }) => (
          <li key={steps[0]?.id}>
            <StepButton step={steps[0]?.id} choose={choose}>
              <SafeText text={tool} />
            </StepButton>{" "}
            was called <span class="failed">{steps.length} times running</span> with the same arguments by{" "}
            <SafeText text={agent} />
          </li>
        ))}
      </ul>
    </section>
  );
}
