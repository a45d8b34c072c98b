import { conversationOf } from "./conversation.ts";
import { type JsonObject, withoutNulls } from "./json.ts";
import { readableMessages } from "./message.ts";
import type { NumberedRow, StepRow } from "./step.ts";

/** What the published APIs call the kinds of steps. */
const PUBLISHED = {
  llm: "llm_call",
  tool: "tool_call",
  handoff: "handoff",
  message: "message",
  log: "log",
} as const;

/**
 * A step as clients read it: a valid ConversationRecord, and beside it all that was sent of the step. A column without a
 * value is absent, because the contract's fields are never null; what was said comes back as it was said, nulls included.
 */
export function toConversationRecord(row: StepRow): JsonObject {
  const { kind, name, occurred_at, content, ...columns } = row;
  const said = { ...content, ...withoutNulls(columns), inserted_at: occurred_at };
  if (kind === "message") return { ...said, msg: readableMessages(content?.msg ?? []) };
  const read = { ...said, msg: conversationOf(row), trace_type: PUBLISHED[kind] };
  if (kind === "tool") return { ...read, ...withoutNulls({ tool_name: name }) };
  return kind === "handoff" ? withTransfer(read) : read;
}

/** The transfer goes with the content when that is taken away. */
function withTransfer({ from_agent: from, to_agent: to, reason, ...record }: JsonObject): JsonObject {
  if (from === undefined) return record;
  return { ...record, transfers: [withoutNulls({ from, to, reason, timestamp: record.inserted_at })] };
}

/** A log entry as clients read it. */
export function toLogEntry({ kind: _, name: __, occurred_at, content, ...columns }: StepRow): JsonObject {
  return { message: "", ...content, ...withoutNulls(columns), timestamp: occurred_at };
}

/** A step of a trace as clients read it: its number and type, and then the record or the log entry that it is. */
export function toNumberedStep({ step_number, ...row }: NumberedRow): JsonObject {
  const read = row.kind === "log" ? toLogEntry(row) : toConversationRecord(row);
  return { step_number, type: PUBLISHED[row.kind], ...read };
}
