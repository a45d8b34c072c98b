import type { Idempotency, Store, StoreRequest } from "./store/store.ts";

export type LogLevel = "info" | "warn" | "error";

/** All that the app needs from outside. Passed in, so that a test or a runtime can bring its own. */
export interface Services {
  store: Pick<Store, "request">;
  now: () => Date;
  newId: () => string;
  log: (level: LogLevel, message: string, requestId: string, cause?: unknown) => void;
}

/** What middleware has found out by the time a handler runs. */
export interface AppEnv {
  Variables: {
    services: Services;
    requestId: string;
    /** The database as this request's token sees it. */
    store: StoreRequest;
    /** Where the client sent an `Idempotency-Key` to a route that heeds it. */
    idempotency?: Idempotency;
  };
}

/** One JSON line on the console, which every runtime collects. Never content, never tokens. */
export function consoleLog(level: LogLevel, message: string, requestId: string, cause?: unknown): void {
  const line = {
    level,
    message,
    request_id: requestId,
    ...(cause === undefined ? {} : { cause: describe(cause) }),
  };
  console[level](JSON.stringify(line));
}

function describe(cause: unknown): string {
  if (typeof cause === "string") return cause;
  return cause instanceof Error ? (cause.stack ?? cause.message) : JSON.stringify(cause);
}
