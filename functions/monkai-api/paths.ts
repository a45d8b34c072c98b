import { getPath } from "hono/utils/url";

/** What may stand before a path: the platform's prefix, the function's name, the version. All mean the same route. */
const PREFIX = /^((?:\/functions\/v1)?\/monkai-api(?=\/|$))?(\/v1(?=\/|$))?/;

/**
 * The route of a request, whatever its prefix: `/functions/v1/monkai-api/v1/traces/llm` is `/traces/llm`. Doubled and
 * trailing slashes are forgiven: clients join them to a base URL that ends in one.
 */
export function routePath(request: Request): string {
  const path = getPath(request)
    .replaceAll(/\/{2,}/g, "/")
    .replace(/\/$/, "");
  return path.replace(PREFIX, "") || "/";
}
