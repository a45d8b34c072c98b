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

/** Where its reader reaches the API, in a document that is written for nobody yet. */
const ANY_BASE_URL = "https://base-url.invalid";

export function openApiRoutes(app: OpenAPIHono<AppEnv>): void {
  registerComponents(app);
  const document = (soat: boolean) => apiDocument(app, ANY_BASE_URL, soat);
  const json = writtenOnce((soat) => JSON.stringify(document(soat)));
  const yaml = writtenOnce((soat) => dump(document(soat), { noRefs: true, lineWidth: 120 }));

  app.openapi(openApiJson, (c) => c.json(JSON.parse(json(c.req.raw)), 200));
  app.openapi(openApiYaml, (c) => c.body(yaml(c.req.raw), 200, { "Content-Type": "application/yaml" }));
}

/** It takes a while to write a document, and nobody needs a token to ask for one: later only the addresses are new. */
function writtenOnce(write: (soat: boolean) => string): (request: Request) => string {
  const written = new Map<boolean, string>();
  return (request) => {
    const [url, soat] = [baseUrl(request), speaksSoat(request)];
    const text = written.get(soat) ?? write(soat);
    written.set(soat, text);
    return text.replaceAll(ANY_BASE_URL, () => url);
  };
}
