import { costsOf, type Price } from "./costs.ts";
import { type CountedScore, type CountedStep, microseconds } from "./counted.ts";
import { dayIn, hourIn } from "./time-zones.ts";

export const BY = ["day", "hour", "namespace", "agent", "model", "tool", "user"] as const;
export type By = (typeof BY)[number];

export interface UsageQuestion {
  by: By[];
  time_zone: string;
  start_date: string;
  end_date?: string;
  filters: { namespace?: string; agent?: string; model?: string; tool?: string; user_id?: string };
}

/** The rows and totals of GET /v1/usage, added up from what was exported. Keys of rows: the values that they are by, as JSON. */
export function usageOf(
  steps: CountedStep[],
  scores: CountedScore[],
  prices: Price[],
  question: UsageQuestion,
) {
  const isWanted = wantedBy(question);
  const { namespace, tool } = question.filters;
  const seen = scores.map((score) => seenFrom(namespace, score));
  const wanted = { steps: steps.filter(isWanted), scores: seen.filter(isWanted) };
  const rows = new Map<string, { steps: CountedStep[]; scores: CountedScore[] }>();
  const rowOf = (item: CountedStep | CountedScore) => {
    const key = keyOf(question, item);
    const row = rows.get(key) ?? { steps: [], scores: [] };
    rows.set(key, row);
    return row;
  };
  for (const step of wanted.steps) rowOf(step).steps.push(step);
  for (const score of wanted.scores) rowOf(score).scores.push(score);
  const isByTool = tool !== undefined || question.by.includes("tool");
  return {
    rows: Object.fromEntries(
      [...rows].map(([key, row]) => [key, figuresOf(row.steps, row.scores, prices, isByTool)]),
    ),
    totals: figuresOf(wanted.steps, wanted.scores, prices, tool !== undefined),
  };
}

/** What stands in another namespace than the one that is asked for tells nothing. */
function seenFrom(namespace: string | undefined, score: CountedScore): CountedScore {
  if (namespace === undefined || score.home === namespace) return score;
  return { ...score, agent: null, model: null, tool: null, user: null };
}

function wantedBy({ time_zone, start_date, end_date, filters }: UsageQuestion) {
  return (item: CountedStep | CountedScore) =>
    (start_date.length === 10
      ? dayIn(time_zone, item.at) >= start_date
      : item.at >= microseconds(start_date)) &&
    (end_date === undefined ||
      (end_date.length === 10 ? dayIn(time_zone, item.at) <= end_date : item.at <= microseconds(end_date))) &&
    (filters.namespace === undefined || item.namespace === filters.namespace) &&
    (filters.agent === undefined || item.agent === filters.agent) &&
    (filters.model === undefined || item.model === filters.model) &&
    (filters.tool === undefined || item.tool === filters.tool) &&
    (filters.user_id === undefined || item.user === filters.user_id);
}

function keyOf({ by, time_zone }: UsageQuestion, item: CountedStep | CountedScore): string {
  return JSON.stringify(
    by.map((name) => {
      if (name === "day") return dayIn(time_zone, item.at);
      return name === "hour" ? hourIn(time_zone, item.at) : item[name];
    }),
  );
}

export function figuresOf(steps: CountedStep[], scores: CountedScore[], prices: Price[], ofTools: boolean) {
  const calls = steps.filter(({ type }) => type === "llm_call");
  const toolCalls = steps.filter(({ type }) => type === "tool_call");
  const timed = ofTools && toolCalls.length > 0 ? toolCalls : calls;
  const latencies = timed.flatMap(({ latency_ms }) => latency_ms ?? []).sort((one, other) => one - other);
  return {
    calls: calls.length,
    tool_calls: toolCalls.length,
    errors: steps.filter(({ is_error }) => is_error).length,
    ...tokensOf(steps),
    cost: costsOf(steps, prices),
    latency_ms: { p50: nearestRank(latencies, 50), p95: nearestRank(latencies, 95) },
    scores: scoreFiguresOf(scores),
  };
}

export function tokensOf(steps: CountedStep[]) {
  const sum = (name: "input_tokens" | "cached_input_tokens" | "output_tokens" | "reasoning_tokens") =>
    steps.reduce((total, step) => total + step[name], 0);
  return {
    input_tokens: sum("input_tokens"),
    cached_input_tokens: sum("cached_input_tokens"),
    output_tokens: sum("output_tokens"),
    reasoning_tokens: sum("reasoning_tokens"),
  };
}

function nearestRank(sorted: number[], percent: number): number | null {
  return sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? null;
}

export function scoreFiguresOf(scores: CountedScore[]) {
  const names = new Map<string, CountedScore[]>();
  for (const score of scores) names.set(score.name, [...(names.get(score.name) ?? []), score]);
  return Object.fromEntries(
    [...names].map(([name, same]) => {
      const values = same.flatMap(({ value }) => value ?? []);
      const average =
        values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
      return [name, { count: same.length, average }];
    }),
  );
}

// biome-ignore lint/suspicious/noExplicitAny: read as any client would
type Read = any;

/** What was read, with what is near enough to what was expected in its place: latencies within 5 %, averages but for rounding. */
export function nearOnes(read: Read, expected: Read): Read {
  if (expected === undefined) return read;
  const latency_ms = read.latency_ms && {
    p50: near(read.latency_ms.p50, expected.latency_ms.p50, 0.05),
    p95: near(read.latency_ms.p95, expected.latency_ms.p95, 0.05),
  };
  const scores = Object.fromEntries(
    Object.entries<Read>(read.scores).map(([name, { count, average }]) => {
      return [name, { count, average: near(average, expected.scores[name]?.average, 1e-12) }];
    }),
  );
  return { ...read, ...(latency_ms ? { latency_ms } : {}), scores };
}

/** One decimal is told: half of its last place is no mistake. */
function near(read: number | null, expected: number | null | undefined, part: number): number | null {
  if (read === null || expected === null || expected === undefined) return read;
  const room = Math.abs(expected) * part + (part > 0.01 ? 0.05 : 0);
  return Math.abs(read - expected) <= room ? expected : read;
}
