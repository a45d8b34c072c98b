/** How a request is written, and its answer as well. */
export type OtlpForm = "json" | "protobuf";

/** What did not become steps, and why. */
export interface Partial {
  rejected: number;
  message: string;
}

/** The answer to a request that was taken, whole or but for some of its spans or records. */
export function writeAnswer(
  form: OtlpForm,
  signal: "traces" | "logs",
  partial?: Partial,
): Uint8Array<ArrayBuffer> | string {
  if (form === "protobuf")
    return partial ? bytesField(1, numberAndText(partial.rejected, partial.message)) : EMPTY;
  if (!partial) return "{}";
  const rejected = signal === "traces" ? "rejectedSpans" : "rejectedLogRecords";
  return JSON.stringify({
    partialSuccess: { [rejected]: String(partial.rejected), errorMessage: partial.message },
  });
}

/** The answer to a request that was refused: google.rpc.Status. */
export function writeStatus(
  form: OtlpForm,
  { code, message }: { code: number; message: string },
): Uint8Array<ArrayBuffer> | string {
  return form === "json" ? JSON.stringify({ code, message }) : numberAndText(code, message);
}

// All answers consist of a number (1) and a text (2): too little for a library, whose writer is as large as its reader.
const EMPTY = new Uint8Array();
const NUMBER_1 = 0x08;
const LENGTH_DELIMITED = 2;

function numberAndText(number: number, text: string): Uint8Array<ArrayBuffer> {
  const written = number === 0 ? [] : [NUMBER_1, ...varint(number)];
  return joined(new Uint8Array(written), text === "" ? EMPTY : bytesField(2, new TextEncoder().encode(text)));
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined(new Uint8Array([field * 8 + LENGTH_DELIMITED, ...varint(bytes.length)]), bytes);
}

function varint(number: number): number[] {
  const low = number % 128;
  return number < 128 ? [low] : [low + 128, ...varint((number - low) / 128)];
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
