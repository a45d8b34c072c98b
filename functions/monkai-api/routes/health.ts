import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { responseHeaders } from "../schemas/headers.ts";
import type { AppEnv } from "../services.ts";

const Health = z
  .object({
    status: z.literal("ok"),
    service: z.string().openapi({ example: "monkai-trace" }),
    api_version: z.string().openapi({ example: "v1" }),
    timestamp: z.iso.datetime(),
  })
  .openapi("HealthResponse");

const health = createRoute({
  method: "get",
  path: "/health",
  tags: ["Health"],
  operationId: "healthCheck",
  summary: "Liveness check",
  description: "Cheap, needs no token and no database. `HEAD` answers the same without a body.",
  security: [],
  responses: {
    200: {
      description: "Service is responsive",
      headers: responseHeaders.every,
      content: { "application/json": { schema: Health } },
    },
  },
});

export function healthRoutes(app: OpenAPIHono<AppEnv>): void {
  // Hono answers HEAD from GET; the documentation has to be told.
  app.openAPIRegistry.registerPath({
    method: "head",
    path: "/health",
    tags: ["Health"],
    operationId: "healthCheckHead",
    security: [],
    summary: "Liveness check without a body",
    responses: { 200: { description: "Service is responsive (no body)", headers: responseHeaders.every } },
  });
  app.openapi(health, (c) => {
    const timestamp = c.var.services.now().toISOString();
    return c.json({ status: "ok" as const, service: "monkai-trace", api_version: "v1", timestamp }, 200);
  });
}
