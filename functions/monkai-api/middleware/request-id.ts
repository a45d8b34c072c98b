import type { MiddlewareHandler } from "hono";
import { ID_FORM } from "../schemas/headers.ts";
import type { AppEnv } from "../services.ts";

const FORM = new RegExp(ID_FORM.pattern);

/** Every response carries `X-Request-ID`: the client's own where it has the form, else a UUIDv4. */
export const requestId: MiddlewareHandler<AppEnv> = async (c, next) => {
  const sent = c.req.header("X-Request-ID");
  const id = sent !== undefined && FORM.test(sent) ? sent : c.get("services").newId();
  c.set("requestId", id);
  await next();
  c.res.headers.set("X-Request-ID", id);
};
