import type { Scale } from "./scale.ts";

export interface Tick {
  /** Pixels. */
  left: number;
  text: string;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far apart ticks may be: people count in these. */
const DISTANCES = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((days) => days * DAY),
];

/** Pixels that a tick's text needs. */
const ROOM = 78;

/** The ticks between two pixels, counted from the start of the run; each has room for its text. */
export function ticksOf(scale: Scale, from: number, to: number): Tick[] {
  const { pieces, pixelsPerMillisecond, axis } = scale;
  const distance = distanceOf(pixelsPerMillisecond);
  const ticks: Tick[] = [];
  let free = from;
  const put = (left: number, time: number) => {
    if (left < free || left > to - ROOM / 2) return;
    ticks.push({ left, text: elapsedText(time - axis.start) });
    free = left + ROOM;
  };
  for (const piece of pieces) {
    const isTime = piece.kind === "time" || (piece.kind === "gap" && piece.isOpen);
    if (!isTime) {
      // Behind a gap there always is a tick: the time has leapt.
      free = piece.left + piece.width;
      continue;
    }
    if (piece.left + piece.width < from || piece.left > to) continue;
    const timeAt = (pixel: number) =>
      piece.from + (pixel - piece.left) / Math.max(pixelsPerMillisecond, 1e-9);
    if (piece.left >= from) put(piece.left, piece.from);
    const first = Math.max(piece.from, timeAt(from)) - axis.start;
    const last = Math.min(piece.to, timeAt(to)) - axis.start;
    for (let tick = Math.ceil(first / distance) * distance; tick < last; tick += distance) {
      put(piece.left + (axis.start + tick - piece.from) * pixelsPerMillisecond, axis.start + tick);
    }
  }
  return ticks;
}

function distanceOf(pixelsPerMillisecond: number): number {
  const fits = DISTANCES.find((distance) => distance * pixelsPerMillisecond >= ROOM);
  return fits ?? (DISTANCES.at(-1) as number);
}

/** How long after the start: `250 ms`, `12.5 s`, `2:04:05`. */
export function elapsedText(milliseconds: number): string {
  const whole = Math.round(milliseconds);
  if (whole === 0) return "0 s";
  if (whole < SECOND) return `${whole} ms`;
  if (whole < MINUTE) return `${Number((whole / SECOND).toFixed(3))} s`;
  const days = Math.floor(whole / DAY);
  const hours = Math.floor((whole % DAY) / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const seconds = Math.floor((whole % MINUTE) / SECOND);
  const rest = whole % SECOND;
  const fraction = rest === 0 ? "" : `.${`${rest}`.padStart(3, "0").replace(/0+$/, "")}`;
  const clock = hours + days > 0 ? `${hours}:${twoDigits(minutes)}` : `${minutes}`;
  return `${days > 0 ? `${days} d ` : ""}${clock}:${twoDigits(seconds)}${fraction}`;
}

function twoDigits(number: number): string {
  return `${number}`.padStart(2, "0");
}
