/** A trace: SOAT's members, then our own. */
export interface TraceRow {
  id: string;
  project_id: string;
  agent_id: string;
  /** Null while it has no step. */
  file_id: string | null;
  step_count: number;
  /** Both null for a root. */
  parent_trace_id: string | null;
  root_trace_id: string | null;
  created_at: string;
  namespace: string;
  agent: string;
  session_id: string | null;
  content_redacted_at: string | null;
  /** By the name of the scores of the trace and its steps. */
  scores: Record<string, { count: number; average: number | null }>;
}

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
