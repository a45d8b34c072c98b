import { userAndMetadata } from "../../functions/monkai-api/domain/external-user.ts";
import { isObject, type JsonObject, withoutNulls } from "../../functions/monkai-api/domain/json.ts";
import { parseTimestamp } from "../../functions/monkai-api/domain/timestamp.ts";
import { isAbsent } from "../../functions/monkai-api/schemas/common.ts";
import { LogUpload } from "../../functions/monkai-api/schemas/logs.ts";
import { RecordUpload } from "../../functions/monkai-api/schemas/records.ts";
import { HandoffStep, LlmStep, LogStepShape, ToolStep } from "../../functions/monkai-api/schemas/steps.ts";

const SHAPES = {
  llm: LlmStep.shape,
  tool: ToolStep.shape,
  handoff: HandoffStep.shape,
  log: LogStepShape.shape,
  record: RecordUpload.shape,
  logEntry: LogUpload.shape,
};

export type Kind = keyof typeof SHAPES;

/** Where a trace is stored its session decides; and what of it was anonymized, the server. */
const NOT_COMPARED = ["namespace", "trace_id", "parent_trace_id", "anonymization_version"];

/** What of an accepted item must be in the row that is read back. */
export function keptContent(kind: Kind, sent: JsonObject): JsonObject {
  const known = Object.keys(SHAPES[kind]).filter((name) => !NOT_COMPARED.includes(name));
  const said = present(repaired(pick(sent, known)));
  if (kind === "log") return renamed(said, { metadata: "custom_object" });
  if (kind === "logEntry") return said;
  const whole: JsonObject = withoutNulls({ ...said, ...userAndMetadata(said) });
  const { from_agent: from, to_agent: to, reason, ...rest } = whole;
  if (kind !== "handoff") return renamed(rest, { timestamp: "inserted_at" });
  return renamed({ ...rest, transfers: [withoutNulls({ from, to, reason })] }, { timestamp: "inserted_at" });
}

/** What the answer of an operation repeats of the request. */
const REPEATED: Record<string, string[]> = {
  registerNamespace: ["namespace"],
  createSession: ["namespace", "user_id", "inactivity_timeout", "metadata"],
  getOrCreateSession: ["namespace", "user_id"],
  putAnonymizationRules: ["rules"],
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
  if (kind !== "handoff" || !Array.isArray(row.transfers)) return read;
  return { ...read, transfers: row.transfers.map(({ timestamp: _, ...transfer }) => transfer) };
}

/** One form of what may be written in several: times, and null members of messages and transfers. */
export function normalized({ msg, transfers, ...content }: JsonObject): JsonObject {
  const times = ["timestamp", "inserted_at"].filter((name) => name in content);
  return {
    ...content,
    ...Object.fromEntries(times.map((name) => [name, parseTimestamp(String(content[name]))])),
    ...(msg === undefined ? {} : { msg: Array.isArray(msg) ? msg.map(withoutNulls) : withoutNulls(msg) }),
    ...(Array.isArray(transfers) ? { transfers: transfers.map(present) } : {}),
  };
}

function present<Value>(value: Value): Value {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([name, member]) => !isAbsent(name, member)),
  ) as Value;
}

/** Halves of surrogate pairs become U+FFFD, as every UTF-8 encoder has it. */
export function repaired<Value>(value: Value): Value {
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
