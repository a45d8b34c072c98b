import type { TraceRow } from "../store/queries.ts";

/**
 * The tree of a list of traces as JSON: each trace with its `children`, in the order of the list. Written without
 * recursion: a tree may be as deep as it has traces.
 */
export function treeJson(traces: TraceRow[]): string {
  const children = Map.groupBy(traces, ({ parent_trace_id }) => parent_trace_id);
  const pieces: string[] = [];
  const open: { waiting: TraceRow[]; next: number }[] = [{ waiting: children.get(null) ?? [], next: 0 }];
  for (let level = open.at(-1); level; level = open.at(-1)) {
    const trace = level.waiting[level.next];
    if (!trace) {
      open.pop();
      if (open.length > 0) pieces.push("]}");
      continue;
    }
    if (level.next > 0) pieces.push(",");
    level.next += 1;
    pieces.push(JSON.stringify(trace).slice(0, -1), ',"children":[');
    open.push({ waiting: children.get(trace.id) ?? [], next: 0 });
  }
  return pieces.join("");
}
