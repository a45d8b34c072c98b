import { logSteps } from "../../functions/monkai-api/domain/otlp/log-records.ts";
import { messagesOf } from "../../functions/monkai-api/domain/otlp/messages.ts";
import { ingestSteps } from "../../functions/monkai-api/domain/otlp/openai-agents.ts";
import { spanSteps } from "../../functions/monkai-api/domain/otlp/spans.ts";
import type { OtlpStep, OtlpSteps } from "../../functions/monkai-api/domain/otlp/step.ts";
import {
  type OtlpForm,
  parseBody,
  readLogs,
  readTraces,
} from "../../functions/monkai-api/domain/otlp/wire.ts";
import { type RecordedRequest, requestsOf } from "./otlp-recordings.ts";

/** The steps of a request, without a server. */
export function stepsOfRequest({ path, headers, body }: RecordedRequest): OtlpSteps {
  if (path.endsWith("/ingest")) return ingestSteps(parseBody(body));
  const form: OtlpForm = headers["content-type"]?.includes("json") ? "json" : "protobuf";
  return path.endsWith("/logs") ? logSteps(readLogs(body, form)) : spanSteps(readTraces(body, form));
}

/** All steps of a recording. Metrics are not taken. */
export function stepsOfRecording(recording: string): OtlpStep[] {
  const requests = requestsOf(recording).filter(({ path }) => !path.endsWith("/metrics"));
  return requests.flatMap((request) => stepsOfRequest(request).steps);
}

/** The conversation that a model call is read back with. */
export function saidIn({ content }: OtlpStep) {
  const { system_instructions: system, input, output } = content;
  return messagesOf({ system, input, output });
}

/** An attribute's value as OTLP's JSON has it. */
export function anyValue(value: unknown): object {
  if (value === null) return {};
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "bigint") return { intValue: String(value) };
  if (typeof value === "number") return { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: keyValues(value as object) } };
}

export function keyValues(members: object): object[] {
  return Object.entries(members).map(([key, value]) => ({ key, value: anyValue(value) }));
}

export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
export const SPAN_ID = "b7ad6b7169203331";

/** A body with one span, as OTLP's JSON has it. */
export function traceOf(attributes: object, span: object = {}, resource: object = {}): object {
  const sent = {
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    name: "a span",
    startTimeUnixNano: "1795273220149000000",
    endTimeUnixNano: "1795273220249000000",
    attributes: keyValues(attributes),
    ...span,
  };
  return {
    resourceSpans: [{ resource: { attributes: keyValues(resource) }, scopeSpans: [{ spans: [sent] }] }],
  };
}

/** A body with one log record. */
export function logOf(attributes: object, record: object = {}): object {
  const sent = { timeUnixNano: "1795273220149000000", attributes: keyValues(attributes), ...record };
  return { resourceLogs: [{ scopeLogs: [{ logRecords: [sent] }] }] };
}

export function bytesOf(body: unknown): Uint8Array {
  return new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
}

export function spanStepsOf(body: unknown): OtlpSteps {
  return spanSteps(readTraces(bytesOf(body), "json"));
}

export function logStepsOf(body: unknown): OtlpSteps {
  return logSteps(readLogs(bytesOf(body), "json"));
}

/** The step of a body with one span. */
export function spanStepOf(attributes: object, span: object = {}, resource: object = {}): OtlpStep {
  return spanStepsOf(traceOf(attributes, span, resource)).steps[0] as OtlpStep;
}

/** The step of a body with one log record. */
export function logStepOf(attributes: object, record: object = {}): OtlpStep {
  return logStepsOf(logOf(attributes, record)).steps[0] as OtlpStep;
}
