import { getPath } from "hono/utils/url";

/**
 * What may stand before a path: the platform's prefix, the function's name, the version of one of the two contracts. All
 * mean the same route; under `/api/v1`, SOAT's, errors have another shape.
 */
const PREFIX = /^(?:(?:\/functions\/v1)?\/monkai-api(?=\/|$))?(?:\/v1|(?<soat>\/api\/v1))?(?=\/|$)/;

/**
 * The route of a request, whatever its prefix: `/functions/v1/monkai-api/v1/traces/llm` is `/traces/llm`. Doubled and
 * trailing slashes are forgiven: clients join them to a base URL that ends in one.
 */
export function routePath(request: Request): string {
  return pathOf(request).replace(PREFIX, "") || "/";
}

/** Whether a request was made under the SOAT contract. */
export function speaksSoat(request: Request): boolean {
  return PREFIX.exec(pathOf(request))?.groups?.soat !== undefined;
}

function pathOf(request: Request): string {
  return getPath(request)
    .replaceAll(/\/{2,}/g, "/")
    .replace(/\/$/, "");
}
