import { type UserAndMetadata, userAndMetadata } from "./external-user.ts";
import { isObject, type JsonObject } from "./json.ts";
import { type NewStep, partedByColumn, type StepError, type StepStatus } from "./step.ts";
import { earlier } from "./timestamp.ts";
import { tokenDetails, tokenUsage, usageOf } from "./token-usage.ts";

/**
 * What these functions look at in a step that is sent. All its other fields go where they belong by their names: into a
 * column that is called like them, else into the content. So a new field needs nothing here.
 */
interface Sent extends UserAndMetadata {
  trace_id?: string;
  parent_trace_id?: string;
  agent?: string;
  /** When it ended. */
  timestamp?: string;
  started_at?: string;
  latency_ms?: number;
  status?: StepStatus;
  error?: StepError;
}

/** What its sender gets back of a step, but for its id, which the database makes. */
export interface StepAnswer {
  success: true;
  trace_type: string;
  trace_id?: string;
  [member: string]: unknown;
}

/** A step that one of the trace endpoints takes, and what its sender gets back. */
export type AnsweredStep = NewStep & { result: StepAnswer };

export function llmStep(sent: Sent & { output?: JsonObject }): AnsweredStep {
  const tokens = tokenUsage(sent.output);
  return {
    ...newStep("llm", sent),
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    total_tokens: tokens.input + tokens.output,
    ...tokenDetails(usageOf(sent.output?.usage).usage),
    result: answer("llm_call", sent, { tokens }),
  };
}

export function toolStep({
  tool_name,
  ...sent
}: Sent & { tool_name: string; result?: unknown }): AnsweredStep {
  const failed = isObject(sent.result) && sent.result.is_error === true;
  const status = sent.status ?? (failed ? "error" : undefined);
  return {
    ...newStep("tool", { ...sent, status }),
    name: tool_name,
    result: answer("tool_call", sent, { tool_name }),
  };
}

export function handoffStep(sent: Sent & { from_agent: string; to_agent: string }): AnsweredStep {
  const { from_agent, to_agent, agent = from_agent } = sent;
  return {
    ...newStep("handoff", { ...sent, agent }),
    name: to_agent,
    result: answer("handoff", sent, { from: from_agent, to: to_agent }),
  };
}

/** The `metadata` of a traced log entry is read back as its `custom_object`, unless that is sent too: then both are kept. */
export function logStep({
  metadata,
  custom_object,
  ...sent
}: Sent & { custom_object?: JsonObject }): AnsweredStep {
  const objects = custom_object === undefined ? { custom_object: metadata } : { custom_object, metadata };
  return { ...newStep("log", { ...sent, ...objects }), result: answer("log", sent, {}) };
}

/** A step of a bulk upload. It always names its namespace. */
export type UploadedStep = NewStep & { kind: "message" | "log"; namespace: string };

interface SentRecord extends Sent {
  namespace: string;
  inserted_at?: string;
  user_id?: string;
  input_tokens?: number;
  output_tokens?: number;
  process_tokens?: number;
  memory_tokens?: number;
  total_tokens?: number;
}

export function messageStep({ inserted_at, ...sent }: SentRecord): UploadedStep {
  const { namespace, total_tokens = sumOfTokens(sent) } = sent;
  const step = newStep("message", { ...sent, timestamp: inserted_at });
  return { ...step, namespace, total_tokens, user_id: step.user_id ?? (sent.user_id || undefined) };
}

export function logEntryStep(sent: Sent & { namespace: string }): UploadedStep {
  return { ...newStep("log", sent), namespace: sent.namespace };
}

function newStep<Kind extends NewStep["kind"]>(kind: Kind, sent: Sent): NewStep & { kind: Kind } {
  const { parent_trace_id, timestamp, ...said } = sent;
  const { columns, content } = partedByColumn(said);
  return {
    ...columns,
    kind,
    parent_trace_id,
    occurred_at: timestamp,
    started_at: startOf(sent),
    status: sent.status ?? (sent.error ? "error" : undefined),
    user_id: sent.external_user_id || undefined,
    content: { ...content, ...userAndMetadata(sent) },
  };
}

/** When a step began. Where nothing tells when it ended either, only the database can say when that was. */
function startOf({ started_at, timestamp, latency_ms }: Sent): string | undefined {
  if (started_at !== undefined || timestamp === undefined || latency_ms === undefined) return started_at;
  return earlier(timestamp, latency_ms);
}

function answer(trace_type: string, { trace_id }: Sent, members: object): StepAnswer {
  return { success: true, trace_type, ...members, ...(trace_id === undefined ? {} : { trace_id }) };
}

/** Absent where none of them is told. */
function sumOfTokens(sent: Omit<SentRecord, "inserted_at">): number | undefined {
  const { input_tokens, output_tokens, process_tokens, memory_tokens } = sent;
  const told = [input_tokens, output_tokens, process_tokens, memory_tokens].filter(
    (count) => count !== undefined,
  );
  return told.length > 0 ? told.reduce((sum, count) => sum + count) : undefined;
}
