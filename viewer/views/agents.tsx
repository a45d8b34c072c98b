import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { type AgentNode, type Graph, graphOf } from "../agents/graph.ts";
import { type Drawing, drawingOf, NODE, type PlacedNode } from "../agents/layout.ts";
import type { Loop } from "../agents/loops.ts";
import { useLoops } from "../agents/use-loops.ts";
import { address } from "../api/client.ts";
import { Copy, curlOf } from "../parts/copy.tsx";
import { ErrorBox } from "../parts/error-box.tsx";
import { Count, Duration, durationText, Money, Tokens } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import type { ViewProps } from "../run/views.ts";

/** More agents than these are no picture. */
const MOST_DRAWN = 40;

/** `?view=agents`: who worked, who called whom, and what each of them took. */
export function Agents({ run, choose }: ViewProps) {
  const graph = useMemo(() => graphOf(run), [run]);
  const found = useLoops(run);
  const { nodes, edges, lost } = graph;
  const handoffs = edges.reduce((total, { count }) => total + count, 0);
  return (
    <div class="agents">
      <p class="quiet">
        <Count value={nodes.length} /> {nodes.length === 1 ? "agent" : "agents"}, <Count value={handoffs} />{" "}
        {handoffs === 1 ? "handoff" : "handoffs"}
        {lost > 0 && (
          <>
            ; of <Count value={lost} /> more it is not stored where they led
          </>
        )}
        {!run.isComplete && (
          <>
            ; of <Count value={run.steps.length} /> of <Count value={run.count} /> steps
          </>
        )}
      </p>
      {nodes.length <= MOST_DRAWN ? (
        <Picture graph={graph} loops={found.loops} />
      ) : (
        <p class="quiet">More than {MOST_DRAWN} agents are not drawn: the tables say the same.</p>
      )}
      <LoopList found={found} choose={choose} />
      <AgentTable nodes={nodes} loops={found.loops} choose={choose} />
      {edges.length > 0 && <HandoffTable graph={graph} />}
    </div>
  );
}

function Picture({ graph, loops }: { graph: Graph; loops: Loop[] }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => {
      width.value = element.clientWidth;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const drawing = useMemo(() => drawingOf(graph, width.value), [graph, width.value]);
  return (
    <div class="picture" ref={box}>
      {width.value > 0 && <Drawn drawing={drawing} loops={loops} />}
    </div>
  );
}

function Drawn({ drawing, loops }: { drawing: Drawing; loops: Loop[] }) {
  const { width, height, nodes, edges } = drawing;
  const looping = new Set(loops.map(({ agent }) => agent));
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label="Agents and their handoffs. The tables below say the same."
    >
      <defs>
        <marker id="arrow" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" orient="auto">
          <path class="arrow" d="M0 0L8 4L0 8z" />
        </marker>
      </defs>
      {edges.map(({ key, path }) => (
        <path key={key} class="edge" d={path} marker-end="url(#arrow)" />
      ))}
      {nodes.map((placed) => (
        <Node key={placed.node.agent} placed={placed} isLooping={looping.has(placed.node.agent)} />
      ))}
      {edges
        .filter(({ count }) => count > 1)
        .map(({ key, x, y, count }) => (
          <text key={key} class="edge-count" x={x} y={y + 4}>
            {count}×
          </text>
        ))}
    </svg>
  );
}

function Node({ placed: { node, x, y }, isLooping }: { placed: PlacedNode; isLooping: boolean }) {
  const { agent, figures, milliseconds } = node;
  const { steps, errors, inputTokens, outputTokens, cost } = figures;
  return (
    <g class={errors > 0 ? "node node-failed" : "node"} transform={`translate(${x} ${y})`}>
      <rect width={NODE.width} height={NODE.height} rx="8" />
      <foreignObject width={NODE.width} height={NODE.height}>
        <div class="node-text">
          <strong class="line">
            <SafeText text={agent} />
          </strong>
          <span class="line">
            <Count value={steps} /> steps
            {errors > 0 && (
              <span class="failed">
                , <Count value={errors} /> failed
              </span>
            )}
            {isLooping && <span class="failed">, loop</span>}
          </span>
          <span class="line quiet">
            <Tokens input={inputTokens} output={outputTokens} />
            {(cost.amount !== null || cost.unpriced_steps > 0) && (
              <>
                {" · "}
                <Money value={cost} />
              </>
            )}
          </span>
          <span class="line quiet">{milliseconds === null ? "" : durationText(milliseconds)}</span>
        </div>
      </foreignObject>
    </g>
  );
}

const COLUMNS = ["Agent", "Traces", "Steps", "Errors", "Tokens in → out", "Cost", "Time", "Loops"];

interface AgentTableProps {
  nodes: AgentNode[];
  loops: Loop[];
  choose: (stepId: string) => void;
}

function AgentTable({ nodes, loops, choose }: AgentTableProps) {
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

function HandoffTable({ graph }: { graph: Graph }) {
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

interface LoopListProps {
  found: ReturnType<typeof useLoops>;
  choose: (stepId: string) => void;
}

function LoopList({ found, choose }: LoopListProps) {
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

interface StepButtonProps {
  step: string | undefined;
  choose: (stepId: string) => void;
  children: ComponentChildren;
}

/** Leads to a step, where there is one. */
function StepButton({ step, choose, children }: StepButtonProps) {
  if (step === undefined) return children;
  return (
    <button type="button" class="plain link" onClick={() => choose(step)}>
      {children}
    </button>
  );
}
