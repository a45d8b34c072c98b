import { getPath } from "hono/utils/url";

/**
 * What may stand before a path: the platform's prefix, the function's name, the version of one of the two contracts, or
 * where Langfuse's clients look for OpenTelemetry. All mean the same route; under `/api/v1`, SOAT's, errors have another shape.
 */
const PREFIX =
  /^(?<place>(?:\/functions\/v1)?\/monkai-api(?=\/|$))?(?<version>(?:\/v1)?\/api\/public\/otel(?:\/v1)?|\/v1|(?<soat>\/api\/v1))?(?=\/|$)/;

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
 * asked in `X-Forwarded-Host`, `-Port`, `-Proto` and `-Prefix`. Supabase's gateway takes `/functions/v1` off the path.
 */
export function baseUrl(request: Request): string {
  const { protocol, host: asked } = new URL(request.url);
  const host = /^[\w.:[\]-]+$/.test(asked) ? asked : "localhost"; // some runtimes take any Host
  const { place, version } = PREFIX.exec(pathOf(request))?.groups ?? {};
  const forwarded = (name: string, form: RegExp) => {
    const [first = ""] = (request.headers.get(`X-Forwarded-${name}`) ?? "").split(",");
    return form.exec(first.trim())?.[1];
  };
  const scheme = forwarded("Proto", /^(https?)$/) ?? protocol.slice(0, -1);
  const prefix = forwarded("Prefix", /^(?!\/functions\/v1\/?$)((?:\/[\w~-][\w.~-]*)+)\/?$/);
  const port = forwarded("Port", scheme === "https" ? /^(?!443$)(\d{1,5})$/ : /^(?!80$)(\d{1,5})$/);
  const name = forwarded("Host", /^(\w[\w.-]*|\[[\da-fA-F:.]+\])$/);
  const authority = name ? name + (port ? `:${port}` : "") : forwarded("Host", HOST_AND_PORT);
  return `${scheme}://${authority ?? host}${prefix ?? (place ? "/functions/v1/monkai-api" : "")}${version ?? "/v1"}`;
}

const HOST_AND_PORT = /^((?:\w[\w.-]*|\[[\da-fA-F:.]+\]):\d{1,5})$/;

function pathOf(request: Request): string {
  return getPath(request)
    .replaceAll(/\/{2,}/g, "/")
    .replace(/\/$/, "");
}
