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
      <table>
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
              <td class="number">
                <Count value={traces} />
              </td>
              <td class="number">
                <Count value={figures.steps} />
              </td>
              <td class={`number${figures.errors ? " failed" : ""}`}>
                <StepButton step={firstError?.id} choose={choose}>
                  <Count value={figures.errors} />
                </StepButton>
              </td>
              <td class="number">
                <Tokens input={figures.inputTokens} output={figures.outputTokens} />
              </td>
              <td class="number">
                {figures.cost.amount === null && figures.cost.unpriced_steps === 0 ? (
                  ""
                ) : (
                  <Money value={figures.cost} />
                )}
              </td>
              <td class="number">{milliseconds === null ? "" : <Duration milliseconds={milliseconds} />}</td>
              <td class={`number${loopsOf.has(agent) ? " failed" : ""}`}>
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
      <table>
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
              <td>
                <SafeText text={from} />
              </td>
              <td>
                <SafeText text={to} />
              </td>
              <td class="number">
                <Count value={count} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
