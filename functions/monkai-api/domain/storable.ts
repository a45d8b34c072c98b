const DEEPEST = 100;

export type Path = (string | number)[];

export interface Unstorable {
  path: Path;
  message: string;
}

/**
 * Finds the first value of a parsed JSON body that Postgres could not store as it is: the character U+0000, a number
 * beyond a double, or nesting that nobody could read back. Halves of surrogate pairs (a text cut in the middle of an
 * emoji) are repaired in place with U+FFFD, as every UTF-8 encoder does.
 */
export function findUnstorable(value: unknown, path: Path = []): Unstorable | undefined {
  if (typeof value === "string") {
    return value.includes("\u0000") ? unstorable(path, "must not contain the character \\u0000") : undefined;
  }
  if (typeof value === "number") {
    return Number.isFinite(value) ? undefined : unstorable(path, "is a number too large to be stored");
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
    const found = findUnstorable(members[key], path);
    if (found) return found;
    path.pop();
  }
  return undefined;
}

function unstorable(path: Path, message: string): Unstorable {
  return { path: [...path], message };
}
