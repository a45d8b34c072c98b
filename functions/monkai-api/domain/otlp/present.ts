import type { JsonObject } from "../json.ts";

/** Without the members that are undefined. */
export function present<Members extends object>(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined)) as Members;
}

/** Without those that say nothing either: 0, an empty text, list or object. */
export function telling(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, member]) => !isEmpty(member)));
}

function isEmpty(value: unknown): boolean {
  if (!value) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}
