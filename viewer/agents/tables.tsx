import { Count, Duration, Money, Tokens } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import type { AgentNode, Graph } from "./graph.ts";
import type { Loop } from "./loops.ts";
import { StepButton } from "./step-button.tsx";

const COLUMNS = ["Agent", "Traces", "Steps", "Errors", "Tokens in → out", "Cost", "Time", "Loops"];

interface AgentTableProps {
  nodes: AgentNode[];
  loops: Loop[];
  choose: (stepId: string) => void;
}

export function AgentTable({ nodes, loops, choose }: AgentTableProps) {
  const loopsOf = Map.groupBy(loops, ({ agent }) => agent);
  return (
    <section class="wide" tabIndex={0} aria-label="Figures of each agent">
      <table class="cards">
        <thead>
          <tr>
            {COLUMNS.map((title) => (
              <th key={title} scope="col" class={title === "Agent" ? "" : "number"}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {nodes.map(({ agent, traces, figures, milliseconds, steps, firstError }) => (
            <tr key={agent}>
              <th scope="row">
                <StepButton step={steps[0]?.id} choose={choose}>
                  <SafeText text={agent} />
                </StepButton>
              </th>
              <td data-title="Traces" class="number">
                <Count value={traces} />
              </td>
              <td data-title="Steps" class="number">
                <Count value={figures.steps} />
              </td>
              <td data-title="Errors" class={`number${figures.errors ? " failed" : ""}`}>
                <StepButton step={firstError?.id} choose={choose}>
                  <Count value={figures.errors} />
                </StepButton>
              </td>
              <td data-title="Tokens in → out" class="number">
                <Tokens input={figures.inputTokens} output={figures.outputTokens} />
              </td>
              <td data-title="Cost" class="number">
                {figures.cost.amount === null && figures.cost.unpriced_steps === 0 ? (
                  ""
                ) : (
                  <Money value={figures.cost} />
                )}
              </td>
              <td data-title="Time" class="number">
                {milliseconds === null ? "" : <Duration milliseconds={milliseconds} />}
              </td>
              <td data-title="Loops" class={`number${loopsOf.has(agent) ? " failed" : ""}`}>
                <Count value={loopsOf.get(agent)?.length ?? 0} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function HandoffTable({ graph }: { graph: Graph }) {
  return (
    <section class="wide" tabIndex={0} aria-label="Handoffs">
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col" class="number">
              Times
            </th>
          </tr>
        </thead>
        <tbody>
          {graph.edges.map(({ from, to, count }) => (
            <tr key={JSON.stringify([from, to])}>
              <td data-title="From">
                <SafeText text={from} />
              </td>
              <td data-title="To">
                <SafeText text={to} />
              </td>
              <td data-title="Times" class="number">
                <Count value={count} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
