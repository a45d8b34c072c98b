/** Which part of the timeline is seen: all of it at a zoom of 1. Both are in the fragment. */
export interface TimeWindow {
  zoom: number;
  /** Where its left edge is: a share of all. */
  at: number;
}

export const LARGEST_ZOOM = 4_096;

export function windowOf(query: URLSearchParams): TimeWindow {
  return bounded({ zoom: Number(query.get("zoom")) || 1, at: Number(query.get("at")) || 0 });
}

export function bounded({ zoom, at }: TimeWindow): TimeWindow {
  const near = Math.min(LARGEST_ZOOM, Math.max(1, zoom));
  return { zoom: near, at: Math.min(1 - 1 / near, Math.max(0, at)) };
}

/** Nearer or further, about a point of the window that stays where it is (0: its left edge, 1: its right one). */
export function zoomed(from: TimeWindow, factor: number, about = 0.5): TimeWindow {
  const zoom = Math.min(LARGEST_ZOOM, Math.max(1, from.zoom * factor));
  const point = from.at + about / from.zoom;
  return bounded({ zoom, at: point - about / zoom });
}

/** To the side, by a share of the window. */
export function moved({ zoom, at }: TimeWindow, by: number): TimeWindow {
  return bounded({ zoom, at: at + by / zoom });
}
