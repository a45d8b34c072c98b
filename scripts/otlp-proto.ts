// `node scripts/otlp-proto.ts`: makes domain/otlp/wire-messages.ts from OpenTelemetry's own .proto files beside it, which
// are those of v1.11.0. Then `npm run format`.
import { readFileSync, writeFileSync } from "node:fs";
import { type Field, readProto } from "./otlp-proto/read-proto.ts";

const FOLDER = new URL("../functions/monkai-api/domain/otlp/", import.meta.url);
const FILES = ["common", "resource", "trace", "logs"];

/** What a request consists of. The rest of the files is profiles' and entities', which nobody sends here. */
const READ = ["TracesData", "LogsData"];

/** These are read into plain JSON values; the code that does it uses their numbers. */
const VALUES: Record<string, string> = {
  AnyValue: "Json",
  KeyValue: "[key: string, value: Json]",
  ArrayValue: "Json",
  KeyValueList: "Json",
};

const SCALARS: Record<string, string> = {
  string: "string",
  bytes: "string",
  bool: "boolean",
  double: "number",
  int32: "number",
  uint32: "number",
  fixed32: "number",
  int64: "bigint",
  fixed64: "bigint",
};

const paths = FILES.map((file) => `proto/opentelemetry/proto/${file}/v1/${file}.proto`);
const { messages, enums } = readProto(paths.map((path) => readFileSync(new URL(path, FOLDER), "utf8")));
writeFileSync(new URL("wire-messages.ts", FOLDER), source());

function source(): string {
  const used = usedBy(READ);
  const usedEnums = [...new Set(used.flatMap(fieldsOf).map(typeOf))].filter((type) => enums.has(type));
  return [
    "// Made by `node scripts/otlp-proto.ts` from the files in proto/, which are Apache-2.0. Do not edit.",
    'import type { Json } from "./plain.ts";',
    "",
    ...used.filter((name) => !(name in VALUES)).flatMap(interfaceOf),
    "/** A field: its number, its name in JSON, its type, and whether there may be many. */",
    "export type WireField = [number: number, name: string, type: string, isList: boolean];",
    "",
    "export const MESSAGES: Record<string, WireField[]> = {",
    ...used.flatMap((name) => [
      `  ${name}: [`,
      ...fieldsOf(name).map((field) => `    ${rowOf(field)},`),
      "  ],",
    ]),
    "};",
    "",
    "/** The names of an enum's values, in the order of their numbers. */",
    "export const ENUMS: Record<string, string[]> = {",
    ...usedEnums.map(
      (name) =>
        `  ${name}: [${namesOf(name)
          .map((text) => `"${text}"`)
          .join(", ")}],`,
    ),
    "};",
    "",
  ].join("\n");
}

/** The messages that these ones are made of, each once. */
function usedBy(names: string[]): string[] {
  const used = new Set<string>(names);
  for (const name of used) {
    for (const type of fieldsOf(name).map(typeOf)) if (messages.has(type)) used.add(type);
  }
  return [...used];
}

function fieldsOf(name: string): Field[] {
  return messages.get(name) ?? [];
}

function typeOf({ type }: Field): string {
  return type.split(".").at(-1) as string;
}

function jsonName({ name }: Field): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function rowOf(field: Field): string {
  return `[${field.number}, "${jsonName(field)}", "${typeOf(field)}", ${field.isList}]`;
}

function interfaceOf(name: string): string[] {
  const members = fieldsOf(name).map((field) => `  ${jsonName(field)}${memberType(field)};`);
  return [`export interface ${name} {`, ...members, "}", ""];
}

/** A message may be absent; everything else has its default then. */
function memberType(field: Field): string {
  const type = typeOf(field);
  const written = VALUES[type] ?? SCALARS[type] ?? (enums.has(type) ? "number" : type);
  if (field.isList) return `: ${written}[]`;
  return messages.has(type) ? `?: ${written}` : `: ${written}`;
}

function namesOf(name: string): string[] {
  const values = enums.get(name) ?? [];
  return values.map(([text, number], place) => {
    if (number !== place) throw new Error(`${name} has a gap before ${text}.`);
    return text;
  });
}
