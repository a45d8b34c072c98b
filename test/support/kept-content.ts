import { isDeepStrictEqual } from "node:util";
import { userAndMetadata } from "../../functions/monkai-api/domain/external-user.ts";
import { isObject, type JsonObject, withoutNulls } from "../../functions/monkai-api/domain/json.ts";
import { parseTimestamp } from "../../functions/monkai-api/domain/timestamp.ts";
import { isAbsent } from "../../functions/monkai-api/schemas/common.ts";
import { LogUpload } from "../../functions/monkai-api/schemas/logs.ts";
import { RecordUpload } from "../../functions/monkai-api/schemas/records.ts";
import { HandoffStep, LlmStep, LogStepShape, ToolStep } from "../../functions/monkai-api/schemas/steps.ts";

/** What can be sent, by kind. */
export const SHAPES = {
  llm: LlmStep.shape,
  tool: ToolStep.shape,
  handoff: HandoffStep.shape,
  log: LogStepShape.shape,
  record: RecordUpload.shape,
  logEntry: LogUpload.shape,
};

export type Kind = keyof typeof SHAPES;

/** Where a step is stored its session decides; in which trace, all that is known of its tree; what was anonymized, the server. */
const NOT_COMPARED = ["namespace", "trace_id", "parent_trace_id", "anonymization_version"];

/** What of an accepted step must be in the row that is read back. */
export function keptContent(kind: Kind, sent: JsonObject): JsonObject {
  const known = Object.keys(SHAPES[kind]).filter((name) => !NOT_COMPARED.includes(name));
  const said = toldOutcome(kind, present(repaired(pick(sent, known))));
  if (kind === "log") return said.custom_object ? said : renamed(said, { metadata: "custom_object" });
  if (kind === "logEntry") return said;
  const whole: JsonObject = renamed(withoutNulls({ ...said, ...userAndMetadata(said) }), {
    timestamp: "inserted_at",
  });
  if (Array.isArray(whole.transfers)) whole.transfers = whole.transfers.map(keptTransfer);
  if (kind !== "handoff") return whole;
  const { from_agent: from, to_agent: to, reason, ...rest } = whole;
  return { ...rest, transfers: [withoutNulls({ from, to, reason })] };
}

/** How it went, in the one form in which that is read back. */
function toldOutcome(kind: Kind, { status, error, ...said }: JsonObject): JsonObject {
  const failed =
    error !== undefined || (kind === "tool" && isObject(said.result) && said.result.is_error === true);
  const told = status ?? (failed ? "error" : undefined);
  const whole = isObject(error)
    ? withoutNulls({ type: error.type, message: error.message })
    : { message: error };
  return { ...said, ...(told ? { status: told } : {}), ...(error === undefined ? {} : { error: whole }) };
}

/** The contract's fields of a transfer are never null; others are as they were sent. */
function keptTransfer({ from, to, reason, timestamp, ...others }: JsonObject): JsonObject {
  return { ...withoutNulls({ from, to, reason, timestamp }), ...others };
}

/** What the answer of an operation repeats of the request. */
const REPEATED: Record<string, string[]> = {
  registerNamespace: ["namespace"],
  createSession: ["namespace", "user_id", "inactivity_timeout", "metadata"],
  getOrCreateSession: ["namespace", "user_id"],
  putAnonymizationRules: ["rules"],
  createScore: ["trace_id", "session_id", "name", "value", "comment", "source"],
};

/** That, and what it must be. */
export function repeatedContent(operation: string, sent: JsonObject, answer: JsonObject): [unknown, unknown] {
  const wanted = pick(present(repaired(sent)), REPEATED[operation] ?? []);
  if (isObject(wanted.rules)) wanted.rules = wholeRules(wanted.rules);
  return [pick(answer, Object.keys(wanted)), wanted];
}

/** A member called `__proto__` is none that rules know. */
function wholeRules({ toggles = {}, custom = [] }: JsonObject): JsonObject {
  const known = Object.entries(withoutNulls(toggles ?? {})).filter(([name]) => name !== "__proto__");
  const rules = (custom ?? []) as JsonObject[];
  return {
    toggles: Object.fromEntries(known),
    custom: rules.map((rule) => pick(rule, ["name", "pattern", "replacement"])),
  };
}

/** What of a row is to be compared with that. A handoff's row has a time beside what was sent. */
export function readContent(row: JsonObject, kept: JsonObject, kind: Kind): JsonObject {
  const read = pick(row, Object.keys(kept));
  if (kind === "record") return { ...read, msg: sentMessages(row.msg, kept.msg) };
  if (kind !== "handoff" || !Array.isArray(row.transfers)) return read;
  return { ...read, transfers: row.transfers.map(({ timestamp: _, ...transfer }) => transfer) };
}

/** Messages as they were sent, if nothing of them is lost in those that are read: see `readableMessages`. */
function sentMessages(read: unknown, sent: unknown): unknown {
  if (!Array.isArray(read) || !Array.isArray(sent)) return read;
  return read.map((message, index) => {
    const { role: _, sender, content, ...rest } = message;
    const withoutRole = {
      ...rest,
      ...("content" in message ? { content } : {}),
      ...(sender ? { sender } : {}),
    };
    const ways = [
      content,
      withoutRole,
      { ...withoutRole, role: null },
      { ...without(withoutRole, "sender"), role: sender },
    ];
    return ways.find((way) => isDeepStrictEqual(way, sent[index])) ?? message;
  });
}

/** One form of what may be written in several: times. */
export function normalized(content: JsonObject): JsonObject {
  const times = ["timestamp", "inserted_at", "started_at"].filter((name) => name in content);
  return {
    ...content,
    ...Object.fromEntries(times.map((name) => [name, parseTimestamp(String(content[name]))])),
  };
}

function without(from: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(from).filter(([other]) => other !== name));
}

function present<Value>(value: Value): Value {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([name, member]) => !isAbsent(name, member)),
  ) as Value;
}

/** Halves of surrogate pairs become U+FFFD, as every UTF-8 encoder has it. */
export function repaired<Value>(value: Value): Value {
  if (value === undefined) return value;
  return JSON.parse(JSON.stringify(value), (_, member) =>
    typeof member === "string" ? member.toWellFormed() : member,
  );
}

function pick(from: JsonObject, names: string[]): JsonObject {
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(from, name)).map((name) => [name, from[name]]),
  );
}

function renamed(from: JsonObject, names: Record<string, string>): JsonObject {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [names[name] ?? name, value]));
}
