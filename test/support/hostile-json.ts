import fc from "fast-check";
import { isObject } from "../../functions/monkai-api/domain/json.ts";

export type FieldPath = (string | number)[];

/** What is done to one field of a request that was good until then. */
export type Change = { set: unknown } | { add: [name: string, value: unknown] } | "remove";

export interface Mutation {
  path: FieldPath;
  change: Change;
}

const STRINGS = [
  "",
  " ",
  "a\u0000b",
  "cut \ud83d",
  "\udc4b\ud83d",
  "\ufeff\u202e\u2028",
  "e\u0301\u1e9b\u0323",
  "👩‍👩‍👧‍👦",
  "x".repeat(20_000),
  "'; drop table tenants; --",
  "eq.1,or=(a.eq.b)",
  "\\u0000",
  "{}",
  "0",
  "null",
  "2025-02-30",
  "9999-12-31T23:59:59.9999999-14:00",
  "0001-01-01T00:00:00+14:00",
  "infinity",
];
const NUMBERS = [2 ** 31, 2 ** 53, 2 ** 63, 1e21, 1.7976931348623157e308, -1e308, 5e-324, 0.1, -1];
const NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "length",
  "",
  "\u0000",
  "a\ud83d",
  "a.b[0]",
];

/** Any UTF-16 code units, halves of surrogate pairs among them. */
const units = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});
/** Any text, and often one that is known to make trouble. */
export const anyText = fc.oneof(fc.constantFrom(...STRINGS), fc.string({ unit: "binary" }), units);
const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: "binary", maxLength: 8 }));
const nested = fc
  .integer({ min: 90, max: 110 })
  .map((depth) => JSON.parse("[".repeat(depth) + "]".repeat(depth)));
const number = fc.oneof(
  fc.constantFrom(...NUMBERS),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Any JSON value, and often one that is known to make trouble. */
const { value: anyJson } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    anyText,
    number,
    fc.boolean(),
    fc.constant(null),
    nested,
    fc.constant({ length: { toString: "" } }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

/** A change of any one of the fields. */
export function mutations(paths: FieldPath[]): fc.Arbitrary<Mutation> {
  const change: fc.Arbitrary<Change> = fc.oneof(
    { weight: 8, arbitrary: fc.record({ set: anyJson }) },
    { weight: 2, arbitrary: fc.record({ add: fc.tuple(name, anyJson) }) },
    { weight: 1, arbitrary: fc.constant("remove" as const) },
  );
  return fc.record({ path: fc.constantFrom(...paths), change });
}

/** The same value but for one field. What lies on the way to it is made where it is not there. */
export function mutated(value: unknown, { path, change }: Mutation): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return changed(value, change);
  if (Array.isArray(value)) {
    return value.map((item, index) => (index === key ? mutated(item, { path: rest, change }) : item));
  }
  const members = isObject(value) ? value : {};
  if (rest.length === 0 && change === "remove") return without(members, String(key));
  return withMember(members, String(key), mutated(members[key], { path: rest, change }));
}

function changed(value: unknown, change: Change): unknown {
  if (change === "remove") return null;
  if ("set" in change) return change.set;
  return withMember(isObject(value) ? value : {}, ...change.add);
}

/** Not by assignment: a member may be called `__proto__`. */
function withMember(members: object, name: string, value: unknown): object {
  return Object.fromEntries([...Object.entries(members), [name, value]]);
}

function without(members: object, name: string): object {
  return Object.fromEntries(Object.entries(members).filter(([member]) => member !== name));
}

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document is read as the JSON that it is
type Json = any;

/** Where the fields of a request are: all that its schema knows, and all that its example has. */
export function fieldPaths(document: Json, schema: Json, example: Json): FieldPath[] {
  const found = new Map<string, FieldPath>();
  collect(document, schema, example, [], (path) => found.set(JSON.stringify(path), path));
  return [...found.values()];
}

function collect(
  document: Json,
  schema: Json,
  example: Json,
  path: FieldPath,
  note: (path: FieldPath) => void,
) {
  note(path);
  if (Array.isArray(example)) {
    const items = schemasOf(document, schema).find((each) => each.items)?.items ?? {};
    for (const [index, item] of example.entries()) collect(document, items, item, [...path, index], note);
    return;
  }
  const properties = Object.assign({}, ...schemasOf(document, schema).map((each) => each.properties));
  for (const name of new Set([
    ...Object.keys(properties),
    ...Object.keys(isObject(example) ? example : {}),
  ])) {
    collect(document, properties[name] ?? {}, example?.[name], [...path, name], note);
  }
}

/** A schema, and those that it refers to and chooses from. */
function schemasOf(document: Json, schema: Json): Json[] {
  if (schema.$ref) {
    const names = schema.$ref.slice(2).split("/");
    return schemasOf(
      document,
      names.reduce((holder: Json, name: string) => holder[name], document),
    );
  }
  const choices = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  return [schema, ...choices.flatMap((choice) => schemasOf(document, choice))];
}
