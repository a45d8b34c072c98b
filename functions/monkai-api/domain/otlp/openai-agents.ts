import { isObject, type JsonObject } from "../json.ts";
import type { StepError } from "../step.ts";
import { parseTimestamp } from "../timestamp.ts";
import { LONGEST_NAME } from "./call.ts";
import { messagesOf } from "./messages.ts";
import { LONGEST_NAMESPACE } from "./origin.ts";
import { OtlpError } from "./otlp-error.ts";
import { collectSteps, Rejection } from "./outcome.ts";
import { type Json, parsedText, plainJson } from "./plain.ts";
import { present } from "./present.ts";
import type { OtlpStep, OtlpSteps } from "./step.ts";
import { tokenColumns, type Usage, usageOf } from "./usage.ts";

/** What the client calls a run that its application did not name. */
const UNNAMED_WORKFLOW = "Agent workflow";

const TRACE_ID = /^trace_[A-Za-z0-9_-]{1,64}$/;
const SPAN_ID = /^span_([A-Za-z0-9_-]{1,64})$/;
const LONGEST_SESSION = 512;

/**
 * The items of the OpenAI Agents SDK's own exporter as steps. A run's name, session and metadata come once, as a step with the
 * span id `trace`; the spans of this request have its namespace, those of later ones none.
 */
export function ingestSteps(body: unknown): OtlpSteps {
  if (!isObject(body)) throw new OtlpError("The body is not an object.");
  if (!Array.isArray(body.data)) throw new OtlpError("data is not a list.");
  const items = plainJson(body.data, -4) as unknown[];
  const namespaces = namespacesOf(items);
  return collectSteps(items, (item) => itemStep(item, namespaces));
}

type Namespaces = Map<unknown, string>;

function namespacesOf(items: unknown[]): Namespaces {
  const namespaces: Namespaces = new Map();
  for (const item of items) {
    if (!isObject(item) || item.object !== "trace") continue;
    const metadata = isObject(item.metadata) ? item.metadata : {};
    const named = item.workflow_name === UNNAMED_WORKFLOW ? undefined : item.workflow_name;
    const namespace = text(metadata["monkai.namespace"], LONGEST_NAMESPACE) ?? text(named, LONGEST_NAMESPACE);
    if (namespace !== undefined) namespaces.set(item.id, namespace);
  }
  return namespaces;
}

function itemStep(item: unknown, namespaces: Namespaces): OtlpStep {
  if (!isObject(item)) throw new Rejection("An item of data is not an object.");
  if (item.object === "trace") return runStep(item, namespaces);
  if (item.object === "trace.span") return spanStep(item, namespaces);
  throw new Rejection(`An item of data is neither a trace nor a span: object is ${shown(item.object)}.`);
}

function runStep(item: JsonObject, namespaces: Namespaces): OtlpStep {
  const { object: _, id, workflow_name, group_id, metadata, ...rest } = item;
  const session_id = text(group_id, LONGEST_SESSION);
  const user_id = isObject(metadata) ? text(metadata.user_id, LONGEST_NAME) : undefined;
  return present({
    kind: "span",
    namespace: namespaces.get(id),
    session_id,
    user_id,
    otel_trace_id: traceIdOf(id),
    span_id: "trace",
    name: text(workflow_name) ?? UNNAMED_WORKFLOW,
    content: {
      metadata: filled({ attributes: metadata, group_id: session_id ? undefined : group_id, ...rest }),
    },
  });
}

function spanStep(item: JsonObject, namespaces: Namespaces): OtlpStep {
  const { object: _, id, trace_id, parent_id, started_at, ended_at, span_data, error, ...rest } = item;
  const data = isObject(span_data) ? span_data : {};
  const told = toldOf(data);
  const parent_span_id = parentOf(parent_id);
  const other = { parent_id: parent_span_id ? undefined : parent_id, ...rest, ...errorData(error) };
  return present({
    kind: told.kind,
    role: told.role,
    namespace: namespaces.get(trace_id),
    agent: told.agent,
    otel_trace_id: traceIdOf(trace_id),
    span_id: spanIdOf(id),
    parent_span_id,
    ...timesOf(id, started_at, ended_at),
    status: error ? ("error" as const) : undefined,
    error: errorOf(error),
    name: told.name,
    model: told.model,
    ...(told.kind === "llm" ? tokenColumns(told.usage ?? {}) : {}),
    content: present({
      ...told.content,
      usage: told.usage,
      metadata: filled({ ...told.metadata, ...other }),
    }),
  });
}

/** What `span_data` tells. What has no place of its own is in the metadata. */
interface Told {
  kind: OtlpStep["kind"];
  name: string;
  agent?: string;
  model?: string;
  role?: "turn" | "task";
  usage?: Usage;
  content: JsonObject;
  metadata: JsonObject;
}

function toldOf({ type, ...data }: JsonObject): Told {
  const read = typeof type === "string" ? READERS.get(type) : undefined;
  if (read) return read(data);
  const { name, input, output, ...metadata } = data;
  const content = present({ input: said(input), output: said(output) });
  return { kind: "span", name: text(name) ?? text(type) ?? "span", content, metadata: { type, ...metadata } };
}

const READERS = new Map<string, (data: JsonObject) => Told>([
  ["agent", agentRun],
  ["response", response],
  ["generation", generation],
  ["function", functionCall],
  ["handoff", handoff],
  ["custom", custom],
]);

