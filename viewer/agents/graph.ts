import { type Figures, figuresOf, isError, type Run, type Skeleton, traceOf } from "../run/run.ts";
import { timeOf } from "../tree/time.ts";

/** An agent in a run, with all its steps. */
export interface AgentNode {
  agent: string;
  /** How many handoffs away from where the run began. */
  layer: number;
  traces: number;
  steps: Skeleton[];
  figures: Figures;
  /** From its first step to its last. Milliseconds; null: not told. */
  milliseconds: number | null;
  firstError: Skeleton | undefined;
}

/** How often one agent handed over to another, or opened a trace of it. */
export interface Edge {
  from: string;
  to: string;
  count: number;
}

export interface Graph {
  nodes: AgentNode[];
  edges: Edge[];
  /** Handoffs of which it is not stored where they led. */
  lost: number;
}

/** Who worked in a run and who called whom, by what is stored: nothing is guessed from times. */
export function graphOf(run: Run): Graph {
  const edges = new Map<string, Edge>();
  const opened = new Set<string>();
  let lost = 0;
  const count = (from: string, to: string) => {
    const key = JSON.stringify([from, to]);
    const edge = edges.get(key) ?? { from, to, count: 0 };
    edges.set(key, { ...edge, count: edge.count + 1 });
  };
  for (const step of run.steps) {
    if (step.type !== "handoff") continue;
    const target = step.to_trace_id === null ? undefined : traceOf(run, step.to_trace_id);
    if (!target) {
      lost += 1;
      continue;
    }
    const source = traceOf(run, step.trace_id);
    if (target.parent_trace_id === step.trace_id) opened.add(target.id);
    count(source?.agent ?? nameOf(run, step), target.agent);
  }
  for (const { id, parent_trace_id, agent } of run.traces) {
    const parent = parent_trace_id === null ? undefined : traceOf(run, parent_trace_id);
    if (parent && !opened.has(id)) count(parent.agent, agent);
  }
  return { nodes: nodesOf(run), edges: [...edges.values()], lost };
}

/** In the order in which they appear. */
function nodesOf(run: Run): AgentNode[] {
  const layers = new Map<string, number>();
  const traces = new Map<string, number>();
  for (const { parent_trace_id, agent } of run.traces) {
    traces.set(agent, (traces.get(agent) ?? 0) + 1);
    if (layers.has(agent)) continue;
    const parent = parent_trace_id === null ? undefined : traceOf(run, parent_trace_id);
    layers.set(agent, parent ? (layers.get(parent.agent) ?? 0) + 1 : 0);
  }
  const steps = Map.groupBy(run.steps, (step) => nameOf(run, step));
  for (const agent of steps.keys()) if (!layers.has(agent)) layers.set(agent, 0);
  return [...layers].map(([agent, layer]) => {
    const own = steps.get(agent) ?? [];
    return {
      agent,
      layer,
      traces: traces.get(agent) ?? 0,
      steps: own,
      figures: figuresOf(own),
      milliseconds: timeOf(own),
      firstError: own.find(isError),
    };
  });
}

/** Whose step it is: that of its trace, where it names nobody. */
function nameOf(run: Run, step: Skeleton): string {
  return step.agent ?? traceOf(run, step.trace_id)?.agent ?? "no agent";
}
