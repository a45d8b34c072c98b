import { useMemo, useRef } from "preact/hooks";
import { Count, durationText, Money, Tokens } from "../parts/figures.tsx";
import { SafeText } from "../parts/safe-text.tsx";
import { useWidth } from "../parts/use-width.ts";
import type { Graph } from "./graph.ts";
import { type Drawing, drawingOf, NODE, type PlacedNode } from "./layout.ts";
import type { Loop } from "./loops.ts";

/** Agents as boxes, and their handoffs as arrows. */
export function Picture({ graph, loops }: { graph: Graph; loops: Loop[] }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const drawing = useMemo(() => drawingOf(graph, width), [graph, width]);
  return (
    <div class="picture" ref={box}>
      {width > 0 && <Drawn drawing={drawing} loops={loops} />}
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
