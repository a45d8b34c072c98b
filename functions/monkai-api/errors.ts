import type { ContentfulStatusCode } from "hono/utils/http-status";

/**
 * Every error code of the contract (the `Error` schema of the MonkAI document), its status and what it tells the client.
 * The OpenAPI enum and the table in docs/api.md are made from this one. `unauthorized` is never sent.
 */
export const ERRORS = {
  bad_request: {
    status: 400,
    meaning: "The request cannot be read: malformed JSON, or a header out of form.",
  },
  missing_field: { status: 400, meaning: "A required field is absent or null. The message names it." },
  invalid_payload: {
    status: 400,
    meaning: "A field has a wrong type or value (400), the body is too large (413) or not JSON (415).",
  },
  namespace_taken: { status: 409, meaning: "This namespace is registered already." },
  namespace_too_similar: { status: 409, meaning: "A namespace with nearly this name is registered already." },
  unauthorized: { status: 401, meaning: "The request is not authenticated." },
  missing_token: { status: 401, meaning: "There is no tracer token in the request." },
  invalid_token: { status: 401, meaning: "The tracer token is not known." },
  token_expired: { status: 401, meaning: "The tracer token is past its expiry." },
  token_inactive: { status: 401, meaning: "The tracer token was revoked." },
  forbidden: { status: 403, meaning: "The tracer token may not use this namespace." },
  not_found: { status: 404, meaning: "There is nothing at this path." },
  idempotency_key_conflict: { status: 422, meaning: "The idempotency key was used for another request." },
  rate_limit_exceeded: { status: 429, meaning: "The minute's limit is used up. Wait `Retry-After` seconds." },
  internal_error: { status: 500, meaning: "Our fault. Retry with a growing pause; quote the request id." },
  encryption_error: {
    status: 500,
    meaning: "Content could not be encrypted (then nothing was stored), or not be decrypted.",
  },
  anonymization_error: { status: 500, meaning: "Content could not be anonymized. Nothing was stored." },
} as const satisfies Record<string, { status: ContentfulStatusCode; meaning: string }>;

export type ErrorCode = keyof typeof ERRORS;

export const ERROR_CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

/** A refusal that a client gets to see: thrown anywhere, answered by `middleware/refusals.ts`. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: ContentfulStatusCode;
  /** What an endpoint says beside the envelope, as `similar_namespaces`. */
  readonly context: Record<string, unknown>;

  /**
   * `status` only where one code has several: `invalid_payload` is 413 and 415 too, `bad_request` 405 and 409,
   * `internal_error` 503.
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: { status?: ContentfulStatusCode; context?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? ERRORS[code].status;
    this.context = options.context ?? {};
  }
}

/** What a client sent, as far as it belongs into a message. */
export function shortened(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}...`;
}
