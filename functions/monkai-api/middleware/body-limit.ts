import type { MiddlewareHandler } from "hono";
import { ApiError } from "../errors.ts";
import type { AppEnv } from "../services.ts";

const MEBIBYTE = 1024 * 1024;

/** The largest body of a request about one thing, of one about many, and of one that was inflated, in bytes. */
export const BODY_LIMIT = { single: MEBIBYTE, bulk: 10 * MEBIBYTE, inflated: 20 * MEBIBYTE };

/** How much of a body that is not wanted is read and thrown away, and for how long. A client beyond it is cut off. */
const DRAINED = 64 * MEBIBYTE;
const DRAINED_MILLISECONDS = 5_000;

/**
 * Reads the body of a request that was answered without it, as one that lacks a token is: a client, or a proxy, that is
 * still sending when the connection closes never sees the answer. A client that sent `Expect`
 * waits for an answer before it sends its body: it has its answer, and is left alone.
 */
export const drainBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const request = c.req.raw;
  // In this order: to ask for the body makes a stream of it.
  if (request.bodyUsed || c.req.header("Expect") || !request.body) return;
  const signal = AbortSignal.timeout(DRAINED_MILLISECONDS);
  await request.body.pipeTo(nowhere(), { signal }).catch(() => {});
};

function nowhere(): WritableStream<Uint8Array> {
  let size = 0;
  return new WritableStream({
    write(chunk) {
      size += chunk.length;
      if (size > DRAINED) throw new Error("The body is too large to be read for nothing.");
    },
  });
}

/** Refuses bodies over `maxSize` bytes, declared or streamed. Unlike Hono's own, it reads a refused body to its end. */
export const limitBody = (maxSize: number): MiddlewareHandler<AppEnv> =>
  async function limitBody(c, next) {
    const { headers } = c.req.raw;
    const declared = headers.has("Transfer-Encoding")
      ? Number.NaN
      : Number(headers.get("Content-Length") ?? Number.NaN);
    if (declared <= maxSize || c.req.raw.body === null) return next();

    const bytes = await readUpTo(maxSize, c.req.raw.body).catch(bodyBroken);
    if (bytes === undefined) throw tooLarge(maxSize);
    c.req.raw = new Request(c.req.raw, { body: bytes });
    await next();
  };

/** A client that breaks off is no error of ours. */
export function bodyBroken(cause: unknown): never {
  throw new ApiError("bad_request", "The body ended before it was complete.", { cause });
}

export function tooLarge(maxSize: number, how = ""): ApiError {
  const message = `The body is larger than ${maxSize / MEBIBYTE} MiB${how}. Send less at a time.`;
  return new ApiError("invalid_payload", message, { status: 413 });
}

/** The bytes of a body, undefined when there are more than `maxSize`. What is too large is read up to `mostRead`. */
export async function readUpTo(
  maxSize: number,
  body: AsyncIterable<Uint8Array>,
  mostRead = DRAINED,
): Promise<Blob | undefined> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size <= maxSize) chunks.push(chunk as Uint8Array<ArrayBuffer>);
    if (size > mostRead) break;
  }
  return size <= maxSize ? new Blob(chunks) : undefined;
}
