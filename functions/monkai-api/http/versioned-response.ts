import type { Context } from "hono";
import type { AppEnv } from "../services.ts";

/** The versions that the client has of what it asks for. */
export function knownVersions(c: Context<AppEnv>): string | undefined {
  return c.req.header("If-None-Match");
}

/**
 * The answer `body`, with its version for the client to send back; or that the client has it already, where there is no
 * body. Caches may keep it for the client that asked, and must ask anew each time.
 */
export function versioned<Body extends object>(c: Context<AppEnv>, version: string, body: Body | undefined) {
  c.header("ETag", `W/"${version}"`);
  c.header("Cache-Control", "private, no-cache");
  return body ? c.json(body, 200) : c.body(null, 304);
}
