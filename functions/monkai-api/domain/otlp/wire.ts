import type { OtlpForm } from "./answers.ts";
import { readJson } from "./json-form.ts";
import { readProtobuf } from "./protobuf-form.ts";
import type { LogsData, ResourceLogs, ResourceSpans, TracesData } from "./wire-messages.ts";
import type { WireMessage } from "./wire-reader.ts";

export { type OtlpForm, writeAnswer, writeStatus } from "./answers.ts";
export { parseBody } from "./json-form.ts";
export { OtlpError } from "./otlp-error.ts";

/**
 * The spans of a body, in one normal form for both forms: all fields there, ids in lower-case hex, times as bigint, attributes
 * as pairs of a name and plain JSON that Postgres can store. Throws an OtlpError that names the place.
 */
export function readTraces(body: Uint8Array, form: OtlpForm): ResourceSpans[] {
  return (read(body, form, "TracesData") as unknown as TracesData).resourceSpans;
}

/** The log records of a body, in the same way. */
export function readLogs(body: Uint8Array, form: OtlpForm): ResourceLogs[] {
  return (read(body, form, "LogsData") as unknown as LogsData).resourceLogs;
}

function read(body: Uint8Array, form: OtlpForm, type: string): WireMessage {
  return form === "json" ? readJson(body, type) : readProtobuf(body, type);
}
