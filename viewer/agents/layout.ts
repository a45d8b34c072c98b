import type { AgentNode, Graph } from "./graph.ts";

export const NODE = { width: 188, height: 76 };
const GAP = { across: 76, down: 28 };
/** Room for the arcs at the side of one column. */
const ARCS = 64;
const EDGE = 10;

export interface PlacedNode {
  node: AgentNode;
  x: number;
  y: number;
}

export interface PlacedEdge {
  key: string;
  path: string;
  /** Where how often is written. */
  x: number;
  y: number;
  count: number;
}

export interface Drawing {
  width: number;
  height: number;
  nodes: PlacedNode[];
  edges: PlacedEdge[];
}

/** A column for each layer, from left to right; where they do not fit in, one column with arcs at its side. */
export function drawingOf(graph: Graph, width: number): Drawing {
  const layers = Math.max(0, ...graph.nodes.map(({ layer }) => layer)) + 1;
  const needed = layers * (NODE.width + GAP.across) - GAP.across + ARCS + EDGE;
  return needed <= width ? inLayers(graph, layers) : inOneColumn(graph);
}

function inLayers(graph: Graph, layers: number): Drawing {
  const filled: number[] = Array(layers).fill(0);
  const nodes = graph.nodes.map((node): PlacedNode => {
    const row = filled[node.layer] ?? 0;
    filled[node.layer] = row + 1;
    const x = EDGE + node.layer * (NODE.width + GAP.across);
    return { node, x, y: EDGE + row * (NODE.height + GAP.down) };
  });
  const rows = Math.max(1, ...filled);
  const bottom = EDGE + rows * (NODE.height + GAP.down);
  const edges = placedEdges(graph, nodes, (from, to) => {
    if (to.node.layer > from.node.layer) return across(from, to);
    return from === to ? beside(from, to) : below(from, to, bottom);
  });
  const width = layers * (NODE.width + GAP.across) - GAP.across + ARCS + EDGE;
  return { width, height: bottom + 24, nodes, edges };
}

function inOneColumn(graph: Graph): Drawing {
  const nodes = graph.nodes.map((node, index) => {
    return { node, x: EDGE, y: EDGE + index * (NODE.height + GAP.down) };
  });
  const edges = placedEdges(graph, nodes, beside);
  const height = EDGE + nodes.length * (NODE.height + GAP.down);
  return { width: EDGE + NODE.width + ARCS + EDGE, height, nodes, edges };
}

type Line = Pick<PlacedEdge, "path" | "x" | "y">;

function placedEdges(
  graph: Graph,
  nodes: PlacedNode[],
  line: (from: PlacedNode, to: PlacedNode) => Line,
): PlacedEdge[] {
  const places = new Map(nodes.map((placed) => [placed.node.agent, placed]));
  return graph.edges.flatMap(({ from, to, count }) => {
    const source = places.get(from);
    const target = places.get(to);
    return source && target ? [{ key: JSON.stringify([from, to]), count, ...line(source, target) }] : [];
  });
}

/** To a later layer: from the right side to the left one. */
function across(from: PlacedNode, to: PlacedNode): Line {
  const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2 - 8];
  const [x2, y2] = [to.x - 5, to.y + NODE.height / 2 - 8];
  const middle = (x1 + x2) / 2;
  return { path: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, x: middle, y: (y1 + y2) / 2 };
}

/** Back to an earlier layer, or within one: from bottom to bottom. */
function below(from: PlacedNode, to: PlacedNode, bottom: number): Line {
  const [x1, y1] = [from.x + NODE.width / 2 + 14, from.y + NODE.height];
  const [x2, y2] = [to.x + NODE.width / 2 - 14, to.y + NODE.height + 5];
  const depth = Math.min(bottom, Math.max(y1, y2) + GAP.down);
  return {
    path: `M${x1} ${y1}C${x1} ${depth} ${x2} ${depth} ${x2} ${y2}`,
    x: (x1 + x2) / 2,
    y: (y1 + y2) / 8 + (depth * 3) / 4,
  };
}

/** In one column: an arc at the right side, the wider the further it leads. */
function beside(from: PlacedNode, to: PlacedNode): Line {
  const x = from.x + NODE.width;
  const isSelf = from === to;
  const y1 = from.y + NODE.height / 2 + (isSelf ? -14 : to.y > from.y ? 8 : -8);
  const y2 = to.y + NODE.height / 2 + (isSelf ? 14 : to.y > from.y ? -8 : 8);
  const reach = Math.min(ARCS * 1.1, 26 + Math.abs(y2 - y1) / 8);
  const path = `M${x} ${y1}C${x + reach} ${y1} ${x + reach} ${y2} ${x + 5} ${y2}`;
  return { path, x: x + reach * 0.75 + 4, y: (y1 + y2) / 2 };
}
