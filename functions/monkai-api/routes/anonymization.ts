import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { TOGGLES } from "../domain/anonymization/anonymizer.ts";
import { checkRule, LONGEST_PATTERN } from "../domain/anonymization/custom-rule.ts";
import { isObject, type JsonObject } from "../domain/json.ts";
import { getRoute, putRoute } from "../http/api-route.ts";
import { refuseWithIssues } from "../middleware/validation.ts";
import { count, MEASURED, nullsAbsent, requestBody, schemaRef } from "../schemas/common.ts";
import type { AppEnv } from "../services.ts";

const MOST_CUSTOM_RULES = 50;

/** All patterns together, in steps for each character of a text. */
const MOST_STEPS_TOGETHER = 1_000;

const Toggles = z
  .record(z.string(), z.boolean())
  .superRefine((toggles, context) => {
    for (const name of Object.keys(toggles)) {
      if (Object.hasOwn(TOGGLES, name)) continue;
      const message = `is not a class of personal data. There are: ${Object.keys(TOGGLES).join(", ")}`;
      context.addIssue({ code: "custom", path: [name], message });
    }
  })
  .openapi({
    type: "object",
    properties: Object.fromEntries(Object.keys(TOGGLES).map((name) => [name, { type: "boolean" }])),
    additionalProperties: false,
    description: "Classes of personal data that the server redacts. Off unless `true`.",
  });

const CustomRule = z
  .strictObject({
    name: z.string().min(1, MEASURED).max(64, MEASURED),
    pattern: z.string().min(1, MEASURED).max(LONGEST_PATTERN, MEASURED).openapi({
      description: "RE2 syntax: no look-around, no back-references.",
    }),
    replacement: z.string().max(100, MEASURED).openapi({
      description: "May take up groups of the pattern, `$1` to `$9`, and all that was found, `$&`.",
    }),
  })
  .openapi("CustomAnonymizationRule");

const CustomRules = z
  .array(nullsAbsent(CustomRule))
  .max(MOST_CUSTOM_RULES, MEASURED)
  .superRefine((rules, context) => {
    let stepsTogether = 0;
    for (const [index, rule] of rules.entries()) {
      if (rule.pattern.length > LONGEST_PATTERN) continue; // refused already, and long to compile
      const { problems, steps } = checkRule(rule);
      for (const { field, message } of problems) {
        context.addIssue({ code: "custom", path: [index, field], message });
      }
      stepsTogether += steps;
      if (stepsTogether <= MOST_STEPS_TOGETHER) continue;
      context.addIssue({ code: "custom", message: "are too many or too large patterns all in all" });
      return;
    }
  });

const AnonymizationRules = z
  .strictObject({
    toggles: nullsAbsent(Toggles).default({}),
    custom: CustomRules.default([]),
  })
  .openapi("AnonymizationRules");

const PutRules = z.object({
  rules: nullsAbsent(AnonymizationRules),
  expected_version: count.max(2_147_483_647).optional(),
});

const EXPECTED_VERSION = {
  type: "integer" as const,
  minimum: 0,
  maximum: 2_147_483_647,
  description: "The version that these are to replace. If it is not the current one: 409.",
};

/** `{rules, expected_version?}`, or the rules themselves. */
const PutAnonymizationRules = z
  .unknown()
  .transform((body, context): z.output<typeof PutRules> => {
    const bare = isObject(body) && !("rules" in body) && ("toggles" in body || "custom" in body);
    const parsed = PutRules.safeParse(bare ? asPut(body) : body);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      context.issues.push({
        ...issue,
        path: bare && issue.path[0] === "rules" ? issue.path.slice(1) : issue.path,
      } as z.core.$ZodRawIssue);
    }
    return z.NEVER;
  })
  .openapi({
    anyOf: [
      {
        type: "object",
        required: ["rules"],
        properties: { rules: schemaRef("AnonymizationRules"), expected_version: EXPECTED_VERSION },
      },
      ...["toggles", "custom"].map((required) => ({
        type: "object" as const,
        description: "The rules themselves.",
        required: [required],
        properties: {
          toggles: { $ref: "#/components/schemas/AnonymizationRules/properties/toggles" },
          custom: { $ref: "#/components/schemas/AnonymizationRules/properties/custom" },
          expected_version: EXPECTED_VERSION,
        },
      })),
    ],
  });

function asPut({ expected_version, ...rules }: JsonObject): JsonObject {
  return { rules, expected_version };
}

const VersionedRules = z
  .object({
    version: count.openapi({ description: "Raised by every change; 0 while there are no rules." }),
    rules: AnonymizationRules,
  })
  .openapi("VersionedAnonymizationRules");

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
    "arguments and results, reasons of handoffs, log messages, custom objects, metadata and attachments, and from comments " +
    "and texts of scores. Users, names and ids are kept. A record whose `anonymization_version` is the current one was redacted by its client already. " +
    "A token that is bound to namespaces may not change the rules.",
  bucket: "rules",
  conflict: { version: count.optional().openapi({ description: "The version that they are at." }) },
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
