import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import type { ScoreFigures } from "../api/types.ts";
import { Count, Money, Tokens } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { agentOf, type Figures, figuresOf, type Run, type Skeleton } from "./run.ts";

/** One figure of a run, with its name. */
export function Figure({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The average of each kind of score. */
export function ScoreFigure({ scores }: { scores: ScoreFigures }) {
  const names = Object.entries(scores);
  if (names.length === 0) return null;
  return (
    <Figure name="Scores">
      {names.map(([name, { count, average }]) => (
        <span key={name} class="score" title={`${count} given`}>
          <SafeText text={name} /> {average ?? `${count}×`}
        </span>
      ))}
    </Figure>
  );
}

/** What each agent's steps add up to, of those that are read. */
export function ByAgent({ run }: { run: Run }) {
  const agents = useMemo(() => agentsOf(run), [run]);
  return (
    <details class="by-agent">
      <summary>
        {agents.length} {agents.length === 1 ? "agent" : "agents"}
      </summary>
      {!run.isComplete && (
        <p class="quiet">Of the {run.steps.length.toLocaleString()} steps that are read.</p>
      )}
      <div class="scroll" tabIndex={0} role="region" aria-label="Figures of each agent">
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">Agent</th>
              {["Steps", "Errors", "Tokens", "Cost"].map((title) => (
                <th key={title} scope="col" class="number">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {agents.map(([agent, figures]) => (
              <tr key={agent}>
                <th scope="row">
                  <SafeText text={agent} />
                </th>
                <td data-title="Steps" class="number">
                  <Count value={figures.steps} />
                </td>
                <td data-title="Errors" class={figures.errors ? "number failed" : "number"}>
                  <Count value={figures.errors} />
                </td>
                <td data-title="Tokens" class="number">
                  <Tokens input={figures.inputTokens} output={figures.outputTokens} />
                </td>
                <td data-title="Cost" class="number">
                  {isFree(figures) ? "none" : <Money value={figures.cost} />}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** Nothing that it did has a price: tools, log entries. */
function isFree({ cost }: Figures): boolean {
  return cost.amount === null && cost.unpriced_steps === 0;
}

function agentsOf(run: Run) {
  const steps = new Map<string, Skeleton[]>();
  for (const step of run.steps) {
    const own = steps.get(agentOf(step));
    if (own) own.push(step);
    else steps.set(agentOf(step), [step]);
  }
  return [...steps].map(([agent, own]) => [agent, figuresOf(own)] as const);
}
