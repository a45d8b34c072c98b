import type { UsageField } from "../token-usage.ts";
import type { Contents, Dialect, Names, Source } from "./dialects/dialect.ts";
import { DIALECTS } from "./dialects/index.ts";

// All dialects as one table for each question, in the order of trust.

export const KINDS = inOrder(({ kinds }) => kinds);
export const NAMES = byField<keyof Names, string>(({ names }) => names);
export const CONTENTS = byField<keyof Contents, Source>(({ contents }) => contents);
export const USAGE = byField<UsageField, string>(({ usage }) => usage);
export const USAGE_OBJECTS = inOrder(({ usageObjects }) => usageObjects);
export const FIRST_TOKENS = inOrder(({ firstToken }) => firstToken);
export const STATUS = inOrder(({ status }) => (status ? [status] : []));
export const EVENTS = new Map(inOrder(({ events }) => Object.entries(events ?? {})));
/** Those that spans of the same client tell as well. */
export const EVENTS_OF_SPANS = new Set(
  inOrder(({ events, hasSpansOfEvents }) => (hasSpansOfEvents ? Object.keys(events ?? {}) : [])),
);

function inOrder<Item>(itemsOf: (dialect: Dialect) => Item[] | undefined): Item[] {
  return DIALECTS.flatMap((dialect) => itemsOf(dialect) ?? []);
}

function byField<Field extends string, Item>(
  tableOf: (dialect: Dialect) => { [field in Field]?: Item[] } | undefined,
): Map<Field, Item[]> {
  const fields = new Map<Field, Item[]>();
  for (const dialect of DIALECTS) {
    for (const [field, items] of Object.entries(tableOf(dialect) ?? {})) {
      fields.set(field as Field, [...(fields.get(field as Field) ?? []), ...(items as Item[])]);
    }
  }
  return fields;
}
