import type { LogEntry } from "../schemas/logs.ts";
import type { RecordUpload } from "../schemas/records.ts";
import type { UploadedItem } from "../store/traces.ts";
import { userAndMetadata } from "./external-user.ts";

export function recordItem(record: RecordUpload, index: number): UploadedItem {
  const { namespace, session_id, agent, model, inserted_at, ...said } = record;
  const { input_tokens, output_tokens, process_tokens, memory_tokens, total_tokens, ...content } = said;
  const parts = [input_tokens, output_tokens, process_tokens, memory_tokens].filter(
    (count) => count !== undefined,
  );
  return {
    index,
    type: "message",
    namespace,
    session_id,
    agent,
    model,
    input_tokens,
    output_tokens,
    process_tokens,
    memory_tokens,
    occurred_at: inserted_at,
    total_tokens: total_tokens ?? (parts.length > 0 ? parts.reduce((sum, count) => sum + count) : undefined),
    content: { ...content, ...userAndMetadata(record) },
  };
}

export function logEntryItem(entry: LogEntry, index: number): UploadedItem {
  const { namespace, session_id, agent, level, resource_id, timestamp, ...content } = entry;
  return {
    index,
    type: "log",
    namespace,
    session_id,
    agent,
    level,
    resource_id,
    occurred_at: timestamp,
    content,
  };
}
