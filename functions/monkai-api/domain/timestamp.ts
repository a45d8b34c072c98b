const FORM =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,30}))?(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** Which end of a bare day (`2025-10-29`) is meant: a start date its first moment, an end date its last. */
export type DayEnd = "start" | "end";

/**
 * Reads a client's timestamp: RFC 3339, and what real clients send besides (no zone, a space for the T, a bare day),
 * as UTC. Returns RFC 3339 in UTC with microseconds, or undefined for garbage.
 */
export function parseTimestamp(text: string, bareDay: DayEnd = "start"): string | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const [, day, time, fraction = "", zone = "Z"] = match;
  if (!isCalendarDay(day as string)) return undefined;
  if (time === undefined) return bareDay === "start" ? `${day}T00:00:00.000000Z` : `${day}T23:59:59.999999Z`;

  const seconds = time.length === 5 ? `${time}:00` : time;
  if (seconds >= "24") return undefined;
  const moment = new Date(`${day}T${seconds}${withColon(zone)}`);
  if (Number.isNaN(moment.getTime())) return undefined;
  const year = moment.getUTCFullYear();
  if (year < 1 || year > 9999) return undefined;
  return `${moment.toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, "0")}Z`;
}

/** The first moment that Postgres and RFC 3339 both know. */
const FIRST = "0001-01-01T00:00:00.000000Z";

/** So many milliseconds before a moment of `parseTimestamp`, in the same form and to the microsecond. */
export function earlier(moment: string, milliseconds: number): string {
  const before = Date.parse(moment) - milliseconds;
  if (!(before >= Date.parse(FIRST))) return FIRST;
  return `${new Date(before).toISOString().slice(0, -1)}${moment.slice(-4, -1)}Z`;
}

/** Date would roll 30 February over into March. */
function isCalendarDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return (
    !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day) && !day.startsWith("0000")
  );
}

function withColon(zone: string): string {
  if (zone === "z") return "Z";
  if (zone.length === 3) return `${zone}:00`;
  return zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
}
