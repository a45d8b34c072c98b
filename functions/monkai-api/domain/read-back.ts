import type { LogEntry } from "../schemas/logs.ts";
import type { ConversationRecord } from "../schemas/records.ts";
import type { LogRow, RecordRow, StepRow } from "../store/queries.ts";
import { conversationOf } from "./conversation.ts";
import { withoutNulls } from "./json.ts";

const TRACE_TYPES = { llm: "llm_call", tool: "tool_call", handoff: "handoff" } as const;

/** A stored record as clients read it: a valid ConversationRecord, and the trace's own payload whole beside it. */
export function toConversationRecord({ type, content, ...columns }: RecordRow): ConversationRecord {
  if (type === "message") return withoutNulls({ msg: [], ...content, ...columns }) as ConversationRecord;
  const { from_agent: from, to_agent: to, reason, ...said } = content ?? {};
  // Content that was taken away takes the transfer with it.
  const transferred = type === "handoff" && from !== undefined;
  return withoutNulls({
    ...said,
    ...columns,
    msg: conversationOf(type, columns.agent, content ?? {}),
    transfers: transferred ? [withoutNulls({ from, to, reason, timestamp: columns.inserted_at })] : undefined,
    trace_type: TRACE_TYPES[type],
  }) as ConversationRecord;
}

/** A stored log entry as clients read it. */
export function toLogEntry({ content, ...columns }: LogRow): LogEntry {
  return withoutNulls({ message: "", ...content, ...columns }) as LogEntry;
}

/** A step of a trace as clients read it: its number and type, and then the record or the log entry that it is. */
export function toStep({ step_number, ...row }: StepRow): object {
  if (row.type === "log") {
    const { type, ...log } = row;
    return { step_number, type, ...toLogEntry(log) };
  }
  return {
    step_number,
    type: row.type === "message" ? "message" : TRACE_TYPES[row.type],
    ...toConversationRecord(row),
  };
}
