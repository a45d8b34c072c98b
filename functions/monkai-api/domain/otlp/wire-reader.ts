import { ENUMS, MESSAGES, type WireField } from "./wire-messages.ts";

/** A message as it is read, of one of the types of wire-messages.ts. */
export type WireMessage = Record<string, unknown>;

/** A type of messages: its fields by number (protobuf) and by name (JSON), and what those are that do not come. */
export interface MessageType {
  byNumber: (WireField | undefined)[];
  byName: Map<string, WireField>;
  fields: WireField[];
}

const NUMBERS = new Set(["double", "int32", "uint32", "fixed32"]);
const LARGE_NUMBERS = new Set(["int64", "fixed64"]);

export const isEnum = (type: string) => Object.hasOwn(ENUMS, type);
export const isLargeNumber = (type: string) => LARGE_NUMBERS.has(type);
export const isNumber = (type: string) => NUMBERS.has(type);

const TYPES = new Map(Object.entries(MESSAGES).map(([name, fields]) => [name, messageType(fields)]));

function messageType(fields: WireField[]): MessageType {
  const byNumber: (WireField | undefined)[] = [];
  const byName = new Map<string, WireField>();
  for (const field of fields) {
    byNumber[field[0]] = field;
    byName.set(field[1], field);
    byName.set(
      field[1].replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      field,
    );
  }
  return { byNumber, byName, fields };
}

/** Undefined where the type is no message but a single value. */
export function messageTypeOf(type: string): MessageType | undefined {
  return TYPES.get(type);
}

/** A message of which nothing came. Another message in it is absent then. */
export function emptyMessage({ fields }: MessageType): WireMessage {
  const message: WireMessage = {};
  for (const [, name, type, isList] of fields) message[name] = isList ? [] : absentValue(type);
  return message;
}

function absentValue(type: string): unknown {
  if (TYPES.has(type)) return undefined;
  if (isLargeNumber(type)) return 0n;
  return isNumber(type) || isEnum(type) ? 0 : "";
}
