import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { dump } from "js-yaml";
import * as z from "zod";
import { apiDocument, registerComponents } from "../openapi/document.ts";
import { baseUrl, speaksSoat } from "../paths.ts";
import { responseHeaders } from "../schemas/headers.ts";
import type { AppEnv } from "../services.ts";

const described = {
  method: "get" as const,
  tags: ["Documentation"],
  security: [],
};

const openApiJson = createRoute({
  ...described,
  path: "/openapi.json",
  operationId: "getOpenApiJson",
  summary: "This API as OpenAPI 3.1, in JSON",
  responses: {
    200: {
      description: "The document. Its server is the one that was asked.",
      headers: responseHeaders.every,
      content: { "application/json": { schema: z.looseObject({ openapi: z.string() }) } },
    },
  },
});

const openApiYaml = createRoute({
  ...described,
  path: "/openapi.yaml",
  operationId: "getOpenApiYaml",
  summary: "This API as OpenAPI 3.1, in YAML",
  responses: {
    200: {
      description: "The same document.",
      headers: responseHeaders.every,
      content: { "application/yaml": { schema: { type: "string" } } },
    },
  },
});

export function openApiRoutes(app: OpenAPIHono<AppEnv>): void {
  registerComponents(app);
  const json = remembered((url, soat) => apiDocument(app, url, soat));
  const yaml = remembered((url, soat) => dump(apiDocument(app, url, soat), { noRefs: true, lineWidth: 120 }));

  app.openapi(openApiJson, (c) => c.json(json(c.req.raw), 200));
  app.openapi(openApiYaml, (c) => c.body(yaml(c.req.raw), 200, { "Content-Type": "application/yaml" }));
}

/** It takes a while to write a document, and nobody needs a token to ask for one: the last is kept. */
function remembered<Document>(
  write: (baseUrl: string, soat: boolean) => Document,
): (request: Request) => Document {
  let last: { url: string; soat: boolean; document: Document } | undefined;
  return (request) => {
    const [url, soat] = [baseUrl(request), speaksSoat(request)];
    if (last?.url !== url || last.soat !== soat) last = { url, soat, document: write(url, soat) };
    return last.document;
  };
}
