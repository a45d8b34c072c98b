import type { OtlpForm } from "./domain/otlp/wire.ts";
import type { Bucket } from "./rate-limits.ts";
import type { Idempotency } from "./store/database-request.ts";
import type { Store } from "./store/store.ts";
import type { StoreRequest } from "./store/store-request.ts";

export type LogLevel = "info" | "warn" | "error";

/** What a line of the log says beside its message. */
export interface LogFacts {
  request_id: string;
  cause?: unknown;
  [fact: string]: unknown;
}

/** All that the app needs from outside. Passed in, so that a test or a runtime can bring its own. */
export interface Services {
  store: Pick<Store, "request" | "checkReady">;
  /** A file in or below the folder `assets`, undefined where this deployment does not have it. */
  readAsset: (name: string) => Promise<ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | undefined>;
  now: () => Date;
  newId: () => string;
  log: (level: LogLevel, message: string, facts: LogFacts) => void;
}

/** What middleware has found out by the time a handler runs. */
export interface AppEnv {
  Variables: {
    services: Services;
    requestId: string;
    /** The rate limit bucket of the route, where it has one. */
    bucket?: Bucket;
    /** The database as this request's token sees it. */
    store: StoreRequest;
    /** Where the client sent an `Idempotency-Key` to a route that heeds it. */
    idempotency?: Idempotency;
    /** How to answer a client of OpenTelemetry: as it asks. Absent on all other routes. */
    otlpForm?: OtlpForm;
    /** What a client of OpenTelemetry sent, inflated. */
    otlpBody: { form: OtlpForm; bytes: Uint8Array };
  };
}

/** One JSON line on the console, which every runtime collects. Never content, never tokens. */
export function consoleLog(level: LogLevel, message: string, { cause, ...facts }: LogFacts): void {
  const line = { level, message, ...facts, ...(cause === undefined ? {} : { cause: describe(cause) }) };
  console[level](JSON.stringify(line));
}

function describe(cause: unknown): string {
  if (typeof cause === "string") return cause;
  return cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause);
}
