import type { Money as MoneyShape } from "../api/types.ts";
import { now } from "../state/clock.ts";

const numbers = new Intl.NumberFormat();
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** Seconds in each unit that a time is told in. */
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** When something was: how long ago, and exactly for whoever points at it. */
export function Time({ value }: { value: string }) {
  const moment = new Date(value);
  return (
    <time dateTime={value} title={absolute.format(moment)}>
      {howLongAgo((moment.getTime() - now.value) / 1000)}
    </time>
  );
}

/** A moment in full, of the browser's time zone unless told. */
export function exactTime(value: string, timeZone?: string): string {
  if (!timeZone) return absolute.format(new Date(value));
  const options = { dateStyle: "medium", timeStyle: "short", timeZone } as const;
  return new Intl.DateTimeFormat(undefined, options).format(new Date(value));
}

function howLongAgo(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return relative.format(Math.round(seconds / size), unit);
}

export function Count({ value }: { value: number }) {
  return numbers.format(value);
}

/** Tokens in and out. Null: not told. */
export function Tokens({ input, output }: { input: number | null; output: number | null }) {
  if (input === null && output === null) return <Unknown />;
  return (
    <span title={`${told(input)} in, ${told(output)} out`}>
      {told(input)} <span class="quiet">→</span> {told(output)}
    </span>
  );
}

function told(tokens: number | null): string {
  return tokens === null ? "?" : numbers.format(tokens);
}

/** What something costs; what has no known price is never shown as free. */
export function Money({ value, isInWords }: { value: MoneyShape | null; isInWords?: boolean }) {
  if (!value || value.amount === null) return <Unknown />;
  const { amount, currency, unpriced_steps = 0 } = value;
  const missing = unpriced_steps === 1 ? "1 step has no price" : `${unpriced_steps} steps have no price`;
  return (
    <span title={`${amount} ${currency}${unpriced_steps ? `: ${missing}` : ""}`}>
      {unpriced_steps > 0 && (isInWords ? "at least " : "≥ ")}
      {money(Number(amount), currency)}
    </span>
  );
}

export function money(amount: number, currency: string): string {
  const digits = amount === 0 || amount >= 1 ? 2 : Math.min(8, 1 - Math.floor(Math.log10(amount)));
  const style = { style: "currency", currency, maximumFractionDigits: Math.max(2, digits) } as const;
  return new Intl.NumberFormat(undefined, style).format(amount);
}

export function Duration({ milliseconds }: { milliseconds: number | null }) {
  return milliseconds === null ? <Unknown /> : durationText(milliseconds);
}

export function durationText(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function Unknown() {
  return <span class="quiet">unknown</span>;
}
