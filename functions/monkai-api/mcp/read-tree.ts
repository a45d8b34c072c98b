import * as z from "zod";
import { toSkeleton } from "../domain/read-back.ts";
import { ApiError } from "../errors.ts";
import { filters } from "../schemas/filters.ts";
import type { LinkedTrace, SkeletonList } from "../store/queries.ts";
import type { StoreRequest } from "../store/store-request.ts";
import { bytesOf, line, listing, pageCut, pageEnd } from "./answer.ts";
import { cursor, limit } from "./arguments.ts";
import { tool } from "./tool.ts";

type Skeleton = ReturnType<typeof toSkeleton>;

interface Input {
  trace_id?: string;
  session_id?: string;
  limit: number;
  cursor?: string;
}

export const readTree = tool({
  name: "read_tree",
  title: "Read what happened, step by step",
  description:
    "Lists the steps of a whole execution in the order in which they happened, one line each, with the trace (an agent's part " +
    "in it) that they belong to. Send the trace_id of any step of it, or a session_id for all that happened in a session. " +
    "Long ones come page by page; the failed steps of one alone: search_steps with session_id or trace_id and status=error. " +
    "Read a step whole with read_steps.",
  input: () =>
    filters({
      trace_id: z.string().optional().describe("The tree that this trace is in."),
      session_id: z.string().optional().describe("Instead of a trace_id."),
      limit: limit(25, 40),
      cursor: cursor(),
    }),
  async answer(input, { store }) {
    const { traces, steps, count, next_cursor } = await skeletons(input, store);
    const byId = new Map(traces.map((trace) => [trace.id, trace]));
    let last: string | undefined;
    return listing({
      head: `Steps: ${count}, of which ${steps.length} on this page. Traces: ${traces.length}.`,
      rows: steps.map(toSkeleton),
      line: (step, bytes) => {
        const header = step.trace_id === last ? "" : `${traceLine(byId.get(step.trace_id), step.trace_id)}\n`;
        last = step.trace_id;
        return header + stepLine(step, bytes - bytesOf(header));
      },
      end: pageEnd(next_cursor),
      cut: pageCut,
    });
  },
});

async function skeletons(
  { trace_id, session_id, ...page }: Input,
  store: StoreRequest,
): Promise<SkeletonList> {
  if ((trace_id === undefined) === (session_id === undefined)) {
    throw new ApiError("invalid_payload", "Send either a trace_id or a session_id.");
  }
  const { data } =
    trace_id === undefined
      ? await store.listSessionSteps({ session_id: session_id as string, ...page })
      : await store.listTraceSteps({ trace_id, scope: "tree", ...page });
  return data as SkeletonList;
}

function traceLine(trace: LinkedTrace | undefined, id: string): string {
  return line({ ids: { trace: id, parent: trace?.parent_trace_id }, names: { agent: trace?.agent } });
}

function stepLine(step: Skeleton, bytes: number): string {
  const { step_number, type, status, started_at, duration_ms, id, error, preview, agent, name, cost } = step;
  const failed = status === "error" ? status : undefined;
  return line(
    {
      ids: {
        step: step_number,
        type,
        status: failed,
        at: started_at,
        duration_ms,
        id,
        to_trace: step.to_trace_id,
      },
      names: {
        name,
        agent: name === null ? agent : undefined,
        cost: cost && `${cost.amount}${cost.currency}`,
      },
      texts: { error, said: preview },
    },
    bytes,
  );
}
