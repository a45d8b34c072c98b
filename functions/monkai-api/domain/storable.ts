const DEEPEST = 100;
/** Digits that numbers with exponents may have in a body when they are written out, as Postgres writes them: 1e308 has 309. */
const MOST_DIGITS = 1024 * 1024;

export type Path = (string | number)[];

interface Unstorable {
  path: Path;
  message: string;
}

/**
 * Finds the first value of a parsed JSON body that Postgres could not store as it is: the character U+0000, a number
 * beyond a double, nesting that nobody could read back, or numbers that take up far more room there than here. Halves of surrogate pairs (a text cut in the middle of an
 * emoji) are repaired in place with U+FFFD, as every UTF-8 encoder does.
 */
export function findUnstorable(
  value: unknown,
  path: Path = [],
  written = { digits: 0 },
): Unstorable | undefined {
  if (typeof value === "string") {
    return value.includes("\u0000") ? unstorable(path, "must not contain the character \\u0000") : undefined;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return unstorable(path, "is a number too large to be stored");
    written.digits += exponentOf(value);
    if (written.digits <= MOST_DIGITS) return undefined;
    return unstorable(path, "is one of too many numbers with large exponents: send them as text");
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (path.length >= DEEPEST) return unstorable(path, `is nested more than ${DEEPEST} levels deep`);

  const members = value as Record<string | number, unknown>;
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    const member = members[key];
    if (typeof key === "string" && (key.includes("\u0000") || !key.isWellFormed())) {
      return unstorable(path, "has a member whose name cannot be stored");
    }
    if (typeof member === "string" && !member.isWellFormed()) members[key] = member.toWellFormed();
    path.push(key);
    const found = findUnstorable(members[key], path, written);
    if (found) return found;
    path.pop();
  }
  return undefined;
}

/** How many digits a number has before or behind its point beyond those that JSON shows. */
function exponentOf(value: number): number {
  const size = Math.abs(value);
  return size >= 1e21 || (size < 1e-6 && size > 0) ? Math.abs(Math.log10(size)) : 0;
}

function unstorable(path: Path, message: string): Unstorable {
  return { path: [...path], message };
}
