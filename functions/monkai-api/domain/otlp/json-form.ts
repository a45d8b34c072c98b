import { isObject, type JsonObject } from "../json.ts";
import { type Counter, countMessage } from "./counter.ts";
import { OtlpError } from "./otlp-error.ts";
import {
  cleanText,
  DEEPEST,
  type Json,
  parseJson,
  plainInteger,
  plainJson,
  plainNumber,
  plainObject,
  TOO_DEEP,
} from "./plain.ts";
import { ENUMS } from "./wire-messages.ts";
import {
  emptyMessage,
  isEnum,
  isLargeNumber,
  isNumber,
  type MessageType,
  messageTypeOf,
  type WireMessage,
} from "./wire-reader.ts";

/** Where something stands in the body, from inside out. It is written out only when something is wrong there. */
interface Place {
  within?: Place;
  at: string | number;
}

const BODY: Place = { at: "The body" };

/** Reads a body of JSON. */
export function parseBody(body: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder().decode(body));
  } catch (error) {
    throw new OtlpError(`The body is not JSON: ${cleanText((error as Error).message)}`);
  }
}

/** Reads a message of OTLP's JSON. Members that are unknown are skipped; single values are read as far as they go. */
export function readJson(body: Uint8Array, type: string): WireMessage {
  return readMessage(parseBody(body), messageTypeOf(type) as MessageType, BODY, { messages: 0, values: 0 });
}

function readMessage(sent: unknown, type: MessageType, place: Place, counter: Counter): WireMessage {
  countMessage(counter);
  const message = emptyMessage(type);
  for (const [member, value] of Object.entries(objectAt(sent, place))) {
    const field = type.byName.get(member);
    if (field === undefined || value === null || value === undefined) continue;
    const [, name, fieldType, isList] = field;
    const at = { within: place, at: member };
    message[name] = isList
      ? readList(value, fieldType, at, counter)
      : readValue(value, fieldType, name, at, counter);
  }
  return message;
}

function readList(sent: unknown, type: string, place: Place, counter: Counter): unknown[] {
  if (!Array.isArray(sent)) throw new OtlpError(`${written(place)} is not a list.`);
  return sent.map((item, index) => readValue(item, type, "", { within: place, at: index }, counter));
}

function readValue(sent: unknown, type: string, name: string, place: Place, counter: Counter): unknown {
  if (type === "KeyValue") return readPair(sent, 0, place);
  if (type === "AnyValue") return readAnyValue(sent, 0);
  const message = messageTypeOf(type);
  if (message) return readMessage(sent, message, place, counter);
  if (isEnum(type)) return enumNumber(sent, ENUMS[type] as string[]);
  if (isLargeNumber(type)) return unsigned(sent);
  if (isNumber(type)) return count(sent);
  return type === "bytes" ? idText(sent, name) : textOf(sent);
}

/** Ids are written in hex, in either case. What is no text is none, even where its digits look like one. */
function idText(sent: unknown, name: string): string {
  return typeof sent === "string" ? cleanText(sent).toLowerCase() : `(${name} is no text)`;
}

function textOf(sent: unknown): string {
  if (typeof sent === "string") return cleanText(sent);
  return typeof sent === "number" || typeof sent === "boolean" ? String(sent) : "";
}

function count(sent: unknown): number {
  const number = typeof sent === "string" ? Number(sent) : sent;
  return Number.isSafeInteger(number) ? (number as number) : 0;
}

function enumNumber(sent: unknown, names: string[]): number {
  const place = typeof sent === "string" ? names.indexOf(sent) : -1;
  return place >= 0 ? place : count(sent);
}

const MOST = 2n ** 64n - 1n;

/** 0 where it is no whole number of 64 bits. */
function unsigned(sent: unknown): bigint {
  const text = typeof sent === "number" ? String(sent) : sent; // an object may have no text at all
  if (typeof text !== "string" || !/^\d{1,20}$/.test(text)) return 0n;
  const value = BigInt(text);
  return value <= MOST ? value : 0n;
}

function readPair(sent: unknown, depth: number, place: Place): [string, Json] {
  const { key, value } = objectAt(sent, place);
  return [textOf(key), readAnyValue(value, depth)];
}

/** A value as plain JSON, read as far as it is one. An empty one, and one of a type that is not known, is null. */
function readAnyValue(sent: unknown, depth: number): Json {
  if (!isObject(sent)) return plainJson(sent, depth);
  let read: Json = null;
  for (const [member, value] of Object.entries(sent)) {
    const reader = ANY.get(member);
    if (reader && value !== null && value !== undefined) read = reader(value, depth);
  }
  return read;
}

type ReadAny = (sent: unknown, depth: number) => Json;

const readers: Record<string, ReadAny> = {
  stringValue: plainJson,
  boolValue: plainJson,
  intValue: (sent, depth) => wholeNumber(sent) ?? plainJson(sent, depth),
  doubleValue: (sent, depth) => double(sent) ?? plainJson(sent, depth),
  bytesValue: plainJson,
  arrayValue: (sent, depth) =>
    nested(sent, depth, (values) => values.map((value) => readAnyValue(value, depth + 1))),
  kvlistValue: (sent, depth) => nested(sent, depth, (values) => members(values, depth)),
};

const ANY = new Map<string, ReadAny>(
  Object.entries(readers).flatMap(([name, read]) => [
    [name, read],
    [name.replace("Value", "_value"), read],
  ]),
);

function wholeNumber(sent: unknown): Json | undefined {
  const text = typeof sent === "number" ? String(sent) : sent;
  return typeof text === "string" && /^-?\d{1,19}$/.test(text) ? plainInteger(BigInt(text)) : undefined;
}

const SPECIAL = new Set(["NaN", "Infinity", "-Infinity"]);

function double(sent: unknown): Json | undefined {
  if (typeof sent === "string" && (sent.trim() === "" || SPECIAL.has(sent))) return undefined;
  const number = typeof sent === "string" ? Number(sent) : sent;
  return typeof number === "number" && !Number.isNaN(number) ? plainNumber(number) : undefined;
}

function nested(sent: unknown, depth: number, read: (values: unknown[]) => Json): Json {
  if (depth >= DEEPEST) return TOO_DEEP;
  if (!isObject(sent)) return plainJson(sent, depth);
  return read(Array.isArray(sent.values) ? sent.values : []);
}

function members(values: unknown[], depth: number): Json {
  const pairs = values.filter(isObject).map(({ key, value }): [string, Json] => {
    return [textOf(key), readAnyValue(value, depth + 1)];
  });
  return plainObject(pairs);
}

function objectAt(sent: unknown, place: Place): JsonObject {
  if (isObject(sent)) return sent;
  throw new OtlpError(`${written(place)} is not an object.`);
}

function written(place: Place): string {
  const { within, at } = place;
  if (within === undefined) return String(at);
  if (typeof at === "number") return `${written(within)}[${at}]`;
  return within === BODY ? cleanText(at) : `${written(within)}.${cleanText(at)}`;
}
