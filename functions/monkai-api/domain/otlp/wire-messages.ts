// Made by `node scripts/otlp-proto.ts` from the files in proto/, which are Apache-2.0. Do not edit.
import type { Json } from "./plain.ts";

export interface TracesData {
  resourceSpans: ResourceSpans[];
}

export interface LogsData {
  resourceLogs: ResourceLogs[];
}

export interface ResourceSpans {
  resource?: Resource;
  scopeSpans: ScopeSpans[];
  schemaUrl: string;
}

export interface ResourceLogs {
  resource?: Resource;
  scopeLogs: ScopeLogs[];
  schemaUrl: string;
}

export interface Resource {
  attributes: [key: string, value: Json][];
  droppedAttributesCount: number;
  entityRefs: EntityRef[];
}

export interface ScopeSpans {
  scope?: InstrumentationScope;
  spans: Span[];
  schemaUrl: string;
}

export interface ScopeLogs {
  scope?: InstrumentationScope;
  logRecords: LogRecord[];
  schemaUrl: string;
}

export interface EntityRef {
  schemaUrl: string;
  type: string;
  idKeys: string[];
  descriptionKeys: string[];
}

export interface InstrumentationScope {
  name: string;
  version: string;
  attributes: [key: string, value: Json][];
  droppedAttributesCount: number;
}

export interface Span {
  traceId: string;
  spanId: string;
  traceState: string;
  parentSpanId: string;
  flags: number;
  name: string;
  kind: number;
  startTimeUnixNano: bigint;
  endTimeUnixNano: bigint;
  attributes: [key: string, value: Json][];
  droppedAttributesCount: number;
  events: Event[];
  droppedEventsCount: number;
  links: Link[];
  droppedLinksCount: number;
  status?: Status;
}

export interface LogRecord {
  timeUnixNano: bigint;
  observedTimeUnixNano: bigint;
  severityNumber: number;
  severityText: string;
  body?: Json;
  attributes: [key: string, value: Json][];
  droppedAttributesCount: number;
  flags: number;
  traceId: string;
  spanId: string;
  eventName: string;
}

export interface Event {
  timeUnixNano: bigint;
  name: string;
  attributes: [key: string, value: Json][];
  droppedAttributesCount: number;
}

export interface Link {
  traceId: string;
  spanId: string;
  traceState: string;
  attributes: [key: string, value: Json][];
  droppedAttributesCount: number;
  flags: number;
}

export interface Status {
  message: string;
  code: number;
}

/** A field: its number, its name in JSON, its type, and whether there may be many. */
export type WireField = [number: number, name: string, type: string, isList: boolean];

export const MESSAGES: Record<string, WireField[]> = {
  TracesData: [[1, "resourceSpans", "ResourceSpans", true]],
  LogsData: [[1, "resourceLogs", "ResourceLogs", true]],
  ResourceSpans: [
    [1, "resource", "Resource", false],
    [2, "scopeSpans", "ScopeSpans", true],
    [3, "schemaUrl", "string", false],
  ],
  ResourceLogs: [
    [1, "resource", "Resource", false],
    [2, "scopeLogs", "ScopeLogs", true],
    [3, "schemaUrl", "string", false],
  ],
  Resource: [
    [1, "attributes", "KeyValue", true],
    [2, "droppedAttributesCount", "uint32", false],
    [3, "entityRefs", "EntityRef", true],
  ],
  ScopeSpans: [
    [1, "scope", "InstrumentationScope", false],
    [2, "spans", "Span", true],
    [3, "schemaUrl", "string", false],
  ],
  ScopeLogs: [
    [1, "scope", "InstrumentationScope", false],
    [2, "logRecords", "LogRecord", true],
    [3, "schemaUrl", "string", false],
  ],
  KeyValue: [
    [1, "key", "string", false],
    [2, "value", "AnyValue", false],
    [3, "keyStrindex", "int32", false],
  ],
  EntityRef: [
    [1, "schemaUrl", "string", false],
    [2, "type", "string", false],
    [3, "idKeys", "string", true],
    [4, "descriptionKeys", "string", true],
  ],
  InstrumentationScope: [
    [1, "name", "string", false],
    [2, "version", "string", false],
    [3, "attributes", "KeyValue", true],
    [4, "droppedAttributesCount", "uint32", false],
  ],
  Span: [
    [1, "traceId", "bytes", false],
    [2, "spanId", "bytes", false],
    [3, "traceState", "string", false],
    [4, "parentSpanId", "bytes", false],
    [16, "flags", "fixed32", false],
    [5, "name", "string", false],
    [6, "kind", "SpanKind", false],
    [7, "startTimeUnixNano", "fixed64", false],
    [8, "endTimeUnixNano", "fixed64", false],
    [9, "attributes", "KeyValue", true],
    [10, "droppedAttributesCount", "uint32", false],
    [11, "events", "Event", true],
    [12, "droppedEventsCount", "uint32", false],
    [13, "links", "Link", true],
    [14, "droppedLinksCount", "uint32", false],
    [15, "status", "Status", false],
  ],
  LogRecord: [
    [1, "timeUnixNano", "fixed64", false],
    [11, "observedTimeUnixNano", "fixed64", false],
    [2, "severityNumber", "SeverityNumber", false],
    [3, "severityText", "string", false],
    [5, "body", "AnyValue", false],
    [6, "attributes", "KeyValue", true],
    [7, "droppedAttributesCount", "uint32", false],
    [8, "flags", "fixed32", false],
    [9, "traceId", "bytes", false],
    [10, "spanId", "bytes", false],
    [12, "eventName", "string", false],
  ],
  AnyValue: [
    [1, "stringValue", "string", false],
    [2, "boolValue", "bool", false],
    [3, "intValue", "int64", false],
    [4, "doubleValue", "double", false],
    [5, "arrayValue", "ArrayValue", false],
    [6, "kvlistValue", "KeyValueList", false],
    [7, "bytesValue", "bytes", false],
    [8, "stringValueStrindex", "int32", false],
  ],
  Event: [
    [1, "timeUnixNano", "fixed64", false],
    [2, "name", "string", false],
    [3, "attributes", "KeyValue", true],
    [4, "droppedAttributesCount", "uint32", false],
  ],
  Link: [
    [1, "traceId", "bytes", false],
    [2, "spanId", "bytes", false],
    [3, "traceState", "string", false],
    [4, "attributes", "KeyValue", true],
    [5, "droppedAttributesCount", "uint32", false],
    [6, "flags", "fixed32", false],
  ],
  Status: [
    [2, "message", "string", false],
    [3, "code", "StatusCode", false],
  ],
  ArrayValue: [[1, "values", "AnyValue", true]],
  KeyValueList: [[1, "values", "KeyValue", true]],
};

/** The names of an enum's values, in the order of their numbers. */
export const ENUMS: Record<string, string[]> = {
  SpanKind: [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
  ],
  SeverityNumber: [
    "SEVERITY_NUMBER_UNSPECIFIED",
    "SEVERITY_NUMBER_TRACE",
    "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",
    "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",
    "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",
    "SEVERITY_NUMBER_INFO2",
    "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",
    "SEVERITY_NUMBER_WARN",
    "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",
    "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",
    "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",
    "SEVERITY_NUMBER_FATAL2",
    "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
  ],
  StatusCode: ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"],
};
