import { ApiError } from "../errors.ts";
import { readUpTo, tooLarge } from "./body-limit.ts";

/** Bytes that are inflated at once. They become a thousand times as many at most. */
const SLICE = 16 * 1024;

/** Inflates gzip. What would be more than `maxSize` bytes is 413, and is not inflated to its end. */
export async function inflated(bytes: Uint8Array<ArrayBuffer>, maxSize: number): Promise<Uint8Array> {
  const whole = await readUpTo(maxSize, inflating(bytes), maxSize).catch(notGzip);
  if (whole === undefined) throw tooLarge(maxSize, " when it is inflated");
  return whole.bytes();
}

function notGzip(cause: unknown): never {
  throw new ApiError("bad_request", "The body is no gzip, or not all of it.", { cause });
}

/**
 * What the bytes become, slice by slice: each one goes in when all that came of the one before it was read. Left to itself, a
 * stream of workerd takes in whatever it is given, read or not: 10 MiB would become 10 GiB in memory.
 */
async function* inflating(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array> {
  let start = 0;
  let reads = 0;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    if (start >= bytes.length) return controller.close();
    if (start > 0) await settled(() => reads);
    controller.enqueue(bytes.subarray(start, start + SLICE));
    start += SLICE;
  };
  const slices = new ReadableStream({ pull }, { highWaterMark: 0 });
  for await (const chunk of slices.pipeThrough(new DecompressionStream("gzip"))) {
    reads += 1;
    yield chunk;
  }
}

/** Until a number has stayed as it is for a turn of the event loop. */
async function settled(current: () => number): Promise<void> {
  let seen: number;
  do {
    seen = current();
    await new Promise((resolve) => setTimeout(resolve, 0));
  } while (seen !== current());
}
