import * as z from "zod";
import type { UsageBy } from "../domain/usage-by.ts";
import { agentName, userId } from "../schemas/common.ts";
import { filters, usageBy } from "../schemas/filters.ts";
import type { UsageAnswer, UsageFigures } from "../store/usage.ts";
import { line, listing } from "./answer.ts";
import { limit, namespace } from "./arguments.ts";
import { momentsOf, timeRange } from "./time-range.ts";
import { tool } from "./tool.ts";

/** What rows can be sorted by, the largest first. */
const FIGURES: Record<string, (row: UsageFigures) => number> = {
  errors: ({ errors }) => errors,
  calls: ({ calls, tool_calls }) => calls + tool_calls,
  tokens: ({ input_tokens, output_tokens }) => input_tokens + output_tokens,
  cost: ({ cost }) => Number(cost.amount),
  latency: ({ latency_ms }) => latency_ms.p95 ?? -1,
};

export const getUsage = tool({
  name: "get_usage",
  title: "Usage and errors, added up",
  description:
    "Adds up model calls, tool calls, errors, tokens, cost, latency and scores, in rows by tool, agent, model, user, namespace, " +
    "day or hour. Which tool failed most: by=tool, order=errors. Errors are failed steps of whatever kind: by tool, the row " +
    "tool=none has those that are no tool calls.",
  input: () =>
    filters({
      by: usageBy.describe(
        "What rows are by: some of day or hour, namespace, agent, model, tool, user, with commas in between.",
      ),
      order: z
        .enum(["errors", "calls", "tokens", "cost", "latency", "time"])
        .default("errors")
        .describe("Which rows come first: those with most of it, or the earliest."),
      tool: z.string().optional(),
      agent: agentName.optional(),
      model: z.string().optional(),
      user_id: userId.optional(),
      namespace: namespace(),
      ...timeRange("Without it, the last 7 days."),
      limit: limit(20, 50),
    }),
  async answer({ order, limit, since, until, time_zone, ...query }, { store, now }) {
    const moments = momentsOf({ since, until, time_zone }, now);
    const { data } = await store.getUsage({ ...query, ...moments, time_zone });
    const { rows, totals, start_date, end_date } = data as UsageAnswer;
    const figure = FIGURES[order];
    const sorted = figure ? rows.toSorted((one, other) => figure(other) - figure(one)) : rows;
    const leftOut = (shown: number) =>
      `Left out: ${rows.length - shown} of ${rows.length} rows, which are in the total. Filter, or ask for less time`;
    return listing({
      head: `From ${start_date} until ${end_date ?? "now"}, ordered by ${order}.\ntotal ${figuresLine({}, totals)}`,
      rows: sorted.slice(0, limit),
      line: (row) => figuresLine(namesOf(row, query.by), row),
      end:
        rows.length > limit
          ? `${leftOut(limit)}, or send a higher limit (up to 50).`
          : `That is all: ${rows.length} rows.`,
      cut: (_, shown) => `${leftOut(shown)}: more would be too long.`,
    });
  },
});

function namesOf(row: UsageAnswer["rows"][number], by: UsageBy[]) {
  return Object.fromEntries(by.map((name) => [name, row[name] ?? "none"]));
}

function figuresLine(names: Record<string, string>, figures: UsageFigures): string {
  const { calls, tool_calls, errors, input_tokens, output_tokens, cost, latency_ms, scores } = figures;
  const ids = {
    errors,
    tool_calls,
    model_calls: calls,
    input_tokens: input_tokens || undefined,
    output_tokens: output_tokens || undefined,
    cost: Number(cost.amount) > 0 ? `${cost.amount}${cost.currency}` : undefined,
    unpriced_steps: cost.unpriced_steps || undefined,
    p50_ms: latency_ms.p50,
    p95_ms: latency_ms.p95,
  };
  const averages = Object.entries(scores).map(
    ([name, { count, average }]) => `${name} ${average ?? "-"} (${count})`,
  );
  const rest = line({ ids, names: { scores: averages.join(", ") } });
  return `${line({ names })} ${rest}`.trim();
}
