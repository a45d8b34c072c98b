import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { getPath } from "hono/utils/url";
import { ApiError } from "../errors.ts";
import { responseHeaders } from "../schemas/headers.ts";
import type { AppEnv } from "../services.ts";

/** What the page is made of, in the folder `assets`: our script, and Swagger UI, which `scripts/pages-build.ts` lays beside it. */
const FILES: Record<string, string> = {
  "docs.js": "text/javascript; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
};

/** People paste tokens into this page: it runs nothing but its own files, and talks to nobody but this API. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const docs = createRoute({
  method: "get",
  path: "/docs",
  tags: ["Documentation"],
  operationId: "getDocs",
  summary: "This API as a page to read and to try",
  security: [],
  responses: {
    200: {
      description: "The page.",
      headers: responseHeaders.every,
      content: { "text/html": { schema: { type: "string" } } },
    },
  },
});

export function docsRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(docs, (c) => {
    const isFolder = getPath(c.req.raw).endsWith("/");
    const content = page(isFolder ? "" : "docs/", isFolder ? "../view" : "view");
    return c.html(content, 200, { "Content-Security-Policy": CONTENT_SECURITY_POLICY });
  });

  app.get("/docs/:file", async (c) => {
    const name = c.req.param("file");
    const type = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
    const content = type && (await c.var.services.readAsset(name));
    if (!content) throw new ApiError("not_found", "The page at /docs has no such file here.");
    return c.body(content, 200, {
      "Content-Type": type,
      "Cache-Control": "public, max-age=3600",
      "X-Content-Type-Options": "nosniff",
    });
  });
}

function page(folder: string, viewer: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Agent Trace API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${folder}swagger-ui.css">
<style>
body { margin: 0; }
.viewer { margin: 0; padding: 10px 20px; font: 14px sans-serif; }
.swagger-ui .response-col_links { display: none; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.swagger-ui .opblock .opblock-summary-method, .swagger-ui .info .title small pre.version { background: #3b4151; color: #fff; }
.swagger-ui .info .title small { background: #3b4151; }
.swagger-ui .opblock.opblock-get .opblock-summary-method, .swagger-ui .btn.execute { background: #1f5fa8; }
.swagger-ui .opblock.opblock-post .opblock-summary-method { background: #1c7048; }
.swagger-ui .opblock.opblock-put .opblock-summary-method { background: #9a5200; }
.swagger-ui .opblock.opblock-delete .opblock-summary-method { background: #b3261e; }
.swagger-ui .btn.execute { border-color: #1f5fa8; }
.swagger-ui a.link, .swagger-ui .info a { color: #1f5fa8; }
.swagger-ui .btn.authorize, .swagger-ui .btn.authorize span { border-color: #1c7048; color: #1c7048; }
.swagger-ui .btn.cancel { border-color: #b3261e; color: #b3261e; }
.swagger-ui .parameter__in, .swagger-ui .prop-format { color: #5a6270; }
.code-samples { padding: 0 20px 10px; }
.code-sample summary { cursor: pointer; padding: 6px 0; font: 600 14px sans-serif; }
.code-sample pre { overflow-x: auto; padding: 10px; background: #1f2430; color: #e6e6e6; border-radius: 4px; font-size: 12px; }
</style>
</head>
<body>
<header>
<p class="viewer"><a href="${viewer}">The viewer</a>: what your agents did, as a page.</p>
</header>
<div id="reference"></div>
<noscript>This page needs JavaScript. The same is in openapi.json, beside it.</noscript>
<script src="${folder}swagger-ui-bundle.js"></script>
<script src="${folder}docs.js"></script>
</body>
</html>
`;
}
