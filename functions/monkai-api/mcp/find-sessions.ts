import * as z from "zod";
import { agentName, MEASURED, userId } from "../schemas/common.ts";
import { filters } from "../schemas/filters.ts";
import type { ListedSession } from "../store/sessions.ts";
import { line, listing, pageCut, pageEnd } from "./answer.ts";
import { cursor, limit, namespace } from "./arguments.ts";
import { momentsOf, timeRange } from "./time-range.ts";
import { tool } from "./tool.ts";

export const findSessions = tool({
  name: "find_sessions",
  title: "Find sessions",
  description:
    "Finds sessions (conversations of agents with a user), the latest activity first, with their figures, agents, cost, and " +
    "first and last message. Read what happened in one with read_tree. Sessions in which a tool was called: search_steps with " +
    "tool_name, which tells the session of each step.",
  input: () =>
    filters({
      status: z.enum(["ok", "error"]).optional().describe("error: a step has failed in it. ok: none has."),
      agent: agentName.optional(),
      model: z.string().optional(),
      user_id: userId.optional(),
      text: z
        .string()
        .max(200, MEASURED)
        .optional()
        .describe("Something that was said in it, in the last 7 days unless there is a since."),
      namespace: namespace(),
      ...timeRange("Compared with the last activity. Without it, all time."),
      limit: limit(10, 25),
      cursor: cursor(),
    }),
  async answer({ since, until, time_zone, ...query }, { store, now }) {
    const { data } = await store.listSessions({ ...query, ...momentsOf({ since, until, time_zone }, now) });
    const { rows = [], count = 0, count_is_at_least, next_cursor } = data ?? {};
    return listing({
      head: `Sessions: ${count_is_at_least ? "at least " : ""}${count}, of which ${rows.length} on this page.`,
      rows,
      line: sessionLine,
      end: pageEnd(next_cursor),
      cut: pageCut,
    });
  },
});

function sessionLine(session: ListedSession, bytes: number): string {
  const { session_id, last_activity_at, step_count, error_count, duration_ms, cost } = session;
  return line(
    {
      ids: {
        session_id,
        last_activity: last_activity_at,
        steps: step_count,
        errors: error_count,
        duration_ms,
        cost: cost.amount && `${cost.amount}${cost.currency}`,
      },
      names: {
        namespace: session.namespace,
        user: session.user_id,
        agents: session.agents.join(","),
        models: session.models.join(","),
      },
      texts: { first: session.first_message, last: session.last_message },
    },
    bytes,
  );
}
