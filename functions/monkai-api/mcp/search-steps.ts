import { kindOf, toFoundStep } from "../domain/read-back.ts";
import { filters, searchFilters } from "../schemas/filters.ts";
import { line, listing, pageCut, pageEnd } from "./answer.ts";
import { limit, namespace } from "./arguments.ts";
import { momentsOf, timeRange } from "./time-range.ts";
import { tool } from "./tool.ts";

/** Where no `since` was sent, and there is no other page. */
const END_OF_A_WEEK = "That is all of the last 7 days. Send since to look further back.";

export const searchSteps = tool({
  name: "search_steps",
  title: "Search steps",
  description:
    "Finds steps (model calls, tool calls, handoffs, messages, log entries), newest first, with the beginning of the error and " +
    "of what was said. All filters can be combined. The last failure of a tool: tool_name, status=error, limit=1. Names must " +
    "be whole and exact: list_names has them. Read a step whole with read_steps, and what happened around it with read_tree.",
  input: () => {
    const {
      text,
      type,
      status,
      agent,
      model,
      tool_name,
      user_id,
      session_id,
      trace_id,
      min_duration_ms,
      cursor,
    } = searchFilters;
    return filters({
      status: status.describe("error: only failed ones."),
      type: type.describe("The kind of the step."),
      tool_name,
      agent,
      model,
      text: text.describe("Part of what was said, of the error, or of a name; without case."),
      user_id,
      session_id,
      trace_id,
      min_duration_ms,
      namespace: namespace(),
      ...timeRange("Without it, the last 7 days."),
      limit: limit(10, 25),
      cursor,
    });
  },
  async answer({ type, since, until, time_zone, ...query }, { store, now }) {
    const moments = momentsOf({ since, until, time_zone }, now);
    const found = await store.searchSteps({ ...query, ...moments, kind: type && kindOf(type) });
    const searched = found.searched_until ? ` Searched back to ${found.searched_until}, and no further.` : "";
    return listing({
      head: `Steps found: ${found.steps.length} on this page.${searched}`,
      rows: found.steps.map(toFoundStep),
      line: foundLine,
      end: found.next_cursor || since ? pageEnd(found.next_cursor) : END_OF_A_WEEK,
      cut: pageCut,
    });
  },
});

function foundLine(step: ReturnType<typeof toFoundStep>, bytes: number): string {
  const {
    id,
    type,
    status,
    started_at,
    duration_ms,
    trace_id,
    session_id,
    name,
    agent,
    error,
    preview,
    match,
  } = step;
  return line(
    {
      ids: { id, type, status, at: started_at, duration_ms, trace_id, session_id },
      names: { name, agent, namespace: step.namespace },
      texts: { error, match: match?.excerpt, said: preview },
    },
    bytes,
  );
}
