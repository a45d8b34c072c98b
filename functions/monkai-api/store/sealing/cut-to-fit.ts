import type { StepRow } from "../../domain/step.ts";

/** What a member takes beside its name and value. */
const PUNCTUATION = 6;

/**
 * A step whose content is no larger than so many bytes of JSON: its smallest members, as many as fit, and the names of the
 * others in `left_out`. The twin of the SQL function `internal.cut_view`, which cannot look into what is encrypted.
 */
export function cutToFit<Row extends StepRow>(row: Row, maxBytes: number): Row {
  const members = { ...row.content, ...(row.messages ? { messages: row.messages } : {}) };
  if (sizeOf(row.content) + (row.messages ? sizeOf(row.messages) : 0) <= maxBytes) return row;
  const sized = Object.entries(members).map(([name, value]) => ({ name, bytes: sizeOf(value) }));
  sized.sort((one, other) => one.bytes - other.bytes || (one.name < other.name ? -1 : 1));
  let sum = 0;
  const left_out = sized
    .filter(({ name, bytes }) => {
      sum += bytes + name.length + PUNCTUATION;
      return sum > maxBytes;
    })
    .map(({ name }) => name)
    .sort();
  const content = Object.fromEntries(
    Object.entries(row.content ?? {}).filter(([name]) => !left_out.includes(name)),
  );
  const messages = left_out.includes("messages") ? null : row.messages;
  return { ...row, content, messages, truncated: true, left_out };
}

function sizeOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
