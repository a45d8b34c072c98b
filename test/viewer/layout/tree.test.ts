import { describe, expect, it } from "vitest";
import { graphOf } from "../../../viewer/agents/graph.ts";
import { candidatesOf, canonical, loopsAmong } from "../../../viewer/agents/loops.ts";
import { pairsOf } from "../../../viewer/compare/align.ts";
import type { Run, Skeleton } from "../../../viewer/run/run.ts";
import { branchesOf, rowsOf } from "../../../viewer/tree/outline.ts";
import { skeleton } from "./skeletons.ts";

const trace = (id: string, parent_trace_id: string | null, agent = id) => ({ id, parent_trace_id, agent });

function runOf(traces: Run["traces"], steps: Skeleton[]): Run {
  return { kind: "trace", id: "t", traces, steps, count: steps.length, isComplete: true };
}

const namesOf = (run: Run, closed: number[] = []) =>
  rowsOf(branchesOf(run), new Set(closed)).map((row) =>
    row.kind === "trace" ? `${row.depth} [${row.branch.trace.agent}]` : `${row.depth} ${row.step.name}`,
  );

describe("the outline", () => {
  const run = runOf(
    [trace("a", null), trace("b", "a"), trace("c", "a")],
    [
      skeleton({ trace_id: "a", name: "1" }),
      skeleton({ trace_id: "a", name: "2", type: "handoff", to_trace_id: "c" }),
      skeleton({ trace_id: "b", name: "3", status: "error" }),
      skeleton({ trace_id: "a", name: "4" }),
      skeleton({ trace_id: "c", name: "5" }),
    ],
  );

  it("puts a trace behind the handoff that opened it, and others where they began", () => {
    expect(namesOf(run)).toEqual(["0 [a]", "1 1", "1 2", "1 [c]", "2 5", "1 [b]", "2 3", "1 4"]);
  });

  it("hides what is within a closed trace, and says that something failed in it", () => {
    expect(namesOf(run, [1])).toEqual(["0 [a]", "1 1", "1 2", "1 [c]", "2 5", "1 [b]", "1 4"]);
    expect(branchesOf(run).map(({ figures, errorsBelow }) => [figures.errors, errorsBelow])).toEqual([
      [0, 1],
      [1, 0],
      [0, 0],
    ]);
  });

  it("stands 5,000 levels", () => {
    const traces = Array.from({ length: 5_000 }, (_, index) =>
      trace(`${index}`, index ? `${index - 1}` : null),
    );
    const steps = traces.map(({ id }) => skeleton({ trace_id: id, status: id === "4999" ? "error" : null }));
    const deep = runOf(traces, steps);
    expect(rowsOf(branchesOf(deep), new Set())).toHaveLength(10_000);
    expect(branchesOf(deep)[0]?.errorsBelow).toBe(1);
  });
});

describe("agents", () => {
  it("edges are the stored handoffs, each once, and those that lead nowhere are counted", () => {
    const run = runOf(
      [trace("1", null, "planner"), trace("2", "1", "researcher"), trace("3", "1", "writer")],
      [
        skeleton({ trace_id: "1", type: "handoff", to_trace_id: "2" }),
        skeleton({ trace_id: "2", agent: "researcher", type: "handoff", to_trace_id: "1" }),
        skeleton({ trace_id: "1", type: "handoff", to_trace_id: null, name: "nobody" }),
      ],
    );
    const { edges, lost, nodes } = graphOf(run);
    expect(edges).toEqual([
      { from: "planner", to: "researcher", count: 1 },
      { from: "researcher", to: "planner", count: 1 },
      { from: "planner", to: "writer", count: 1 },
    ]);
    expect(lost).toBe(1);
    expect(nodes.map(({ agent, layer }) => [agent, layer])).toEqual([
      ["planner", 0],
      ["researcher", 1],
      ["writer", 1],
    ]);
  });

  it("the same tool is a loop when its arguments are the same three times running, in any order of members", () => {
    const steps = Array.from({ length: 7 }, (_, index) => skeleton({ name: index === 3 ? "other" : "look" }));
    const candidates = candidatesOf(runOf([trace("trace-1", null)], steps));
    expect(candidates.map(({ length }) => length)).toEqual([3, 3]);
    const texts = [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
      { a: 1, b: [2] },
      {},
      { a: 1 },
      { a: 2 },
      { a: 1 },
    ].map(canonical);
    const known = new Map(steps.map(({ id }, index) => [id, texts[index] as string]));
    expect(loopsAmong(candidates, known).map(({ steps }) => steps.map(({ id }) => id))).toEqual([
      steps.slice(0, 3).map(({ id }) => id),
    ]);
    expect(loopsAmong(candidates, new Map())).toEqual([]);
  });
});

it("steps are compared by agent, type, name and occurrence; what is missing has its place", () => {
  const named = (...names: string[]) =>
    runOf(
      [],
      names.map((name) => skeleton({ name })),
    );
  const pairs = pairsOf(named("x", "y", "x", "only a"), named("new", "x", "x", "z", "y"));
  expect(pairs.map(({ a, b }) => [a?.name, b?.name])).toEqual([
    [undefined, "new"],
    ["x", "x"],
    ["y", "y"],
    ["x", "x"],
    [undefined, "z"],
    ["only a", undefined],
  ]);
});
