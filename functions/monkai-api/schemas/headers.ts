/** The headers of requests and responses, as the OpenAPI document tells of them. Middleware reads and writes them. */

/** The contract's form of `X-Request-ID` and `Idempotency-Key`. */
export const ID_FORM = {
  type: "string",
  maxLength: 128,
  pattern: "^[\\x21-\\x7E][\\x20-\\x7E]{0,127}$",
} as const;
const COUNT = { type: "integer", minimum: 0 } as const;

/** A token is good in either of the two schemes. */
export const EITHER_SCHEME: Record<string, string[]>[] = [{ bearerAuth: [] }, { tracerTokenHeader: [] }];

/** components/parameters */
export const REQUEST_HEADERS = {
  RequestIdHeader: {
    name: "X-Request-ID",
    in: "header",
    required: false,
    schema: ID_FORM,
    description: "Your own id for this request. The response carries it back; without one it is a UUIDv4.",
  },
  IfNoneMatchHeader: {
    name: "If-None-Match",
    in: "header",
    required: false,
    schema: { type: "string" },
    description:
      "The `ETag` of an answer that you have: where nothing has changed since, it is 304 without a body.",
  },
  IdempotencyKeyHeader: {
    name: "Idempotency-Key",
    in: "header",
    required: false,
    schema: ID_FORM,
    description:
      "Makes retries safe: for 24 hours, the same key with the same body gets the first response again, and nothing is " +
      "stored twice; with another body it is 422 `idempotency_key_conflict`. Errors are not remembered.",
  },
} as const;

/** components/headers */
export const RESPONSE_HEADERS = {
  XRequestId: {
    schema: { type: "string" },
    description: "The client's request id, or the one that was made for it.",
  },
  RateLimitLimit: {
    schema: COUNT,
    description: "Requests per minute in this bucket. Also as `RateLimit-Limit`.",
  },
  RateLimitRemaining: { schema: COUNT, description: "What is left of them. Also as `RateLimit-Remaining`." },
  RateLimitReset: {
    schema: { ...COUNT, maximum: 60 },
    description:
      "Seconds until the next minute's window (bucket `otlp`: until there is more). Also as `RateLimit-Reset`.",
  },
  RateLimitPolicy: {
    schema: { type: "string" },
    description:
      'The current IETF draft\'s form of the limit: `"traces";q=600;w=60`. A bucket that refills by the second says how much.',
  },
  RateLimit: {
    schema: { type: "string" },
    description: 'The current IETF draft\'s form of the rest: `"traces";r=599;t=47`.',
  },
  WwwAuthenticate: {
    schema: { type: "string", enum: ["Bearer"] as string[] },
    description: "How to authenticate.",
  },
  RetryAfter: {
    schema: COUNT,
    description: "Seconds to wait; on a 429, equal to the reset (bucket `otlp`: never above 5).",
  },
  ContentDisposition: {
    schema: { type: "string" },
    description: 'A name for the file: `attachment; filename="my-agent-records-2025-12-10.csv"`.',
  },
  ETag: {
    schema: { type: "string" },
    description: "The version of what is in the answer: send it as `If-None-Match`.",
  },
  IdempotencyReplay: {
    schema: { type: "string", enum: ["true"] as string[] },
    description: "Present when an earlier request's response is repeated.",
  },
  IdempotencyOriginalRequestId: {
    schema: { type: "string" },
    description: "On a replay, the `X-Request-ID` of the request whose response this is.",
  },
} as const;

const every = { "X-Request-ID": ref("XRequestId") };
const unauthorized = { ...every, "WWW-Authenticate": ref("WwwAuthenticate") };
const limited = {
  ...every,
  "X-RateLimit-Limit": ref("RateLimitLimit"),
  "X-RateLimit-Remaining": ref("RateLimitRemaining"),
  "X-RateLimit-Reset": ref("RateLimitReset"),
  "RateLimit-Limit": ref("RateLimitLimit"),
  "RateLimit-Remaining": ref("RateLimitRemaining"),
  "RateLimit-Reset": ref("RateLimitReset"),
  "RateLimit-Policy": ref("RateLimitPolicy"),
  RateLimit: ref("RateLimit"),
};

/** Which headers a response has: every one, those of limited endpoints, a 429, and those that heed idempotency keys. */
export const responseHeaders = {
  every,
  unauthorized,
  limited,
  exported: { ...limited, "Content-Disposition": ref("ContentDisposition") },
  versioned: { ...limited, ETag: ref("ETag") },
  outage: { ...every, "Retry-After": ref("RetryAfter") },
  exceeded: { ...limited, "Retry-After": ref("RetryAfter") },
  idempotent: {
    ...limited,
    "Idempotency-Replay": ref("IdempotencyReplay"),
    "Idempotency-Original-Request-ID": ref("IdempotencyOriginalRequestId"),
  },
};

/** All that is said of a response in its headers: what a browser's script must be allowed to read. */
export const RESPONSE_HEADER_NAMES = Object.keys({
  ...responseHeaders.exceeded,
  ...responseHeaders.exported,
  ...responseHeaders.versioned,
  ...responseHeaders.idempotent,
});

function ref(name: keyof typeof RESPONSE_HEADERS) {
  return { $ref: `#/components/headers/${name}` };
}
