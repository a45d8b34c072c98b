import type { OpenAPIHono } from "@hono/zod-openapi";
import { refuseWithIssues } from "../middleware/validation.ts";
import { PutAnonymizationRules, VersionedRules } from "../schemas/anonymization.ts";
import { count, requestBody } from "../schemas/common.ts";
import type { AppEnv } from "../services.ts";
import { getRoute, putRoute } from "./api-route.ts";

const getRules = getRoute({
  path: "/anonymization-rules",
  tag: "Anonymization",
  operationId: "getAnonymizationRules",
  summary: "Get the tenant's anonymization rules",
  bucket: "rules",
  result: VersionedRules,
});

const putRules = putRoute({
  path: "/anonymization-rules",
  tag: "Anonymization",
  operationId: "putAnonymizationRules",
  summary: "Replace the tenant's anonymization rules",
  description:
    "From then on the server takes out what they find before it stores anything: from messages, inputs and outputs, tool " +
    "arguments and results, reasons of handoffs, log messages, custom objects, metadata and attachments. Users, names " +
    "and ids are kept. A record whose `anonymization_version` is the current one was redacted by its client already. " +
    "A token that is bound to namespaces may not change the rules.",
  bucket: "rules",
  conflict: { version: count().optional().openapi({ description: "The version that they are at." }) },
  body: requestBody(PutAnonymizationRules).openapi("PutAnonymizationRulesRequest"),
  result: VersionedRules,
});

export function anonymizationRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(getRules, async (c) => c.json(await c.var.store.getAnonymizationRules(), 200));

  app.openapi(
    putRules,
    async (c) => {
      const { rules, expected_version } = c.req.valid("json");
      return c.json(await c.var.store.putAnonymizationRules(rules, expected_version), 200);
    },
    (result, c) => refuseWithIssues(result, c),
  );
}
