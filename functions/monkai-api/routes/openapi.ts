import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { dump } from "js-yaml";
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
  const documentFor = (request: Request) => apiDocument(app, baseUrl(request), speaksSoat(request));

  app.openapi(openApiJson, (c) => c.json(documentFor(c.req.raw), 200));

  app.openapi(openApiYaml, (c) =>
    c.body(dump(documentFor(c.req.raw), { noRefs: true, lineWidth: 120 }), 200, {
      "Content-Type": "application/yaml",
    }),
  );
}
