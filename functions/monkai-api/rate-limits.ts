/**
 * Requests per token and minute, by bucket (fixed window). Source: the contract's changelog, v1.4. `rules`, `view` and
 * `otlp` are ours; `otlp` has no window: it refills by the second.
 */
export const RATE_LIMITS = {
  traces: 600,
  traces_batch: 60,
  bulk_upload: 60,
  sessions: 600,
  query: 60,
  rules: 60,
  otlp: 600,
  view: 300,
} as const;

export type Bucket = keyof typeof RATE_LIMITS;

/** Exporters of OpenTelemetry throw away what must wait longer than ten seconds: their bucket never lets them wait long. */
export const REFILLED = "otlp" satisfies Bucket;
const LONGEST_WAIT = 5;

/** What is left of a window. `reset` is the seconds until the next one; in a bucket that refills, until there is more. */
export interface RateLimit {
  bucket: string;
  limit: number;
  remaining: number;
  reset: number;
}

/** The headers of a limited response: the legacy names, the older draft's and the current IETF draft's. */
export function rateLimitHeaders({ bucket, limit, remaining, reset }: RateLimit): Record<string, string> {
  return {
    "X-RateLimit-Limit": `${limit}`,
    "X-RateLimit-Remaining": `${remaining}`,
    "X-RateLimit-Reset": `${reset}`,
    "RateLimit-Limit": `${limit}`,
    "RateLimit-Remaining": `${remaining}`,
    "RateLimit-Reset": `${reset}`,
    "RateLimit-Policy": policyOf(bucket, limit),
    RateLimit: `"${bucket}";r=${remaining};t=${reset}`,
  };
}

/** How many seconds who is beyond the limit should wait. */
export function secondsToWait({ bucket, reset }: RateLimit): number {
  return bucket === REFILLED ? Math.max(1, Math.min(reset, LONGEST_WAIT)) : reset;
}

/** `refill`: how many requests come back each second, up to the limit. */
function policyOf(bucket: string, limit: number): string {
  const policy = `"${bucket}";q=${limit};w=60`;
  return bucket === REFILLED ? `${policy};refill=${Number((limit / 60).toFixed(3))}` : policy;
}
