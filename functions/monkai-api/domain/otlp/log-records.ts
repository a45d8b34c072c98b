import type { JsonObject } from "../json.ts";
import { earlier } from "../timestamp.ts";
import { eventMeaning, leftAttributes, type Reading, readingOf, toldText } from "./attributes.ts";
import { outcomeOf, toldOf, whoseOf } from "./call.ts";
import { messagesOfCall } from "./call-messages.ts";
import type { Meaning } from "./dialects/dialect.ts";
import { idOf, SPAN_ID_DIGITS, TRACE_ID_DIGITS } from "./ids.ts";
import { levelOf } from "./level.ts";
import { momentIfTold } from "./moment.ts";
import { LONGEST_NAMESPACE, type Origin, originsOf } from "./origin.ts";
import { collectSteps } from "./outcome.ts";
import { present, telling } from "./present.ts";
import { roomOfRequest } from "./shared.ts";
import type { OtlpStep, OtlpSteps } from "./step.ts";
import { statusOfSuccess } from "./success.ts";
import type { LogRecord, ResourceLogs } from "./wire-messages.ts";

/**
 * Each log record as a step: a log entry, or the call that a coding agent tells of by an event. None is rejected: ids that
 * cannot be are kept in the content.
 */
export function logSteps(logs: ResourceLogs[]): OtlpSteps {
  return collectSteps(recordsOf(logs), recordStep);
}

interface FoundRecord {
  record: LogRecord;
  origin: Origin;
  fingerprint: string;
}

function* recordsOf(all: ResourceLogs[]): Generator<FoundRecord> {
  const counts = new Map<string, number>();
  const room = roomOfRequest();
  for (const ofResource of all) {
    const originOf = originsOf(ofResource, room);
    for (const ofScope of ofResource.scopeLogs) {
      const origin = originOf(ofScope);
      for (const record of ofScope.logRecords) {
        yield { record, origin, fingerprint: fingerprintOf(record, origin.digest, counts) };
      }
    }
  }
}

/** Equal records are numbered: those of a repetition have the same numbers. */
function fingerprintOf(record: LogRecord, origin: string, counts: Map<string, number>): string {
  const { timeUnixNano, observedTimeUnixNano, ...said } = record;
  const told = `${origin} ${timeUnixNano},${observedTimeUnixNano}${JSON.stringify(Object.entries(said))}`;
  const number = (counts.get(told) ?? 0) + 1;
  counts.set(told, number);
  return `${number} ${told}`;
}

function recordStep({ record, origin, fingerprint }: FoundRecord): OtlpStep {
  const reading = readingOf(record.attributes);
  const eventNames = eventNamesOf(record, reading);
  const common = {
    namespace: toldText(reading, "namespace", LONGEST_NAMESPACE) ?? origin.namespace,
    ...whoseOf(reading),
    fingerprint,
    occurred_at: momentIfTold(record.timeUnixNano || record.observedTimeUnixNano),
  };
  const isWithin = isWithinSpan(record);
  const found = eventNames.map((name) => ({ name, meaning: eventMeaning(name, reading, isWithin) }));
  const call = found.find(({ meaning }) => meaning !== undefined);
  const step =
    call?.meaning && common.session_id !== undefined
      ? callStep(record, reading, origin, { name: call.name, meaning: call.meaning })
      : logEntry(record, reading, origin, eventNames);
  return present({ ...common, ...step });
}

const SAMPLED = 1;

/** Whether it was written within a span that its client sends too. */
function isWithinSpan({ traceId, spanId, flags }: LogRecord): boolean {
  const hasIds = idOf(traceId, TRACE_ID_DIGITS) !== undefined && idOf(spanId, SPAN_ID_DIGITS) !== undefined;
  return hasIds && (flags & SAMPLED) !== 0;
}

/** An event's name stands in its own field, in older ones in an attribute, and Claude Code's whole name in the body. */
function eventNamesOf({ eventName, body }: LogRecord, { attributes }: Reading): string[] {
  const names = [eventName, attributes.get("event.name"), body];
  return names.filter((name): name is string => typeof name === "string" && name !== "");
}

function logEntry(record: LogRecord, reading: Reading, origin: Origin, [eventName]: string[]) {
  const [traceId, spanId] = [idOf(record.traceId, TRACE_ID_DIGITS), idOf(record.spanId, SPAN_ID_DIGITS)];
  const messages = traceId && spanId ? messagesOfCall(eventName, record.body, reading) : [];
  return {
    kind: "log" as const,
    level: levelOf(record.severityNumber, record.severityText),
    otel_trace_id: traceId,
    parent_span_id: traceId && spanId,
    messages_of_call: messages.length > 0 ? messages : undefined,
    content: { message: messageOf(record.body, eventName), custom_object: restOf(record, reading, origin) },
  };
}

/** A text as it is, a structure as its JSON; where there is none, what happened. */
function messageOf(body: LogRecord["body"], eventName = ""): string {
  if (body === undefined || body === null) return eventName;
  return typeof body === "string" ? body : JSON.stringify(body);
}

/** The call that an event tells of, in the session that it names, which is its tree. It ended when it was told. */
function callStep(
  record: LogRecord,
  reading: Reading,
  origin: Origin,
  { name, meaning }: { name: string; meaning: Meaning },
) {
  const ended = record.timeUnixNano || record.observedTimeUnixNano;
  const latency_ms = durationOf(reading);
  const { columns, content } = toldOf(meaning, reading, ended);
  const status = meaning.status ?? statusOfSuccess(reading.attributes.get("success"));
  const outcome = outcomeOf(meaning.kind, reading, { status });
  const occurred_at = momentIfTold(ended);
  return {
    kind: meaning.kind,
    name,
    started_at: occurred_at && (latency_ms === undefined ? occurred_at : earlier(occurred_at, latency_ms)),
    latency_ms,
    ...outcome,
    ...columns,
    content: present({
      ...content,
      metadata: { ...telling({ body: record.body }), ...restOf(record, reading, origin) },
    }),
  };
}

function durationOf({ attributes }: Reading): number | undefined {
  const told = attributes.get("duration_ms");
  const duration = typeof told === "string" && told !== "" ? Number(told) : told;
  if (typeof duration !== "number" || !(duration >= 0 && duration < 1e12)) return undefined;
  return Math.round(duration);
}

function restOf(record: LogRecord, reading: Reading, { metadata }: Origin): JsonObject {
  return {
    ...leftAttributes(reading),
    ...telling({
      event_name: record.eventName,
      severity_number: record.severityNumber,
      severity_text: record.severityText,
      observed_at: momentIfTold(record.observedTimeUnixNano),
      trace_id: record.traceId,
      span_id: record.spanId,
      flags: record.flags,
      dropped_attributes_count: record.droppedAttributesCount,
    }),
    ...metadata(),
  };
}
