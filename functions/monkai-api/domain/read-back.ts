import { conversationOf } from "./conversation.ts";
import { type JsonObject, withoutNulls } from "./json.ts";
import { readableMessages } from "./message.ts";
import type { FoundRow, NumberedRow, SkeletonRow, StepMatch, StepRow } from "./step.ts";

/** What the published APIs call the kinds of steps; those of spans have no other name. */
const PUBLISHED = {
  agent: "agent",
  span: "span",
  llm: "llm_call",
  tool: "tool_call",
  handoff: "handoff",
  message: "message",
  log: "log",
} as const;

type PublishedType = (typeof PUBLISHED)[keyof typeof PUBLISHED];

const KINDS = Object.fromEntries(Object.entries(PUBLISHED).map(([kind, type]) => [type, kind])) as Record<
  PublishedType,
  StepRow["kind"]
>;

/**
 * A step as clients read it: a valid ConversationRecord, and beside it all that was sent of the step. A column without a
 * value is absent, because the contract's fields are never null; what was said comes back as it was said, nulls included.
 */
export function toConversationRecord(stored: StepRow): JsonObject {
  const row = withMessages(stored);
  const { kind, name, occurred_at, is_span, user_id: _, messages: __, content, ...columns } = row;
  const { has_input_of_call: ___, ...told } = content ?? {};
  const said = { ...userOf(row), ...told, ...withoutNulls(columns), inserted_at: occurred_at };
  if (kind === "message") return { ...said, msg: readableMessages(content?.msg ?? []) };
  const read = { ...said, msg: conversationOf(row), trace_type: PUBLISHED[kind] };
  if (is_span && (kind === "agent" || kind === "span")) return { ...read, name };
  if (kind === "tool") return { ...read, ...withoutNulls({ tool_name: name }) };
  return kind === "handoff" ? withTransfer(read) : read;
}

/** The user of a span, who may be known from its tree alone. Of other steps, the content says whom their sender told. */
function userOf({ is_span, user_id }: StepRow): JsonObject {
  return is_span && user_id !== null ? { external_user_id: user_id } : {};
}

/** The transfer goes with the content when that is taken away. */
function withTransfer({ from_agent: from, to_agent: to, reason, ...record }: JsonObject): JsonObject {
  if (from === undefined) return record;
  return { ...record, transfers: [withoutNulls({ from, to, reason, timestamp: record.inserted_at })] };
}

/** A model call with what log records tell of it, where its span does not say that itself. */
function withMessages(row: StepRow): StepRow {
  if (!row.messages?.length || !row.content) return row;
  const told = row.messages.flat();
  const side = (wanted: string) => {
    const messages = told.filter((message) => message.side === wanted).map(({ message }) => message);
    return messages.length > 0 ? messages : undefined;
  };
  return { ...row, content: { input: side("input"), output: side("output"), ...row.content } };
}

/** A log entry as clients read it. What it tells of a model call is in its `custom_object`, too. */
export function toLogEntry(row: StepRow): JsonObject {
  const {
    kind: _,
    name: __,
    occurred_at,
    is_span: ___,
    user_id: ____,
    messages: _____,
    content,
    ...columns
  } = row;
  const { messages_of_call: ______, ...said } = content ?? {};
  return { message: "", ...userOf(row), ...said, ...withoutNulls(columns), timestamp: occurred_at };
}

/** A step of a trace as clients read it: its number and type, and then the record or the log entry that it is. */
export function toNumberedStep({ step_number, ...row }: NumberedRow): JsonObject {
  return { step_number, ...toTypedStep(row) };
}

/** A step as clients read it: its type, and then the record or the log entry that it is. */
export function toTypedStep(row: StepRow): JsonObject {
  const read = row.kind === "log" ? toLogEntry(row) : toConversationRecord(row);
  return { type: PUBLISHED[row.kind], ...read };
}

/** A skeleton as clients read it. */
export function toSkeleton({ id, trace_id, step_number, kind, ...row }: SkeletonRow) {
  return { id, trace_id, step_number, type: PUBLISHED[kind], ...row };
}

/** The kind that the published APIs call so. */
export function kindOf(type: PublishedType): StepRow["kind"] {
  return KINDS[type];
}

/** A step that a search has found, as clients read it. */
export function toFoundStep({ id, trace_id, step_number, kind, match, ...row }: FoundRow) {
  const found = match && { match: toMatch(match) };
  return { id, trace_id, step_number, type: PUBLISHED[kind], ...row, ...found };
}

/** The place of a text, in one line. */
function toMatch({ field, before, found, after }: StepMatch) {
  const begin = inOneLine(before);
  const middle = inOneLine(found);
  const at: [number, number] = [begin.length, begin.length + middle.length];
  return { field, excerpt: begin + middle + inOneLine(after), at };
}

function inOneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
