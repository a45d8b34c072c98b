import { hex, sha256Hex } from "./hash.ts";

/** A new tracer token: `tk_` and 48 hex characters of randomness. */
export function newTracerToken(): string {
  return `tk_${hex(crypto.getRandomValues(new Uint8Array(24)))}`;
}

/** What is stored of a token: its SHA-256 in lower-case hex. */
export function hashTracerToken(token: string): Promise<string> {
  return sha256Hex(new TextEncoder().encode(token));
}
