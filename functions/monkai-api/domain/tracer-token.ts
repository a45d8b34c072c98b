/** A new tracer token: `tk_` and 48 hex characters of randomness. */
export function newTracerToken(): string {
  return `tk_${hex(crypto.getRandomValues(new Uint8Array(24)))}`;
}

/** What is stored of a token: its SHA-256 in lower-case hex. */
export async function hashTracerToken(token: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
