import type { Usage, UsageRow } from "../api/types.ts";
import { type Dimension, dimensionValue, isTime, type Metric, valueText } from "./dimensions.ts";

export interface Bar {
  title: string;
  total: number;
  /** One for each series, in their order. */
  parts: number[];
}

export interface Chart {
  bars: Bar[];
  /** How many more there are than bars. */
  leftOut: number;
  /** What bars are stacked of; one without a title where they are not. */
  series: string[];
  largest: number;
}

/** More bars of time are too narrow to be seen, more of anything else too many to be read. */
const MOST_TIMES = 400;
const MOST_OTHERS = 30;
/** As many colours as can be told apart; what is smaller becomes "others". */
const MOST_SERIES = 6;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The bars of an answer: by its first dimension, stacked by its second. */
export function chartOf(answer: Usage, by: Dimension[], metric: Metric, zone: string): Chart {
  const [first = "day", second] = by;
  const series = seriesOf(answer.rows, second, metric);
  const parts = new Map<string | null, number[]>();
  for (const key of isTime(first) ? timesOf(answer, first, zone) : []) parts.set(key, zeros(series.length));
  for (const row of answer.rows) {
    const key = dimensionValue(row, first);
    const bar = parts.get(key) ?? zeros(series.length);
    const index = Math.max(
      0,
      second ? series.findIndex(({ keys }) => keys.has(dimensionValue(row, second))) : 0,
    );
    bar[index] = (bar[index] ?? 0) + metric.value(row);
    parts.set(key, bar);
  }
  const all = [...parts].map(([key, parts]) => ({ key, parts, total: parts.reduce((a, b) => a + b, 0) }));
  const shown = isTime(first)
    ? all.sort((a, b) => `${a.key}`.localeCompare(`${b.key}`)).slice(-MOST_TIMES)
    : all
        .filter(({ total }) => total > 0)
        .sort((a, b) => b.total - a.total)
        .slice(0, MOST_OTHERS);
  const largest = shown.reduce((most, { total }) => Math.max(most, total), 0);
  const withSomething = isTime(first) ? all.length : all.filter(({ total }) => total > 0).length;
  return {
    bars: shown.map(({ key, parts, total }) => ({ title: valueText(first, key, zone), parts, total })),
    leftOut: withSomething - shown.length,
    series: series.map(({ title }) => title),
    largest,
  };
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

/** The largest values of the second dimension, and the others together. */
function seriesOf(rows: UsageRow[], dimension: Dimension | undefined, metric: Metric) {
  if (!dimension) return [{ title: "", keys: new Set<string | null>() }];
  const totals = new Map<string | null, number>();
  for (const row of rows) {
    const key = dimensionValue(row, dimension);
    totals.set(key, (totals.get(key) ?? 0) + metric.value(row));
  }
  const sorted = [...totals]
    .filter(([, total]) => total > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([key]) => key);
  const most = sorted.length <= MOST_SERIES ? MOST_SERIES : MOST_SERIES - 1;
  const named = sorted
    .slice(0, most)
    .map((key) => ({ title: valueText(dimension, key, ""), keys: new Set([key]) }));
  const others = sorted.slice(most);
  if (others.length > 0) named.push({ title: `${others.length} others`, keys: new Set(others) });
  return named.length > 0 ? named : [{ title: "", keys: new Set<string | null>() }];
}

/** All days or hours of the answer: one in which nothing happened is there as well, as nothing. */
function timesOf({ rows, start_date, end_date }: Usage, dimension: Dimension, zone: string): string[] {
  if (dimension === "hour") {
    const hours = rows.map(({ hour = "" }) => Date.parse(hour)).filter(Number.isFinite);
    if (hours.length === 0) return [];
    const first = Math.min(...hours);
    const many = Math.round((Math.max(...hours) - first) / HOUR) + 1;
    return Array.from({ length: many }, (_, index) => new Date(first + index * HOUR).toISOString());
  }
  const first = Date.parse(dayIn(zone, new Date(start_date)));
  const last = Date.parse(dayIn(zone, end_date ? new Date(end_date) : new Date()));
  const many = Math.max(0, Math.min(Math.round((last - first) / DAY) + 1, 2 * MOST_TIMES));
  return Array.from({ length: many }, (_, index) => new Date(first + index * DAY).toISOString().slice(0, 10));
}

/** A moment's day, as 2026-11-21. */
function dayIn(timeZone: string, moment: Date): string {
  return new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).format(moment);
}
