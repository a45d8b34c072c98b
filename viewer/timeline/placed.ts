/** Where a bar is, in pixels: as a style. What took no time is one pixel wide. */
export function placed(left: number, width: number) {
  return { left: `${left}px`, width: `${Math.max(width, 1)}px` };
}
