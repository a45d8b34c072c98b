import type { MiddlewareHandler } from "hono";
import { onError } from "./refusals.ts";
import type { AppEnv } from "../services.ts";

/**
 * A request that was refused on its way to the database (bad body, too large, not JSON) has not shown yet that its
 * token is good. That answer comes first: then the request's one round trip is admission alone.
 */
export const admission: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.var.store.asked) return;
  try {
    await c.var.store.admit();
  } catch (error) {
    c.res = await onError(error as Error, c);
  }
};
