import type { MiddlewareHandler } from "hono";
import { hashTracerToken } from "../domain/tracer-token.ts";
import { ApiError } from "../errors.ts";
import { type Bucket, RATE_LIMITS } from "../rate-limits.ts";
import type { AppEnv } from "../services.ts";

/**
 * Takes the tracer token from `tracer_token` (which wins) or `Authorization`, and opens the request's store with its
 * hash. Without a token: 401, and no round trip.
 */
export const credentials = (bucket: Bucket): MiddlewareHandler<AppEnv> =>
  async function credentials(c, next) {
    c.set("bucket", bucket);
    const authorization = c.req.header("Authorization");
    const token = c.req.header("tracer_token") || authorizedBy(authorization);
    if (!token) throw new ApiError("missing_token", missing(authorization));
    const tokenHash = await hashTracerToken(token);
    const caller = { requestId: c.get("requestId"), tokenHash, bucket, limit: RATE_LIMITS[bucket] };
    c.set("store", c.get("services").store.request(caller));
    await next();
  };

/** What to tell those who sent no token, or one in a way that cannot be read. */
function missing(authorization = ""): string {
  const isTwice = /^Bearer +Bearer\b/i.test(authorization);
  if (isTwice) return "`Authorization` has `Bearer` twice: give the token alone (`tk_...`)";
  return "Missing tracer token (use `tracer_token` header or `Authorization: Bearer tk_...`)";
}

/**
 * `Bearer`, or `Basic` with the token as password, whatever the user's name: Langfuse's clients know no other way. `%20` is a
 * blank, because some exporters (Claude Code's) send `OTEL_EXPORTER_OTLP_HEADERS` as it is encoded there.
 */
function authorizedBy(authorization = ""): string | undefined {
  const [, scheme = "", credentials = ""] = /^(Bearer|Basic)(?: +|%20)(\S+) *$/i.exec(authorization) ?? [];
  return scheme.toLowerCase() === "basic" ? passwordOf(credentials) : credentials;
}

function passwordOf(base64: string): string | undefined {
  try {
    return /:(.*)/.exec(atob(base64))?.[1];
  } catch {
    return undefined;
  }
}
