import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { versionedRoute } from "../http/api-route.ts";
import { knownVersions, versioned } from "../http/versioned-response.ts";
import type { AppEnv } from "../services.ts";

const Token = z
  .object({
    tenant: z.string().openapi({ description: "Whose data it opens." }),
    name: z.string().nullable(),
    namespaces: z
      .array(z.string())
      .nullable()
      .openapi({ description: "The only ones it may use. Null: all." }),
    scope: z.enum(["all", "read"]).openapi({
      description: "With `read` it can neither write, nor take content away, nor change rules.",
    }),
    expires_at: z.iso.datetime().nullable(),
  })
  .openapi("Token");

const getToken = versionedRoute({
  path: "/token",
  tag: "Tokens",
  operationId: "getToken",
  summary: "What the tracer token may do",
  bucket: "view",
  result: Token,
});

export function tokenRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(getToken, async (c) => {
    const { version, data } = await c.var.store.getToken(knownVersions(c));
    return versioned(c, version, data);
  });
}
