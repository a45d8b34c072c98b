import { useMemo } from "preact/hooks";
import { graphOf } from "../agents/graph.ts";
import { LoopList } from "../agents/loop-list.tsx";
import { Picture } from "../agents/picture.tsx";
import { AgentTable, HandoffTable } from "../agents/tables.tsx";
import { useLoops } from "../agents/use-loops.ts";
import { Count } from "../parts/figures.tsx";
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
