import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { ErrorEnvelope } from "../schemas/error.ts";
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

const failed = {
  description: "Something went wrong on the server",
  headers: responseHeaders.every,
  content: { "application/json": { schema: ErrorEnvelope } },
};

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
    500: failed,
  },
});

const ready = createRoute({
  method: "get",
  path: "/health/ready",
  tags: ["Health"],
  operationId: "readinessCheck",
  summary: "Readiness check: can the database be worked with",
  description: "One call to the database. Needs no token. For load balancers, and after a deployment.",
  security: [],
  responses: {
    200: {
      description: "The database answers, with this API's functions in it",
      headers: responseHeaders.every,
      content: { "application/json": { schema: Health } },
    },
    500: failed,
    503: {
      ...failed,
      description: "The database does not answer as it should",
      headers: responseHeaders.outage,
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
    responses: {
      200: { description: "Service is responsive (no body)", headers: responseHeaders.every },
      500: failed,
    },
  });
  app.openapi(health, (c) => c.json(healthy(c.var.services.now()), 200));

  app.openapi(ready, async (c) => {
    const { services } = c.var;
    await services.store.checkReady();
    return c.json(healthy(services.now()), 200);
  });
}

function healthy(now: Date) {
  return {
    status: "ok" as const,
    service: "monkai-trace",
    api_version: "v1",
    timestamp: now.toISOString(),
  };
}