function agentRun({ name, ...metadata }: JsonObject): Told {
  return {
    kind: "agent",
    name: text(name) ?? "agent",
    agent: text(name, LONGEST_NAME),
    content: {},
    metadata,
  };
}

/** It has nothing but an id: what it cost is told by the turn around it. */
function response({ model, input, output, usage, ...metadata }: JsonObject): Told {
  return { ...llmCall({ model, input, output, usage }), name: "response", metadata };
}

function generation({ model, input, output, usage, ...metadata }: JsonObject): Told {
  const [answer] = Array.isArray(output) ? output : [];
  const told = isObject(usage) ? usage : isObject(answer) ? answer.usage : undefined;
  const { name: _, ...call } = llmCall({ model, input, output, usage: told });
  return { ...call, name: "generation", metadata: { ...metadata, ...call.metadata } };
}

function llmCall({ model, input, output, usage }: JsonObject): Told {
  const msg = messagesOf({ input, output: answersOf(output) });
  const figures = usageOf(usage as Json);
  const isKept = figures.isWhole || usage === undefined || usage === null;
  return {
    kind: "llm",
    name: "llm",
    model: text(model),
    usage: someOf(figures.usage),
    content: present({
      operation: "chat",
      input: input ?? undefined,
      output: output ?? undefined,
      msg: someOf(msg),
    }),
    metadata: isKept ? {} : { usage },
  };
}

/** Chat Completions' whole answers stand in the output's list. */
function answersOf(output: unknown): unknown {
  const [answer] = Array.isArray(output) ? output : [];
  return isObject(answer) && Array.isArray(answer.choices) ? answer : output;
}

function functionCall({ name, input, output, ...metadata }: JsonObject): Told {
  const content = present({ arguments: said(input), result: said(output) });
  return { kind: "tool", name: text(name) ?? "function", content, metadata };
}

function handoff({ from_agent, to_agent, ...metadata }: JsonObject): Told {
  const name = text(to_agent) ?? "handoff";
  return {
    kind: "handoff",
    name,
    agent: text(from_agent, LONGEST_NAME),
    content: { from_agent, to_agent },
    metadata,
  };
}

/** A custom span of the application, or one of those that the client puts around each run and each call of a model. */
function custom({ name, data, ...metadata }: JsonObject): Told {
  const told = {
    kind: "span" as const,
    name: text(name) ?? "custom",
    content: {},
    metadata: { data, ...metadata },
  };
  if (!isObject(data)) return told;
  const { sdk_span_type: role, usage, ...others } = data;
  if (role !== "turn" && role !== "task") return told;
  const figures = usageOf(usage as Json);
  const agent = role === "turn" ? text(data.agent_name, LONGEST_NAME) : undefined;
  const kept = figures.isWhole ? others : { ...others, usage };
  return { ...told, role, agent, usage: someOf(figures.usage), metadata: { data: kept, ...metadata } };
}

function someOf<Value extends object>(value: Value): Value | undefined {
  return Object.keys(value).length > 0 ? value : undefined;
}

/** A text of JSON is parsed. */
function said(value: unknown): unknown {
  if (value === null) return undefined;
  return typeof value === "string" ? (parsedText(value) ?? value) : value;
}

function text(value: unknown, mostLength = Number.POSITIVE_INFINITY): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= mostLength ? value : undefined;
}

/** Undefined where nothing is in it. */
function filled(members: JsonObject): JsonObject | undefined {
  return someOf(
    Object.fromEntries(Object.entries(members).filter(([, value]) => (value ?? undefined) !== undefined)),
  );
}

function traceIdOf(id: unknown): string {
  if (typeof id === "string" && TRACE_ID.test(id)) return id;
  throw new Rejection(`A trace's id is no text like trace_0af7...: ${shown(id)}.`);
}

function spanIdOf(id: unknown): string {
  const found = parentOf(id);
  if (found !== undefined) return found;
  throw new Rejection(`A span's id is no text like span_0af7...: ${shown(id)}.`);
}

function parentOf(id: unknown): string | undefined {
  return typeof id === "string" ? SPAN_ID.exec(id)?.[1]?.toLowerCase() : undefined;
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : JSON.stringify(value).slice(0, 64);
}

function timesOf(id: unknown, start: unknown, end: unknown) {
  const started_at = momentOf(start);
  if (started_at === undefined) throw new Rejection(`The span ${shown(id)} has no started_at.`);
  const occurred_at = momentOf(end);
  if (occurred_at === undefined || occurred_at < started_at) return { started_at, occurred_at: started_at };
  return { started_at, occurred_at, latency_ms: Date.parse(occurred_at) - Date.parse(started_at) };
}

function momentOf(told: unknown): string | undefined {
  return typeof told === "string" ? parseTimestamp(told) : undefined;
}

/** `{message, data}`. */
function errorOf(error: unknown): StepError | undefined {
  if (!error) return undefined;
  const message = isObject(error) ? text(error.message) : text(error);
  return message === undefined ? undefined : { message };
}

function errorData(error: unknown): JsonObject {
  if (!isObject(error)) return typeof error === "string" ? {} : { error };
  const { message: _, ...rest } = error;
  return { error_data: someOf(rest) };
}
