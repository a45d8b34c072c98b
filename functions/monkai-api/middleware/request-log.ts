import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { AppEnv } from "../services.ts";

/**
 * One line of the log for each request: who asked for what, how it ended, and how many milliseconds it took until the
 * response began. The route is the path's pattern, and null where nothing matched: the path itself may say too much.
 */
export const requestLog: MiddlewareHandler<AppEnv> = async (c, next) => {
  const services = c.get("services");
  const requestId = c.get("requestId");
  const started = services.now().getTime();
  await next();
  const route = matchedRoutes(c).findLast(({ path }) => !path.endsWith("*"));
  services.log("info", "request", {
    request_id: requestId,
    method: c.req.method,
    route: route?.path ?? null,
    status: c.res.status,
    duration_ms: services.now().getTime() - started,
    tenant_id: c.get("store")?.admission?.tenant_id ?? null,
    bucket: c.get("bucket") ?? null,
  });
};
