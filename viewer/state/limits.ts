import { signal } from "@preact/signals";

/** What is left of the requests that a token may make in a minute, as the API told it last. */
export interface Limit {
  bucket: string;
  limit: number;
  remaining: number;
  /** When there are all of them again, in milliseconds since 1970. */
  resetAt: number;
}

export const limits = signal<Record<string, Limit>>({});

/** Reads the headers of an answer: the bucket is told in `RateLimit`, as `"view";r=297;t=8`. */
export function noteLimit(headers: Headers): void {
  const [, bucket] = /^"([^"]+)"/.exec(headers.get("RateLimit") ?? "") ?? [];
  if (!bucket) return;
  const number = (name: string) => Number(headers.get(`X-RateLimit-${name}`));
  const resetAt = Date.now() + number("Reset") * 1000;
  const told = { bucket, limit: number("Limit"), remaining: number("Remaining"), resetAt };
  limits.value = { ...limits.peek(), [bucket]: told };
}

export function forgetLimits(): void {
  limits.value = {};
}
