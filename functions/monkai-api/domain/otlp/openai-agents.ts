import { isObject, type JsonObject } from "../json.ts";
import type { StepError } from "../step.ts";
import { parseTimestamp } from "../timestamp.ts";
import { tokenColumns } from "../token-usage.ts";
import { LONGEST_NAME, LONGEST_SESSION } from "./call.ts";
import { MOST_MESSAGES } from "./counter.ts";
import type { Times } from "./moment.ts";
import { someOf, text, toldOf } from "./openai-agents-data.ts";
import { LONGEST_NAMESPACE } from "./origin.ts";
import { OtlpError } from "./otlp-error.ts";
import { collectSteps, Rejection } from "./outcome.ts";
import { plainJson } from "./plain.ts";
import { present } from "./present.ts";
import type { OtlpStep, OtlpSteps } from "./step.ts";

/** What the client calls a run that its application did not name. */
const UNNAMED_WORKFLOW = "Agent workflow";

const TRACE_ID = /^trace_[A-Za-z0-9_-]{1,64}$/;
const SPAN_ID = /^span_(?!trace$)([a-z0-9_-]{1,64})$/i;

/**
 * The items of the OpenAI Agents SDK's own exporter as steps. A run's name, session and metadata come once, as a step with the
 * span id `trace`; the spans of this request have its namespace, those of later ones none.
 */
export function ingestSteps(body: unknown): OtlpSteps {
  if (!isObject(body)) throw new OtlpError("The body is not an object.");
  if (!Array.isArray(body.data)) throw new OtlpError("data is not a list.");
  if (body.data.length > MOST_MESSAGES) throw new OtlpError(`data has more than ${MOST_MESSAGES} items.`);
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
  const name = text(workflow_name);
  const session_id = text(group_id, LONGEST_SESSION);
  const user_id = isObject(metadata) ? text(metadata.user_id, LONGEST_NAME) : undefined;
  return present({
    kind: "span",
    namespace: namespaces.get(id),
    session_id,
    user_id,
    otel_trace_id: traceIdOf(id),
    span_id: "trace",
    name: name ?? UNNAMED_WORKFLOW,
    content: present({
      metadata: filled({
        attributes: metadata,
        workflow_name: name ? undefined : workflow_name,
        group_id: session_id ? undefined : group_id,
        ...rest,
      }),
    }),
  });
}

function spanStep(item: JsonObject, namespaces: Namespaces): OtlpStep {
  const { object: _, id, trace_id, parent_id, started_at, ended_at, span_data, error, ...rest } = item;
  const data = isObject(span_data) ? span_data : {};
  const told = toldOf(data);
  const parent_span_id = parentOf(parent_id);
  const times = timesOf(id, started_at, ended_at);
  const misfits = {
    parent_id: parent_span_id ? undefined : parent_id,
    ended_at: times.latency_ms === undefined ? ended_at : undefined,
    span_data: isObject(span_data) ? undefined : span_data,
  };
  return present({
    kind: told.kind,
    role: told.role,
    namespace: namespaces.get(trace_id),
    agent: told.agent,
    otel_trace_id: traceIdOf(trace_id),
    span_id: spanIdOf(id),
    parent_span_id,
    ...times,
    status: error ? ("error" as const) : undefined,
    error: errorOf(error),
    name: told.name,
    model: told.model,
    // A turn's and a task's are not counted: deriving finds the calls' own among them.
    ...(told.kind === "llm" || told.role ? tokenColumns(told.usage ?? {}) : {}),
    content: present({
      ...told.content,
      usage: told.usage,
      metadata: filled({ ...told.metadata, ...misfits, ...rest, ...errorData(error) }),
    }),
  });
}

/** Without what is absent; undefined where nothing is left. */
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

function timesOf(id: unknown, start: unknown, end: unknown): Times {
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
  const { message, ...rest } = error;
  return { error_data: someOf(text(message) ? rest : error) };
}
