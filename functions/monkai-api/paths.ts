/** What may stand before a path: the platform's prefix, the function's name, the version. All mean the same route. */
const PREFIX = /^((?:\/functions\/v1)?\/monkai-api(?=\/|$))?(\/v1(?=\/|$))?/;

/** The route of a request, whatever its prefix: `/functions/v1/monkai-api/v1/traces/llm` is `/traces/llm`. */
export function routePath(url: string): string {
  return new URL(url).pathname.replace(PREFIX, "") || "/";
}

/** The prefix that a request used, without the version. */
export function basePath(url: string): string {
  return PREFIX.exec(new URL(url).pathname)?.[1] ?? "";
}
