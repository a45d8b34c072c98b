import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { getRoute } from "../http/api-route.ts";
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

const getToken = getRoute({
  path: "/token",
  tag: "Tokens",
  operationId: "getToken",
  summary: "What the tracer token may do",
  bucket: "view",
  result: Token,
});

export function tokenRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(getToken, async (c) => c.json(await c.var.store.getToken(), 200));
}
