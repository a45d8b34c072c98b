import type { JsonObject } from "../json.ts";
import type { StepError, StepStatus } from "../step.ts";
import { tokenColumns } from "../token-usage.ts";
import {
  type Reading,
  timeToFirstToken,
  toldContent,
  toldStatus,
  toldText,
  toldUsage,
} from "./attributes.ts";
import type { Meaning } from "./dialects/dialect.ts";
import { present } from "./present.ts";
import type { OtlpKind } from "./step.ts";

export const LONGEST_SESSION = 512;
export const LONGEST_NAME = 256;

/** Whose a step is, as far as it says so itself. */
export function whoseOf(reading: Reading) {
  return {
    session_id: toldText(reading, "session", LONGEST_SESSION),
    user_id: toldText(reading, "user", LONGEST_NAME),
  };
}

/** What the attributes tell of a step of each kind: its columns, and its content without the metadata. */
export function toldOf({ kind, operation, hasInputOfCall }: Meaning, reading: Reading, start: bigint) {
  if (kind === "llm") return llmCall(reading, operation, start);
  if (kind === "tool") return toolCall(reading);
  if (kind === "agent") return agentRun(reading);
  return { columns: {}, content: { ...around(reading), has_input_of_call: hasInputOfCall } };
}

function llmCall(reading: Reading, operation: string | undefined, start: bigint) {
  const [system, input, output] = [
    toldContent(reading, "system"),
    toldContent(reading, "input"),
    toldContent(reading, "output"),
  ];
  const usage = toldUsage(reading);
  return {
    columns: { model: toldText(reading, "model"), ...tokenColumns(usage ?? {}) },
    content: {
      operation: toldText(reading, "operation") ?? operation,
      provider: toldText(reading, "provider"),
      system_instructions: system,
      input,
      output,
      usage,
      time_to_first_token_ms: timeToFirstToken(reading, start),
    },
  };
}

function toolCall(reading: Reading) {
  return {
    columns: present({ name: toldText(reading, "tool") }),
    content: {
      arguments: toldContent(reading, "arguments"),
      result: toldContent(reading, "result"),
      call_id: toldText(reading, "callId"),
    },
  };
}

function agentRun(reading: Reading) {
  return {
    columns: { agent: toldText(reading, "agent", LONGEST_NAME) },
    content: { ...around(reading), agent_id: toldText(reading, "agentId") },
  };
}

/** Agents, chains and the like repeat the tokens of the calls within: no columns. */
function around(reading: Reading): JsonObject {
  return {
    input: toldContent(reading, "input"),
    output: toldContent(reading, "output"),
    usage: toldUsage(reading),
  };
}

/** What is told of the end of a step outside of its attributes. */
export interface Ended {
  status?: StepStatus;
  message?: string;
}

/** How a step ended. What failed tells why: in its status, in attributes, or in the exception that it recorded. */
export function outcomeOf(
  kind: OtlpKind,
  reading: Reading,
  ended: Ended,
): { status?: StepStatus; error?: StepError } {
  const told = ended.status === "error" ? "error" : (toldStatus(reading) ?? ended.status);
  const isFailed = told === "error" || (told === undefined && Boolean(reading.attributes.get("error.type")));
  if (!isFailed || kind === "log") return { status: told };
  const exception = exceptionOf(reading);
  const type = toldText(reading, "errorType") ?? exception.type;
  const message = ended.message || (toldText(reading, "errorMessage") ?? exception.message ?? type);
  if (message === undefined) return { status: "error" };
  return { status: "error", error: { ...(type === undefined ? {} : { type }), message } };
}

function exceptionOf({ events }: Reading): { type?: string; message?: string } {
  const told = new Map(events.findLast(({ name }) => name === "exception")?.attributes);
  const [type, message] = [told.get("exception.type"), told.get("exception.message")];
  return {
    type: typeof type === "string" && type !== "" ? type : undefined,
    message: typeof message === "string" ? message : undefined,
  };
}
