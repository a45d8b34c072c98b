import * as z from "zod";
import { parseTimestamp } from "../domain/timestamp.ts";
import { ApiError } from "../errors.ts";
import { timeZone } from "../schemas/common.ts";

const HOUR = 3_600_000;
const UNITS = { m: 60_000, h: HOUR, d: 24 * HOUR };

/** From and to when, as a model says it. */
export const timeRange = (without: string) => ({
  since: z
    .string()
    .optional()
    .describe(
      `today, yesterday, a day (2026-11-21), a time (2026-11-21T14:00:00Z), or how long ago (30m, 24h, 7d). ${without}`,
    ),
  until: z
    .string()
    .optional()
    .describe(
      "In the same words; a day is included whole. Yesterday alone: since=yesterday, until=yesterday.",
    ),
  time_zone: timeZone().describe("Whose days are meant, as America/Recife. Times in answers are UTC."),
});

/** The moments that are meant, as the store takes them. */
export function momentsOf(
  { since, until, time_zone }: { since?: string; until?: string; time_zone: string },
  now: Date,
): { start_date?: string; end_date?: string } {
  return {
    ...(since ? { start_date: moment("since", since, time_zone, now) } : {}),
    ...(until ? { end_date: moment("until", until, time_zone, now) } : {}),
  };
}

function moment(field: "since" | "until", text: string, timeZone: string, now: Date): string {
  const day = dayOf(text, timeZone, now);
  const edge = field === "since" ? firstMoment : lastMoment;
  // In the end all are read as timestamps are: beyond the years that the database knows, there is none.
  const told = parseTimestamp(day ? edge(day, timeZone) : (momentAgo(text, now) ?? text));
  if (told) return told;
  throw new ApiError(
    "invalid_payload",
    `${field}: must be today, yesterday, a day like 2026-11-21, a time like 2026-11-21T14:00:00Z, or how long ago, as 24h or 7d`,
  );
}

function momentAgo(text: string, now: Date): string | undefined {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  return count && new Date(now.getTime() - Number(count) * UNITS[unit as "m" | "h" | "d"]).toISOString();
}

/** The day that a text names: `YYYY-MM-DD`. */
function dayOf(text: string, timeZone: string, now: Date): string | undefined {
  if (text.length === 10 && parseTimestamp(text)) return text;
  if (text !== "today" && text !== "yesterday") return undefined;
  const today = new Date(now.getTime() + offset(now.getTime(), timeZone)).toISOString().slice(0, 10);
  const days = text === "today" ? 0 : 1;
  return new Date(Date.parse(today) - days * 24 * HOUR).toISOString().slice(0, 10);
}

/** When a day of the zone begins, or the one that is so many days later. */
function firstMoment(day: string, timeZone: string, days = 0): string {
  const midnight = Date.parse(day) + days * 24 * HOUR;
  const nearly = midnight - offset(midnight, timeZone);
  return new Date(midnight - offset(nearly, timeZone)).toISOString();
}

function lastMoment(day: string, timeZone: string): string {
  const next = Date.parse(firstMoment(day, timeZone, 1));
  return new Date(next - 1).toISOString().replace("Z", "999Z");
}

/** How many milliseconds the clocks of a zone are before UTC's. */
function offset(moment: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" });
  const name = format.formatToParts(moment).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign, hours = 0, minutes = 0, seconds = 0] = /([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name) ?? [];
  const length = Number(hours) * HOUR + Number(minutes) * 60_000 + Number(seconds) * 1000;
  return sign === "-" ? -length : length;
}
