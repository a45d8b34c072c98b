import { getPath } from "hono/utils/url";

/**
 * What may stand before a path: the platform's prefix, the function's name, the version of one of the two contracts. All
 * mean the same route; under `/api/v1`, SOAT's, errors have another shape.
 */
const PREFIX =
  /^(?<place>(?:\/functions\/v1)?\/monkai-api(?=\/|$))?(?<version>\/v1|(?<soat>\/api\/v1))?(?=\/|$)/;

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

/**
 * Where the client of a request reaches this API: `https://api.example.com/trace/v1`. A proxy in front says how it was
 * asked in `X-Forwarded-Host`, `-Proto` and `-Prefix`; Supabase takes its own `/functions/v1` off the path.
 */
export function baseUrl(request: Request): string {
  const { protocol, host } = new URL(request.url);
  const { place, version } = PREFIX.exec(pathOf(request))?.groups ?? {};
  const forwarded = (name: string, form: RegExp) => {
    const [first = ""] = (request.headers.get(`X-Forwarded-${name}`) ?? "").split(",");
    return form.test(first.trim()) ? first.trim() : undefined;
  };
  const scheme = forwarded("Proto", /^https?$/) ?? protocol.slice(0, -1);
  const authority = forwarded("Host", /^[\w.-]+(?::\d+)?$/) ?? host;
  const prefix = forwarded("Prefix", /^(?:\/[\w.~-]+)+$/) ?? (place ? "/functions/v1/monkai-api" : "");
  return `${scheme}://${authority}${prefix}${version ?? "/v1"}`;
}

function pathOf(request: Request): string {
  return getPath(request)
    .replaceAll(/\/{2,}/g, "/")
    .replace(/\/$/, "");
}
