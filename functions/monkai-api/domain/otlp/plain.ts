/** A value as JSON has it. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** How deep values may be nested. What lies deeper is replaced, so that nothing that reads them recurses without limit. */
export const DEEPEST = 64;
export const TOO_DEEP = `(nested deeper than ${DEEPEST} levels)`;

/** Postgres writes out all digits of a number: from here on they would take far more room there than here. */
const LARGEST = 1e30;
const SMALLEST = 1e-30;

/** A text that Postgres can store: U+0000, which it cannot, and halves of surrogate pairs become U+FFFD. */
export function cleanText(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes("\u0000") ? whole.replaceAll("\u0000", "\ufffd") : whole;
}

/** Infinite and extreme numbers become their text. */
export function plainNumber(value: number): number | string {
  const size = Math.abs(value);
  return size === 0 || (size > SMALLEST && size < LARGEST) ? value : String(value);
}

/** A whole number of 64 bits; a text where a double would not hold all of its digits. */
export function plainInteger(value: bigint): number | string {
  const rounded = Number(value);
  return Number.isSafeInteger(rounded) ? rounded : String(value);
}

/** An object of these members. Where a name is told twice, no object can hold them: the list of the pairs. */
export function plainObject(members: [name: string, value: Json][]): Json {
  const object = Object.fromEntries(members);
  return Object.keys(object).length === members.length ? object : members;
}

/**
 * Makes a value that JSON.parse gave storable, in place where that is enough: clean texts and names, no extreme numbers, and
 * nothing that is nested too deep.
 */
export function plainJson(value: unknown, depth = 0): Json {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "number") return plainNumber(value);
  if (typeof value !== "object" || value === null) return typeof value === "boolean" ? value : null;
  if (depth >= DEEPEST) return TOO_DEEP;
  if (Array.isArray(value)) return plainList(value, depth);
  return plainMembers(value as Record<string, unknown>, depth);
}

function plainList(list: unknown[], depth: number): Json {
  for (const [place, item] of list.entries()) {
    const plain = plainJson(item, depth + 1);
    if (plain !== item) list[place] = plain;
  }
  return list as Json[];
}

function plainMembers(object: Record<string, unknown>, depth: number): Json {
  let areNamesClean = true;
  for (const name of Object.keys(object)) {
    const member = object[name];
    const plain = plainJson(member, depth + 1);
    if (plain !== member) object[name] = plain;
    if (cleanText(name) !== name) areNamesClean = false;
  }
  if (areNamesClean) return object as Json;
  const members = Object.entries(object as Record<string, Json>);
  return plainObject(members.map(([name, member]) => [cleanText(name), member]));
}

/** Numbers that a double may not hold: JSON.parse is then asked for the digits, which takes several times as long. */
const LONG_NUMBER = /(?:^|[:[,])\s*-?\d{16}/;

/**
 * Parses JSON. Whole numbers beyond 2^53 become texts of all their digits. Throws a SyntaxError as JSON.parse does.
 */
export function parseJson(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  try {
    return JSON.parse(text, withAllDigits);
  } catch (error) {
    // Only with a reviver is the depth limited by the stack.
    if (error instanceof RangeError) return JSON.parse(text);
    throw error;
  }
}

/** Not every runtime passes the source on; without it the number is as JSON.parse rounds it. */
function withAllDigits(_name: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? source : value;
}

/** What a text of JSON stands for: an object, a list or a quoted text. Undefined for all other texts. */
export function parsedText(text: string): Json | undefined {
  if (!/^\s*[[{"]/.test(text)) return undefined;
  try {
    return plainJson(parseJson(text));
  } catch {
    return undefined;
  }
}
