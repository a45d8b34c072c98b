import { endOf, type Skeleton, startOf } from "../run/run.ts";
import type { Axis, Stretch } from "./axis.ts";

/** Pixels. */
export interface Bar {
  left: number;
  width: number;
}

/** Where things are on an axis of so many pixels. */
export interface Scale {
  axis: Axis;
  width: number;
  /** Of each stretch, in the axis' order. */
  pieces: (Stretch & Bar)[];
  pixelsPerMillisecond: number;
}

/** Pixels. */
const FOLDED = 72;
const NARROWEST = 3;
const NARROWEST_SLOT = 10;

/** Lays an axis out. `width`: of all of it; `window`: of the part that is seen at once, which folded gaps are made for. */
export function scaleOf(axis: Axis, width: number, window: number): Scale {
  const { stretches, stepCount } = axis;
  const folded = stretches.filter(isFolded).length;
  const gap = Math.min(FOLDED, (window * 0.4) / Math.max(folded, 1));
  // The last bar has a width, even where it lasts no time.
  const room = Math.max(0, width - folded * gap - NARROWEST);
  const milliseconds = sum(stretches, (stretch) => (isLinear(stretch) ? stretch.to - stretch.from : 0));
  const untold = sum(stretches, ({ kind, number }) => (kind === "untold" ? number : 0));
  const share = Math.max(
    (room * untold) / Math.max(stepCount, 1),
    Math.min(untold * NARROWEST_SLOT, room * 0.3),
  );
  const forUntold = milliseconds === 0 ? room : Math.min(share, room);
  const pixelsPerMillisecond = milliseconds === 0 ? 0 : (room - (untold > 0 ? forUntold : 0)) / milliseconds;

  let left = 0;
  const pieces = stretches.map((stretch) => {
    const piece = { ...stretch, left, width: gap };
    if (isLinear(stretch)) piece.width = (stretch.to - stretch.from) * pixelsPerMillisecond;
    if (stretch.kind === "untold") piece.width = (forUntold * stretch.number) / untold;
    left += piece.width;
    return piece;
  });
  return { axis, width, pieces, pixelsPerMillisecond };
}

export function barOf(scale: Scale, step: Skeleton): Bar {
  const slot = scale.axis.slots.get(step.id);
  const moment = slot && scale.pieces[slot.moment];
  if (slot && moment) {
    const width = moment.width / moment.number;
    return within(scale, moment.left + slot.place * width, width - 1);
  }
  const left = pixelOfStart(scale, startOf(step));
  return within(scale, left, pixelOfEnd(scale, endOf(step)) - left);
}

/** What begins at a moment of untold times begins behind it. */
function pixelOfStart({ pieces }: Scale, time: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((pieces[middle] as Stretch).from <= time) low = middle;
    else high = middle - 1;
  }
  return pixelIn(pieces[low], time);
}

function pixelOfEnd({ pieces }: Scale, time: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((pieces[middle] as Stretch).to >= time) high = middle;
    else low = middle + 1;
  }
  return pixelIn(pieces[low], time);
}

function pixelIn(piece: (Stretch & Bar) | undefined, time: number): number {
  if (!piece) return 0;
  const { from, to, left, width } = piece;
  if (to <= from) return left;
  return left + width * Math.min(1, Math.max(0, (time - from) / (to - from)));
}

/** No bar is too narrow to be seen, and none lies beyond the end. */
function within(scale: Scale, left: number, width: number): Bar {
  const wide = Math.max(NARROWEST, width);
  return { left: Math.max(0, Math.min(left, scale.width - wide)), width: wide };
}

function isFolded({ kind, isOpen }: Stretch): boolean {
  return kind === "gap" && !isOpen;
}

function isLinear({ kind, isOpen }: Stretch): boolean {
  return kind === "time" || (kind === "gap" && isOpen);
}

function sum(stretches: Stretch[], of: (stretch: Stretch) => number): number {
  return stretches.reduce((total, stretch) => total + of(stretch), 0);
}
