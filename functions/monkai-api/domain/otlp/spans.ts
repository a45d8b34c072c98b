import type { JsonObject } from "../json.ts";
import type { StepStatus } from "../step.ts";
import { leftAttributes, meaningOf, type Reading, readingOf, toldText } from "./attributes.ts";
import { outcomeOf, toldOf, whoseOf } from "./call.ts";
import { idOf, SPAN_ID_DIGITS, TRACE_ID_DIGITS } from "./ids.ts";
import { momentIfTold, timesOf } from "./moment.ts";
import { LONGEST_NAMESPACE, type Origin, objectOf, originsOf } from "./origin.ts";
import { collectSteps, Rejection } from "./outcome.ts";
import { present, telling } from "./present.ts";
import { roomOfRequest } from "./shared.ts";
import type { OtlpStep, OtlpSteps } from "./step.ts";
import type { Event, Link, ResourceSpans, Span } from "./wire-messages.ts";

const STATUS: (StepStatus | undefined)[] = [undefined, "ok", "error"];

/** Each span as a step, but for those that cannot be: without ids, a name or a start. */
export function spanSteps(spans: ResourceSpans[]): OtlpSteps {
  return collectSteps(spansOf(spans), spanStep);
}

interface FoundSpan {
  span: Span;
  origin: Origin;
}

function* spansOf(all: ResourceSpans[]): Generator<FoundSpan> {
  const room = roomOfRequest();
  for (const ofResource of all) {
    const originOf = originsOf(ofResource, room);
    for (const ofScope of ofResource.scopeSpans) {
      const origin = originOf(ofScope);
      for (const span of ofScope.spans) yield { span, origin };
    }
  }
}

function spanStep({ span, origin }: FoundSpan): OtlpStep {
  refuseImpossible(span);
  const reading = readingOf(span.attributes, span.events);
  const meaning = meaningOf(reading);
  const { columns, content } = toldOf(meaning, reading, span.startTimeUnixNano);
  const { status: { code = 0, message = "" } = {} } = span;
  const outcome = outcomeOf(meaning.kind, reading, { status: STATUS[code], message });
  return present({
    kind: meaning.kind,
    namespace: toldText(reading, "namespace", LONGEST_NAMESPACE) ?? origin.namespace,
    ...whoseOf(reading),
    otel_trace_id: span.traceId,
    span_id: span.spanId,
    parent_span_id: idOf(span.parentSpanId, SPAN_ID_DIGITS),
    ...timesOf(span.startTimeUnixNano, span.endTimeUnixNano),
    ...outcome,
    name: span.name,
    ...columns,
    content: present({ ...content, metadata: metadataOf(span, reading, origin, outcome.status) }),
  });
}

function refuseImpossible({ name, traceId, spanId, startTimeUnixNano }: Span): void {
  const called = name === "" ? "A span" : `The span "${name.slice(0, 100)}"`;
  refuseId(called, "traceId", traceId, TRACE_ID_DIGITS);
  refuseId(called, "spanId", spanId, SPAN_ID_DIGITS);
  if (name === "") throw new Rejection(`The span ${spanId} has no name.`);
  if (startTimeUnixNano === 0n) throw new Rejection(`${called} has no startTimeUnixNano.`);
}

function refuseId(called: string, field: string, id: string, digits: number): void {
  if (idOf(id, digits) !== undefined) return;
  throw new Rejection(
    `${called} has no ${field} of ${digits} digits of hex, not all 0: "${id.slice(0, 64)}".`,
  );
}

/** The names of OTel's kinds of spans. */
const SPAN_KINDS = ["", "internal", "server", "client", "producer", "consumer"];

function metadataOf(
  span: Span,
  reading: Reading,
  { metadata }: Origin,
  status: StepStatus | undefined,
): JsonObject {
  const { startTimeUnixNano: start, endTimeUnixNano: end, kind, parentSpanId } = span;
  return {
    ...leftAttributes(reading),
    ...telling({
      events: span.events.map(eventOf),
      links: span.links.map(linkOf),
      span_kind: SPAN_KINDS[kind] ?? kind,
      trace_state: span.traceState,
      flags: span.flags,
      status_message: status === "error" ? undefined : span.status?.message,
      status_code: STATUS[span.status?.code ?? 0] ? undefined : span.status?.code,
      end_time_unix_nano: end !== 0n && end < start ? String(end) : undefined,
      parent_span_id: idOf(parentSpanId, SPAN_ID_DIGITS) === undefined ? parentSpanId : undefined,
      dropped_attributes_count: span.droppedAttributesCount,
      dropped_events_count: span.droppedEventsCount,
      dropped_links_count: span.droppedLinksCount,
    }),
    ...metadata(),
  };
}

function eventOf({ name, timeUnixNano, attributes, droppedAttributesCount }: Event): JsonObject {
  const time = momentIfTold(timeUnixNano);
  return {
    name,
    ...telling({ time, attributes: objectOf(attributes), dropped_attributes_count: droppedAttributesCount }),
  };
}

function linkOf({
  traceId,
  spanId,
  traceState,
  attributes,
  droppedAttributesCount,
  flags,
}: Link): JsonObject {
  return telling({
    trace_id: traceId,
    span_id: spanId,
    trace_state: traceState,
    attributes: objectOf(attributes),
    dropped_attributes_count: droppedAttributesCount,
    flags,
  });
}
