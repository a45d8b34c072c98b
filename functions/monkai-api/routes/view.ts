import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { getPath } from "hono/utils/url";
import { ApiError } from "../errors.ts";
import { baseUrl } from "../paths.ts";
import { responseHeaders } from "../schemas/headers.ts";
import type { AppEnv, Services } from "../services.ts";

/** What the page loads at once: `scripts/pages-build.ts` writes their names into `assets/view/manifest.json`. */
export interface ViewerFiles {
  script: string;
  style: string;
}

/** The names that the build gives its files: with a hash of the content, so that none of them ever changes. */
const FILE = /^[\w-]+-[A-Z0-9]{8}\.(js|css)$/;

const TYPES: Record<string, string> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

const view = createRoute({
  method: "get",
  path: "/view",
  tags: ["Documentation"],
  operationId: "getView",
  summary: "The viewer: a page that shows what agents did",
  description: "It asks for a tracer token, and is a client of this API like any other.",
  security: [],
  responses: {
    200: {
      description: "The page.",
      headers: responseHeaders.every,
      content: { "text/html": { schema: { type: "string" } } },
    },
  },
});

export function viewRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(view, async (c) => {
    const files = await builtFiles(c.var.services);
    const folder = endsInSlash(c.req.raw) ? "" : "view/";
    return c.html(viewerPage(files, { folder }), 200, viewerHeaders("'self'"));
  });

  app.get("/view/:file", async (c) => {
    const name = c.req.param("file");
    const [, ending = ""] = FILE.exec(name) ?? [];
    const content = ending && (await c.var.services.readAsset(`view/${name}`));
    if (!content) throw new ApiError("not_found", "The page at /view has no such file here.");
    return c.body(content, 200, {
      "Content-Type": TYPES[ending] ?? "",
      "Cache-Control": "public, max-age=31536000, immutable",
      "X-Content-Type-Options": "nosniff",
    });
  });

  // Browsers are led to the viewer. The address is relative, because a proxy may have taken a prefix off the path.
  app.get("/", (c) => {
    c.header("Vary", "Accept");
    if (c.req.header("Accept")?.includes("text/html")) {
      const last = endsInSlash(c.req.raw) ? "" : `${getPath(c.req.raw).split("/").at(-1)}/`;
      return c.redirect(`${last}view`);
    }
    const base = baseUrl(c.req.raw);
    return c.json({
      service: "monkai-trace",
      api_version: "v1",
      viewer: `${base}/view`,
      documentation: `${base}/docs`,
      openapi: `${base}/openapi.json`,
      health: `${base}/health`,
    });
  });
}

async function builtFiles(services: Services): Promise<ViewerFiles> {
  const manifest = await services.readAsset("view/manifest.json");
  if (manifest) return new Response(manifest).json();
  throw new ApiError(
    "not_found",
    "The viewer's files are not here: `node scripts/pages-build.ts` makes them.",
  );
}

function endsInSlash(request: Request): boolean {
  return getPath(request).endsWith("/");
}

/** The headers of the page. People paste tokens into it: it runs its own files alone, and asks `api` alone. */
export function viewerHeaders(api: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${api}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    "Content-Security-Policy": policy.join("; "),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
  };
}

/**
 * The page, whose files are in `folder`. `api` is where the API is, in characters that mean nothing in HTML; left out, it
 * is where the page is.
 */
export function viewerPage(files: ViewerFiles, { folder, api }: { folder: string; api?: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${api ? `<meta name="api" content="${api}">\n` : ""}<title>Agent Trace API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${folder}${files.style}">
<script type="module" src="${folder}${files.script}"></script>
</head>
<body>
<div id="viewer"></div>
<noscript>This page needs JavaScript. The same data is in the API: see docs, beside it.</noscript>
</body>
</html>
`;
}
