import type { MiddlewareHandler } from "hono";
import { sha256Hex } from "../domain/hash.ts";
import { ApiError } from "../errors.ts";
import { ID_FORM } from "../schemas/headers.ts";
import type { AppEnv } from "../services.ts";
import { bodyBroken } from "./body-limit.ts";

const FORM = new RegExp(ID_FORM.pattern);

/**
 * Reads `Idempotency-Key` and ties it to this request: the route (whatever its prefix) and the body's bytes. A
 * response that repeats an earlier one says so.
 */
export const idempotency: MiddlewareHandler<AppEnv> = async (c, next) => {
  const key = c.req.header("Idempotency-Key");
  if (key === undefined) return next();
  if (!FORM.test(key)) {
    throw new ApiError(
      "bad_request",
      "Idempotency-Key must be 1 to 128 printable ASCII characters, not first a space.",
    );
  }

  const body = await c.req.arrayBuffer().catch(bodyBroken);
  const request = new Blob([`${c.req.method} ${c.req.path}\n`, body]);
  c.set("idempotency", { key, hash: await sha256Hex(await request.bytes()) });
  await next();

  const { replay } = c.get("store");
  if (!replay) return;
  c.res.headers.set("Idempotency-Replay", "true");
  c.res.headers.set("Idempotency-Original-Request-ID", replay.request_id);
};
