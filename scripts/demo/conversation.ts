import type { Agent } from "./agents.ts";
import { type Message, usageOf } from "./usage.ts";

/** A step as POST /v1/traces/batch takes it. */
export interface SentStep {
  type: "llm" | "tool" | "handoff" | "log";
  [field: string]: unknown;
}

/** A score as POST /v1/scores/batch takes it; one `of` a step gets that step's id once the server has told it. */
export interface SentScore {
  of?: SentStep;
  name: string;
  value: number | boolean | string;
  [field: string]: unknown;
}

export interface Customer {
  id: string;
  name: string;
  channel: string;
}

export interface ConversationOptions {
  id: string;
  namespace: string;
  /** Milliseconds since 1970. */
  begins: number;
  customer?: Customer;
  /** False: a client that tells no times. */
  isTimed?: boolean;
}

interface CallOptions {
  /** Milliseconds. */
  takes?: number;
  /** Tokens that were spent on thinking. */
  reasoning?: number;
  model?: string;
}

interface ToolOptions {
  takes?: number;
  result?: unknown;
  error?: { type: string; message: string };
}

type Level = "debug" | "info" | "warn" | "error";

/** One conversation, put together as it happens: each method lets time go by and adds the steps that a client would send. */
export class Conversation {
  readonly id: string;
  readonly steps: SentStep[] = [];
  readonly scores: SentScore[] = [];
  readonly #options: ConversationOptions;
  readonly #said: Message[] = [];
  /** How long the last prompt of each agent was, in tokens: what its provider has in its cache. */
  readonly #prompts = new Map<string, number>();
  #clock: number;
  #place: { trace_id?: string; parent_trace_id?: string } = {};

  constructor(options: ConversationOptions) {
    this.id = options.id;
    this.#options = options;
    this.#clock = options.begins;
  }

  /** When it is over so far, in milliseconds since 1970. */
  get endsAt(): number {
    return this.#clock;
  }

  /** From here on, steps say which trace they belong to. */
  inTrace(trace_id: string, parent_trace_id?: string): this {
    this.#place = { trace_id, ...(parent_trace_id ? { parent_trace_id } : {}) };
    return this;
  }

  wait(seconds: number): this {
    this.#clock += seconds * 1000;
    return this;
  }

  customerSays(content: Message["content"], afterSeconds = 20): this {
    this.#said.push({ role: "user", content });
    return this.wait(afterSeconds);
  }

  answers(agent: Agent, content: string, options: CallOptions = {}): this {
    this.#call(agent, { content }, options);
    this.#said.push({ role: "assistant", content });
    return this;
  }

  /** The model asks for a tool, and the tool is called. */
  uses(agent: Agent, tool: string, args: object, { takes = 420, result, error }: ToolOptions): this {
    const id = `call_${String(this.steps.length + 1).padStart(3, "0")}`;
    const call = { id, type: "function", function: { name: tool, arguments: JSON.stringify(args) } };
    this.#call(agent, { content: null, tool_calls: [call] }, {});
    this.#said.push({ role: "assistant", content: null, tool_calls: [call] });
    const outcome = error ? { status: "error", error } : { status: "ok", result };
    this.#add("tool", takes, {
      agent: agent.name,
      tool_name: tool,
      arguments: args,
      ...outcome,
      latency_ms: takes,
    });
    const content = error ? `${error.type}: ${error.message}` : JSON.stringify(result);
    this.#said.push({ role: "tool", tool_call_id: id, content });
    return this;
  }

  /** A call of a model that brings no answer. */
  fails(agent: Agent, error: { type: string; message: string }, takes: number): this {
    this.#add("llm", takes, {
      ...this.#asked(agent, agent.model),
      status: "error",
      error,
      latency_ms: takes,
    });
    return this;
  }

  handsOver(from: Agent, to: Agent, reason: string): this {
    this.#add("handoff", 15, { from_agent: from.name, to_agent: to.name, reason });
    return this;
  }

  logs(level: Level, message: string, resource_id: string, custom_object?: object): this {
    this.#add("log", 0, { level, message, resource_id, ...(custom_object ? { custom_object } : {}) });
    return this;
  }

  /** About the conversation; `when`: so many seconds after what was last said. */
  isScored(name: string, value: SentScore["value"], source: string, comment?: string, when = 60): this {
    return this.#score({ session_id: this.id }, { name, value, source, comment }, when);
  }

  traceIsScored(name: string, value: SentScore["value"], source: string, comment?: string): this {
    return this.#score({ trace_id: this.#place.trace_id }, { name, value, source, comment }, 30);
  }

  lastStepIsScored(name: string, value: SentScore["value"], source: string, comment?: string): this {
    return this.#score({ of: this.steps.at(-1) as SentStep }, { name, value, source, comment }, 5);
  }

  #score(about: object, said: SentScore, after: number): this {
    const created_at = new Date(this.#clock + after * 1000).toISOString();
    this.scores.push({ ...about, namespace: this.#options.namespace, ...said, created_at });
    return this;
  }

  #asked(agent: Agent, model: string): object {
    const messages = [{ role: "system", content: agent.instructions }, ...this.#said];
    return { agent: agent.name, model, provider: agent.provider, input: { messages } };
  }

  #call(agent: Agent, output: object, { takes, reasoning = 0, model = agent.model }: CallOptions): void {
    const prompt = [{ role: "system", content: agent.instructions }, ...this.#said];
    const known = this.#prompts.get(agent.name) ?? 0;
    const { usage, prompted, written } = usageOf(agent.provider, { prompt, output, known, reasoning });
    this.#prompts.set(agent.name, prompted);
    const latency_ms = takes ?? 300 + written * 14 + (prompted % 400);
    this.#add("llm", latency_ms, {
      ...this.#asked(agent, model),
      output: { ...output, usage },
      status: "ok",
      latency_ms,
    });
  }

  #add(type: SentStep["type"], takes: number, fields: object): void {
    const started_at = new Date(this.#clock).toISOString();
    this.#clock += takes;
    const { namespace, customer, isTimed = true } = this.#options;
    this.steps.push({
      type,
      session_id: this.id,
      namespace,
      ...this.#place,
      ...fields,
      ...(isTimed ? { started_at, timestamp: new Date(this.#clock).toISOString() } : {}),
      ...(customer && type !== "log" ? userFields(customer) : {}),
    });
  }
}

function userFields({ id, name, channel }: Customer): object {
  return { external_user_id: id, external_user_name: name, external_user_channel: channel };
}
