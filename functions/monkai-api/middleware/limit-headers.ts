import type { MiddlewareHandler } from "hono";
import { rateLimitHeaders, secondsToWait } from "../rate-limits.ts";
import type { AppEnv } from "../services.ts";
import { onError } from "./refusals.ts";

/**
 * Tells in the response's headers what is left of the rate limit. A request that was refused on its way to the database
 * (bad body, too large, not JSON) has not been counted yet: then its one round trip is `admit` alone, and a bad token or
 * a used-up limit is told instead.
 */
export const limitHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  const store = c.get("store");
  const services = c.get("services");
  const requestId = c.get("requestId");
  if (!store.asked) {
    try {
      await store.admit();
    } catch (error) {
      c.res = await onError(error as Error, c);
    }
  }

  for (const warning of store.admission?.warnings ?? []) {
    services.log("warn", warning, { request_id: requestId });
  }
  const rateLimit = store.admission?.rate_limit;
  if (!rateLimit) return;
  for (const [name, value] of Object.entries(rateLimitHeaders(rateLimit))) c.res.headers.set(name, value);
  if (c.res.status === 429) c.res.headers.set("Retry-After", `${secondsToWait(rateLimit)}`);
};
