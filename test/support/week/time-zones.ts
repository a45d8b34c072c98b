const QUARTER = 900_000;
const HOUR = 3_600_000;

interface Place {
  day: string;
  hour: string;
}

const places = new Map<string, Map<number, Place>>();

/** Days, hours and changes of summer time begin with a quarter of an hour, wherever that is. */
function placeIn(zone: string, at: number): Place {
  const quarter = Math.floor(at / 1000 / QUARTER) * QUARTER;
  const known = places.get(zone) ?? new Map<number, Place>();
  places.set(zone, known);
  const place = known.get(quarter) ?? newPlace(zone, quarter);
  known.set(quarter, place);
  return place;
}

function newPlace(zone: string, quarter: number): Place {
  const local = localTime(zone, quarter);
  const hour = Math.floor(local / HOUR) * HOUR - (local - quarter);
  return { day: new Date(local).toISOString().slice(0, 10), hour: new Date(hour).toISOString() };
}

const formats = new Map<string, Intl.DateTimeFormat>();

function localTime(zone: string, milliseconds: number): number {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat("en", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
  formats.set(zone, format);
  const parts = Object.fromEntries(
    format.formatToParts(milliseconds).map(({ type, value }) => [type, value]),
  );
  const { year, month, day, hour, minute, second } = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The day of the time zone in which a moment (in microseconds) is. */
export function dayIn(zone: string, at: number): string {
  return placeIn(zone, at).day;
}

/** The beginning of the hour of the time zone in which a moment (in microseconds) is. */
export function hourIn(zone: string, at: number): string {
  return placeIn(zone, at).hour;
}
