/** Requests per token and minute, by bucket (fixed window). Source: the contract's changelog, v1.4. */
export const RATE_LIMITS = {
  traces: 600,
  traces_batch: 60,
  bulk_upload: 60,
  sessions: 600,
  query: 60,
  rules: 60,
} as const;

export type Bucket = keyof typeof RATE_LIMITS;

/** What is left of a window. `reset` is the seconds until the next one. */
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
    "RateLimit-Policy": `"${bucket}";q=${limit};w=60`,
    RateLimit: `"${bucket}";r=${remaining};t=${reset}`,
  };
}
