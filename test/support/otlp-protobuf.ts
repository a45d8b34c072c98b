import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ENUMS, MESSAGES, type WireField } from "../../functions/monkai-api/domain/otlp/wire-messages.ts";

type Sent = Record<string, unknown>;

/** A body of OTLP's JSON as protobuf, of the type TracesData or LogsData. */
export function asProtobuf(body: unknown, type: "TracesData" | "LogsData"): Uint8Array {
  return written(body as Sent, type).finish();
}

function written(sent: Sent, type: string): BinaryWriter {
  const writer = new BinaryWriter();
  for (const [name, value] of Object.entries(sent)) {
    const field = MESSAGES[type]?.find(([, known]) => known === name);
    if (field) for (const item of field[3] ? (value as unknown[]) : [value]) writeField(writer, field, item);
  }
  return writer;
}

function writeField(writer: BinaryWriter, [number, name, type]: WireField, value: unknown): void {
  if (MESSAGES[type]) {
    // What is nested too deep for this function comes as bytes.
    const bytes = value instanceof Uint8Array ? value : written(value as Sent, type).finish();
    writer.tag(number, WireType.LengthDelimited).bytes(bytes);
  } else if (type === "string") writer.tag(number, WireType.LengthDelimited).string(value as string);
  else if (type === "bytes")
    writer.tag(number, WireType.LengthDelimited).bytes(bytesOf(name, value as string));
  else if (type === "double") writer.tag(number, WireType.Bit64).double(Number(value));
  else if (type === "fixed64") writer.tag(number, WireType.Bit64).fixed64(value as string);
  else if (type === "int64") writer.tag(number, WireType.Varint).int64(value as string);
  else if (type === "fixed32") writer.tag(number, WireType.Bit32).fixed32(value as number);
  else if (type === "bool") writer.tag(number, WireType.Varint).bool(value as boolean);
  else writer.tag(number, WireType.Varint).int32(numberOf(type, value));
}

function numberOf(type: string, value: unknown): number {
  return typeof value === "string" ? (ENUMS[type]?.indexOf(value) ?? 0) : (value as number);
}

/** Ids are in hex, values in base64. */
function bytesOf(name: string, text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, name === "bytesValue" ? "base64" : "hex"));
}

/** The number and the text that a message of protobuf holds, as google.rpc.Status does. */
export function numberAndText(bytes: Uint8Array): { number?: number; text?: string } {
  const reader = new BinaryReader(bytes);
  const found: { number?: number; text?: string } = {};
  while (reader.pos < reader.len) {
    if (reader.tag()[0] === 1) found.number = reader.int32();
    else found.text = reader.string();
  }
  return found;
}

/** The same of the message that another one holds as its only field, as an answer holds `partialSuccess`. */
export function partialSuccess(bytes: Uint8Array): { number?: number; text?: string } {
  const reader = new BinaryReader(bytes);
  reader.tag();
  return numberAndText(reader.bytes());
}
