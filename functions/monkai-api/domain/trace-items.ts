import type { HandoffTrace, LlmTrace, LogTrace, ToolTrace } from "../schemas/traces.ts";
import type { HandoffResult, LlmResult, LogResult, ToolResult, ValidItem } from "../store/traces.ts";
import { userAndMetadata } from "./external-user.ts";
import { tokenUsage } from "./token-usage.ts";

export function llmItem(trace: LlmTrace): ValidItem<LlmResult> {
  const { session_id, namespace, trace_id, parent_trace_id, agent, model, latency_ms } = trace;
  const tokens = tokenUsage(trace.output);
  return {
    type: "llm",
    session_id,
    namespace,
    trace_id,
    parent_trace_id,
    agent,
    model,
    latency_ms,
    occurred_at: trace.timestamp,
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    total_tokens: tokens.input + tokens.output,
    content: {
      provider: trace.provider,
      input: trace.input,
      output: trace.output,
      ...userAndMetadata(trace),
    },
    result: { trace_type: "llm_call", tokens },
  };
}

export function toolItem(trace: ToolTrace): ValidItem<ToolResult> {
  const { session_id, namespace, trace_id, parent_trace_id, agent, latency_ms, tool_name } = trace;
  return {
    type: "tool",
    session_id,
    namespace,
    trace_id,
    parent_trace_id,
    agent,
    latency_ms,
    occurred_at: trace.timestamp,
    content: {
      tool_name,
      arguments: trace.arguments,
      result: trace.result,
      ...userAndMetadata(trace),
    },
    result: { trace_type: "tool_call", tool_name },
  };
}

export function handoffItem(trace: HandoffTrace): ValidItem<HandoffResult> {
  const { session_id, namespace, trace_id, parent_trace_id, from_agent, to_agent, reason } = trace;
  return {
    type: "handoff",
    session_id,
    namespace,
    trace_id,
    parent_trace_id,
    agent: trace.agent ?? from_agent,
    occurred_at: trace.timestamp,
    content: { from_agent, to_agent, reason, ...userAndMetadata(trace) },
    result: { trace_type: "handoff", from: from_agent, to: to_agent },
  };
}

export function logItem(trace: LogTrace): ValidItem<LogResult> {
  const { session_id, namespace, trace_id, parent_trace_id, agent, level, resource_id, message } = trace;
  return {
    type: "log",
    session_id,
    namespace,
    trace_id,
    parent_trace_id,
    agent,
    level,
    resource_id,
    occurred_at: trace.timestamp,
    content: { message, custom_object: trace.metadata },
    result: { trace_type: "log" },
  };
}
