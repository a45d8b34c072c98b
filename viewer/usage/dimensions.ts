import type { UsageFigures, UsageRow } from "../api/types.ts";
import { durationText, money } from "../parts/figures.tsx";

export type Dimension = "day" | "hour" | "model" | "agent" | "namespace" | "tool" | "user";

/** What rows of usage are by, as the API names it; `missing`: what its null stands for. */
export const DIMENSIONS: { name: Dimension; title: string; missing: string }[] = [
  { name: "day", title: "Day", missing: "" },
  { name: "hour", title: "Hour", missing: "" },
  { name: "model", title: "Model", missing: "no model" },
  { name: "agent", title: "Agent", missing: "no agent" },
  { name: "namespace", title: "Namespace", missing: "" },
  { name: "tool", title: "Tool", missing: "no tool" },
  { name: "user", title: "User", missing: "user not known" },
];

export function isTime(dimension: Dimension | undefined): boolean {
  return dimension === "day" || dimension === "hour";
}

export function titleOf(dimension: Dimension): string {
  return DIMENSIONS.find(({ name }) => name === dimension)?.title ?? dimension;
}

/** How a row's value of a dimension reads. Hours are those of the time zone. */
export function valueText(dimension: Dimension, value: string | null | undefined, zone: string): string {
  if (dimension === "hour" && value) return hourText(value, zone);
  return value ?? DIMENSIONS.find(({ name }) => name === dimension)?.missing ?? "";
}

export function dimensionValue(row: UsageRow, dimension: Dimension): string | null {
  return row[dimension] ?? null;
}

function hourText(value: string, timeZone: string): string {
  const options = { timeZone, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" } as const;
  return new Intl.DateTimeFormat(undefined, options).format(new Date(value));
}

/** Something that bars can show. */
export interface Metric {
  name: string;
  title: string;
  value: (figures: UsageFigures) => number;
  text: (value: number, currency: string) => string;
}

const numbers = new Intl.NumberFormat();
const count = (value: number) => numbers.format(value);

/** Tokens, calls and money add up: their bars can be stacked. A percentile cannot, and has none. */
export const METRICS: [Metric, ...Metric[]] = [
  { name: "calls", title: "Calls", value: ({ calls }) => calls, text: count },
  { name: "tool_calls", title: "Tool calls", value: ({ tool_calls }) => tool_calls, text: count },
  { name: "errors", title: "Errors", value: ({ errors }) => errors, text: count },
  {
    name: "tokens",
    title: "Tokens",
    value: ({ input_tokens, output_tokens }) => input_tokens + output_tokens,
    text: count,
  },
  { name: "cost", title: "Cost", value: ({ cost }) => Number(cost.amount ?? 0), text: money },
];

export function metricNamed(name: string | null): Metric {
  return METRICS.find((metric) => metric.name === name) ?? METRICS[0];
}

/** The text of a figure of latency: the API tells tenths of milliseconds. */
export function latencyText(milliseconds: number | null): string {
  return milliseconds === null ? "–" : durationText(Math.round(milliseconds));
}
