import { isObject, type JsonObject } from "../json.ts";
import { type Usage, usageOf } from "../token-usage.ts";
import { LONGEST_NAME } from "./call.ts";
import { parsedText } from "./plain.ts";
import { present } from "./present.ts";
import type { OtlpStep } from "./step.ts";

/** What `span_data` tells. What has no place of its own is in the metadata. */
export interface Told {
  kind: OtlpStep["kind"];
  name: string;
  agent?: string;
  model?: string;
  role?: "turn" | "task";
  usage?: Usage;
  content: JsonObject;
  metadata: JsonObject;
}

/** Reads `span_data`, by its type. */
export function toldOf({ type, ...data }: JsonObject): Told {
  const read = typeof type === "string" ? READERS.get(type) : undefined;
  if (read) return withMisfits(read(data), data);
  const { name, input, output, ...metadata } = data;
  const content = present({ input: said(input), output: said(output) });
  const told = { kind: "span" as const, name: text(name) ?? text(type) ?? "span", content };
  return withMisfits({ ...told, metadata: { type, ...metadata } }, data);
}

/** What is no text cannot be a name: it is kept beside what is told. */
function withMisfits(told: Told, { name, model }: JsonObject): Told {
  const misfits = { name: misfit(name), model: told.kind === "llm" ? misfit(model) : undefined };
  return { ...told, metadata: { ...present(misfits), ...told.metadata } };
}

function misfit(value: unknown): unknown {
  return typeof value === "string" ? undefined : value;
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
  const call = llmCall({ model, input, output, usage });
  return { ...call, name: "response", metadata: { ...metadata, ...call.metadata } };
}

function generation({ model, input, output, usage, ...metadata }: JsonObject): Told {
  const [answer] = Array.isArray(output) ? output : [];
  const told = usage ?? (isObject(answer) ? answer.usage : undefined);
  const { name: _, ...call } = llmCall({ model, input, output, usage: told });
  return { ...call, name: "generation", metadata: { ...metadata, ...call.metadata } };
}

function llmCall({ model, input, output, usage }: JsonObject): Told {
  const figures = usageOf(usage);
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
    }),
    metadata: isKept ? {} : { usage },
  };
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
  const figures = usageOf(usage);
  const agent = role === "turn" ? text(data.agent_name, LONGEST_NAME) : undefined;
  const kept = figures.isWhole ? others : { ...others, usage };
  return { ...told, role, agent, usage: someOf(figures.usage), metadata: { data: kept, ...metadata } };
}

/** Undefined where nothing is in it. */
export function someOf<Value extends object>(value: Value): Value | undefined {
  return Object.keys(value).length > 0 ? value : undefined;
}

/** A text of JSON is parsed. */
function said(value: unknown): unknown {
  if (value === null) return undefined;
  return typeof value === "string" ? (parsedText(value) ?? value) : value;
}

/** A text that says something, and is not too long for its place. */
export function text(value: unknown, mostLength = Number.POSITIVE_INFINITY): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= mostLength ? value : undefined;
}
