import type { HandoffTrace, LlmTrace, LogTrace, ToolTrace } from "../schemas/traces.ts";
import type { HandoffResult, LlmResult, LogResult, ToolResult, ValidItem } from "../store/traces.ts";
import { userAndMetadata } from "./external-user.ts";
import { tokenUsage } from "./token-usage.ts";

/** Where a trace belongs, as far as its sender says. */
function placeOf({ session_id, namespace, trace_id, parent_trace_id, agent, timestamp }: Place) {
  return { session_id, namespace, trace_id, parent_trace_id, agent, occurred_at: timestamp };
}

type Place = Pick<
  LogTrace,
  "session_id" | "namespace" | "trace_id" | "parent_trace_id" | "agent" | "timestamp"
>;

export function llmItem(trace: LlmTrace): ValidItem<LlmResult> {
  const { model, latency_ms, provider, input, output } = trace;
  const tokens = tokenUsage(output);
  return {
    type: "llm",
    ...placeOf(trace),
    model,
    latency_ms,
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    total_tokens: tokens.input + tokens.output,
    content: { provider, input, output, ...userAndMetadata(trace) },
    result: { trace_type: "llm_call", tokens },
  };
}

export function toolItem(trace: ToolTrace): ValidItem<ToolResult> {
  const { latency_ms, tool_name, arguments: args, result } = trace;
  return {
    type: "tool",
    ...placeOf(trace),
    latency_ms,
    content: { tool_name, arguments: args, result, ...userAndMetadata(trace) },
    result: { trace_type: "tool_call", tool_name },
  };
}

export function handoffItem(trace: HandoffTrace): ValidItem<HandoffResult> {
  const { from_agent, to_agent, reason } = trace;
  return {
    type: "handoff",
    ...placeOf(trace),
    agent: trace.agent ?? from_agent,
    content: { from_agent, to_agent, reason, ...userAndMetadata(trace) },
    result: { trace_type: "handoff", from: from_agent, to: to_agent },
  };
}

export function logItem(trace: LogTrace): ValidItem<LogResult> {
  const { level, resource_id, message, metadata } = trace;
  return {
    type: "log",
    ...placeOf(trace),
    level,
    resource_id,
    content: { message, custom_object: metadata },
    result: { trace_type: "log" },
  };
}
