import type { OpenAPIHono } from "@hono/zod-openapi";
import { REQUEST_HEADERS, RESPONSE_HEADERS } from "../schemas/headers.ts";
import type { AppEnv } from "../services.ts";
import { EITHER_SCHEME } from "./api-route.ts";

const TAGS = [
  { name: "Health", description: "Liveness check (no token needed)." },
  { name: "Namespaces", description: "What keeps a tenant's agents or products apart." },
  { name: "Sessions", description: "Conversations that traces belong to." },
  { name: "Traces", description: "LLM calls, tool calls, handoffs and logs, one by one or in batches." },
  { name: "Records", description: "Conversation records in bulk." },
  { name: "Logs", description: "Operational log entries in bulk." },
  { name: "Query", description: "Reading records and logs back." },
  { name: "Export", description: "All records or logs in one answer, as JSON or CSV." },
  {
    name: "Trace trees",
    description:
      "One agent's part in a run, linked into a tree: the SOAT Traces API. The same paths answer under `/api/v1`, where an " +
      "error is `{error: message, code, request_id}`.",
  },
  { name: "Anonymization", description: "What is taken out of content before it is stored." },
];

/** `GET /openapi.json`: generated from the schemas that validate, so that it cannot say anything else. */
export function openApiRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearerAuth", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "opaque",
    description: "`Authorization: Bearer tk_...`. Recommended.",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "tracerTokenHeader", {
    type: "apiKey",
    in: "header",
    name: "tracer_token",
    description: "The same token in the `tracer_token` header. It wins where both are sent.",
  });

  for (const [name, parameter] of Object.entries(REQUEST_HEADERS)) {
    app.openAPIRegistry.registerComponent("parameters", name, parameter);
  }
  for (const [name, header] of Object.entries(RESPONSE_HEADERS)) {
    app.openAPIRegistry.registerComponent("headers", name, header);
  }

  app.get("/openapi.json", (c) =>
    c.json(
      app.getOpenAPI31Document({
        openapi: "3.1.0",
        info: {
          title: "MonkAI Trace API",
          version: "1.0.0",
          description: "Send what your agents did, from any language, and read it back.",
          license: { name: "MIT", url: "https://opensource.org/license/mit" },
        },
        tags: TAGS,
        security: EITHER_SCHEME,
        // Relative to the document itself: right behind every prefix, platform and proxy.
        servers: [{ url: "." }],
      }),
    ),
  );
}
