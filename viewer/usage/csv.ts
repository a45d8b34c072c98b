import type { UsageRow } from "../api/types.ts";
import { type Dimension, dimensionValue } from "./dimensions.ts";

/** The rows as a spreadsheet takes them. What is unknown is left empty. */
export function usageCsv(rows: UsageRow[], by: Dimension[]): string {
  const scores = [...new Set(rows.flatMap((row) => Object.keys(row.scores)))].sort();
  const columns: [title: string, value: (row: UsageRow) => string | number | null | undefined][] = [
    ...by.map((name): [string, (row: UsageRow) => string | null] => [
      name,
      (row) => dimensionValue(row, name),
    ]),
    ["calls", (row) => row.calls],
    ["tool_calls", (row) => row.tool_calls],
    ["errors", (row) => row.errors],
    ["input_tokens", (row) => row.input_tokens],
    ["cached_input_tokens", (row) => row.cached_input_tokens],
    ["output_tokens", (row) => row.output_tokens],
    ["reasoning_tokens", (row) => row.reasoning_tokens],
    ["cost", (row) => row.cost.amount],
    ["currency", (row) => row.cost.currency],
    ["unpriced_steps", (row) => row.cost.unpriced_steps],
    ["p50_ms", (row) => row.latency_ms.p50],
    ["p95_ms", (row) => row.latency_ms.p95],
    ...scores.flatMap((name): typeof columns => [
      [`score ${name}`, (row) => row.scores[name]?.average],
      [`score ${name} count`, (row) => row.scores[name]?.count],
    ]),
  ];
  const lines = [
    columns.map(([title]) => title),
    ...rows.map((row) => columns.map(([, value]) => value(row))),
  ];
  return `${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** A text that a spreadsheet would run as a formula gets a ' in front, as in the API's exports. */
function cell(value: string | number | null | undefined): string {
  if (typeof value !== "string") return `${value ?? ""}`;
  const harmless = /^\s*[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
