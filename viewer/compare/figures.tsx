import { useMemo } from "preact/hooks";
import { Count, Duration, Money, Tokens } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { figuresOf, type Run } from "../run/run.ts";
import { href } from "../state/route.ts";
import { timeOf } from "../tree/time.ts";

export function Figures({ a, b }: { a: Run; b: Run }) {
  const sides = useMemo(() => [sumsOf(a), sumsOf(b)], [a, b]);
  const place = (run: Run) => href([`${run.kind}s`, run.id]);
  return (
    <section class="wide" tabIndex={0} aria-label="Figures side by side">
      <table class="cards">
        <thead>
          <tr>
            {["", "Traces", "Steps", "Errors", "Tokens in → out", "Cost", "Time"].map((title) => (
              <th key={title} scope="col" class={title ? "number" : ""}>
                {title || <span class="unseen">Which</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sides.map(({ run, figures, milliseconds }, index) => (
            <tr key={`${index}`}>
              <th scope="row">
                {index === 0 ? "A " : "B "}
                <a href={place(run)}>
                  <SafeText text={run.id} />
                </a>
              </th>
              <td data-title="Traces" class="number">
                <Count value={run.traces.length} />
              </td>
              <td data-title="Steps" class="number">
                <Count value={figures.steps} />
              </td>
              <td data-title="Errors" class={`number${figures.errors ? " failed" : ""}`}>
                <Count value={figures.errors} />
              </td>
              <td data-title="Tokens in → out" class="number">
                <Tokens input={figures.inputTokens} output={figures.outputTokens} />
              </td>
              <td data-title="Cost" class="number">
                <Money value={figures.cost} />
              </td>
              <td data-title="Time" class="number">
                <Duration milliseconds={milliseconds} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function sumsOf(run: Run) {
  return { run, figures: figuresOf(run.steps), milliseconds: timeOf(run.steps) };
}
