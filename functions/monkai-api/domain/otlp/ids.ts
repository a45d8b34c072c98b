const SOME_HEX = /^(?!0+$)[0-9a-f]+$/;

export const TRACE_ID_DIGITS = 32;
export const SPAN_ID_DIGITS = 16;

/** The id, undefined where it is none: of another length, not in hex, or all zero. */
export function idOf(id: string, digits: number): string | undefined {
  return id.length === digits && SOME_HEX.test(id) ? id : undefined;
}
