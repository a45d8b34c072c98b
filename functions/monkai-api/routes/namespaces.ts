import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { getRoute, registerRoute } from "../http/api-route.ts";
import { namespaceName, requestBody } from "../schemas/common.ts";
import type { AppEnv } from "../services.ts";

const Namespace = z.object({ namespace: namespaceName, created_at: z.iso.datetime() }).openapi("Namespace");

const NamespaceRegisterRequest = z.object({ namespace: namespaceName });

const registerNamespace = registerRoute({
  path: "/namespace/register",
  tag: "Namespaces",
  operationId: "registerNamespace",
  summary: "Register a namespace",
  description:
    "By default the first use of a namespace registers it. 409 `namespace_taken` when it is there already; 409 " +
    "`namespace_too_similar`, with `similar_namespaces` and `suggestion`, when the name is easily taken for another.",
  bucket: "sessions",
  conflict: {
    similar_namespaces: z.array(z.string()).optional(),
    suggestion: z.string().optional().openapi({ description: "For people." }),
  },
  body: requestBody(NamespaceRegisterRequest).openapi("NamespaceRegisterRequest"),
  result: Namespace,
});

const listNamespaces = getRoute({
  path: "/namespaces",
  tag: "Namespaces",
  operationId: "listNamespaces",
  summary: "List the namespaces that the token may use",
  bucket: "query",
  result: z.object({ namespaces: z.array(Namespace) }).openapi("NamespaceListResponse"),
});

export function namespaceRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(registerNamespace, async (c) => {
    const { namespace } = c.req.valid("json");
    return c.json(await c.var.store.registerNamespace(namespace), 201);
  });

  app.openapi(listNamespaces, async (c) => {
    return c.json({ namespaces: await c.var.store.listNamespaces() }, 200);
  });
}
