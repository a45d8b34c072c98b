import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { hex } from "../hash.ts";
import { type Counter, countMessage, countValue } from "./counter.ts";
import { OtlpError } from "./otlp-error.ts";
import { cleanText, DEEPEST, type Json, plainInteger, plainNumber, plainObject, TOO_DEEP } from "./plain.ts";
import { emptyMessage, isEnum, type MessageType, messageTypeOf, type WireMessage } from "./wire-reader.ts";

const FIXED_64 = new Set(["double", "fixed64"]);
const LENGTHS = new Set(["string", "bytes"]);

class CountingReader extends BinaryReader implements Counter {
  messages = 0;
  values = 0;
}

/** Reads a message of protobuf. Fields that are unknown, or not of the type that they should have, are skipped. */
export function readProtobuf(body: Uint8Array, type: string): WireMessage {
  const reader = new CountingReader(body);
  try {
    return readMessage(reader, body.length, messageTypeOf(type) as MessageType);
  } catch (error) {
    if (error instanceof OtlpError) throw error;
    throw new OtlpError(`The body is not protobuf: ${(error as Error).message} near byte ${reader.pos}.`);
  }
}

function readMessage(reader: CountingReader, end: number, type: MessageType): WireMessage {
  countMessage(reader);
  const message = emptyMessage(type);
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = type.byNumber[number];
    if (field === undefined || wireType !== wireTypeOf(field[2])) {
      reader.skip(wireType, number);
      continue;
    }
    const [, name, fieldType, isList] = field;
    const value = readValue(reader, end, fieldType);
    if (isList) (message[name] as unknown[]).push(value);
    else message[name] = value;
  }
  return endedAt(reader, end, message);
}

function wireTypeOf(type: string): WireType {
  if (LENGTHS.has(type) || messageTypeOf(type)) return WireType.LengthDelimited;
  if (FIXED_64.has(type)) return WireType.Bit64;
  return type === "fixed32" ? WireType.Bit32 : WireType.Varint;
}

function readValue(reader: CountingReader, outerEnd: number, type: string): unknown {
  if (type === "string") return cleanText(reader.string());
  if (type === "bytes") return hex(reader.bytes());
  if (type === "fixed64") return BigInt(reader.fixed64());
  if (type === "fixed32") return reader.fixed32();
  if (type === "uint32") return reader.uint32();
  if (isEnum(type)) return reader.int32();

  const end = endOfMessage(reader, outerEnd);
  if (type === "KeyValue") return readPair(reader, end, 0);
  return type === "AnyValue"
    ? readAnyValue(reader, end, 0)
    : readMessage(reader, end, messageTypeOf(type) as MessageType);
}

/** Where the message ends that begins here. It cannot be longer than the one that it stands in. */
function endOfMessage(reader: CountingReader, outerEnd: number): number {
  const length = reader.uint32();
  if (reader.pos + length > outerEnd) throw new Error("a message is cut off");
  return reader.pos + length;
}

function endedAt<Value>(reader: CountingReader, end: number, value: Value): Value {
  if (reader.pos !== end) throw new Error("a field is longer than its message");
  return value;
}

/** The numbers of AnyValue's fields, and the only one of lists (`values`). */
const ANY = { string: 1, bool: 2, int: 3, double: 4, array: 5, kvlist: 6, bytes: 7 } as const;
const VALUES = 1;
const KEY = 1;
const VALUE = 2;

/** A value as plain JSON. An empty one, and one of a type that is not known, is null. */
function readAnyValue(reader: CountingReader, end: number, depth: number): Json {
  countValue(reader);
  let value: Json = null;
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited && number === ANY.string) value = cleanText(reader.string());
    else if (wireType === WireType.Varint && number === ANY.bool) value = reader.bool();
    else if (wireType === WireType.Varint && number === ANY.int) value = plainInteger(BigInt(reader.int64()));
    else if (wireType === WireType.Bit64 && number === ANY.double) value = plainNumber(reader.double());
    else if (wireType === WireType.LengthDelimited && number === ANY.bytes) value = base64(reader.bytes());
    else if (wireType === WireType.LengthDelimited && (number === ANY.array || number === ANY.kvlist)) {
      value = readNested(reader, endOfMessage(reader, end), number === ANY.kvlist, depth);
    } else reader.skip(wireType, number);
  }
  return endedAt(reader, end, value);
}

function readNested(reader: CountingReader, end: number, isObject: boolean, depth: number): Json {
  if (depth < DEEPEST)
    return isObject ? readObject(reader, end, depth + 1) : readList(reader, end, depth + 1);
  reader.pos = end;
  return TOO_DEEP;
}

function readList(reader: CountingReader, end: number, depth: number): Json {
  const list: Json[] = [];
  eachValue(reader, end, (valueEnd) => list.push(readAnyValue(reader, valueEnd, depth)));
  return list;
}

function readObject(reader: CountingReader, end: number, depth: number): Json {
  const members: [string, Json][] = [];
  eachValue(reader, end, (valueEnd) => members.push(readPair(reader, valueEnd, depth)));
  return plainObject(members);
}

function eachValue(reader: CountingReader, end: number, read: (valueEnd: number) => void): void {
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    if (number === VALUES && wireType === WireType.LengthDelimited) read(endOfMessage(reader, end));
    else reader.skip(wireType, number);
  }
  endedAt(reader, end, undefined);
}

function readPair(reader: CountingReader, end: number, depth: number): [string, Json] {
  countValue(reader);
  const pair: [string, Json] = ["", null];
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) reader.skip(wireType, number);
    else if (number === KEY) pair[0] = cleanText(reader.string());
    else if (number === VALUE) pair[1] = readAnyValue(reader, endOfMessage(reader, end), depth);
    else reader.skip(wireType, number);
  }
  return endedAt(reader, end, pair);
}

/** As many bytes as become characters at once: a function's arguments are limited. */
const CHUNK = 8190;

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += btoa(String.fromCharCode(...bytes.subarray(start, start + CHUNK)));
  }
  return text;
}
