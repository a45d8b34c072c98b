import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { getRoute, putRoute } from "../http/api-route.ts";
import { refuseWithIssues } from "../middleware/validation.ts";
import { count, MEASURED, namespaceName, nullsAbsent, requestBody } from "../schemas/common.ts";
import type { AppEnv } from "../services.ts";
import type { RetentionRule, RetentionRules } from "../store/forgetting.ts";

const MOST_NAMESPACES = 1_000;

const sentDays = (what: string, example: number) =>
  count
    .max(36_500)
    .optional()
    .openapi({ description: `For how many days ${what} is kept. 0, null or absent: for ever.`, example });

const sentRule = {
  content_days: sentDays("what was said", 30),
  days: sentDays("everything", 365),
};

const notHeeded = z.string().optional().openapi({ description: "As GET answers it. Not heeded." });

const SentNamespaces = z
  .array(
    nullsAbsent(
      z.strictObject({
        namespace: namespaceName,
        ...sentRule,
        content_since: notHeeded,
        since: notHeeded,
      }),
    ),
  )
  .max(MOST_NAMESPACES, MEASURED)
  .superRefine((sent, context) => {
    const known = new Map<string, number>();
    for (const [index, { namespace }] of sent.entries()) {
      const same = known.get(namespace);
      known.set(namespace, index);
      if (same === undefined) continue;
      const message = `is that of namespaces[${same}], too: leave one of the two out`;
      context.addIssue({ code: "custom", path: [index, "namespace"], message });
    }
  });

const PutRetention = z.object({
  ...sentRule,
  namespaces: SentNamespaces.default([]).openapi({
    description: "Namespaces with a rule of their own, in the place of both parts of the tenant's.",
  }),
  expected_version: count.max(2_147_483_647).optional().openapi({
    description: "The version that this is to replace. If it is not the current one: 409.",
  }),
});

const rule = {
  content_days: count.nullable().openapi({ description: "Null: for ever." }),
  days: count.nullable(),
  content_since: z
    .string()
    .nullable()
    .openapi({ format: "date-time", description: "Of what arrived before, nothing is shown that was said." }),
  since: z
    .string()
    .nullable()
    .openapi({ format: "date-time", description: "Of what arrived before, nothing is shown but figures." }),
};

const Retention = z
  .object({
    version: count.openapi({ description: "Raised by every change; 0 while everything is kept for ever." }),
    ...rule,
    namespaces: z.array(z.object({ namespace: z.string(), ...rule })),
    last_run_at: z.string().nullable().openapi({
      format: "date-time",
      description: "When the schedule last found that nothing was left to delete. Null: not yet.",
    }),
    catching_up: z.boolean().openapi({
      description:
        "True: the rules are new, and what they make due is being deleted, oldest first. Nothing shows it, but until it is gone it counts in figures, such as the total of a list.",
    }),
  })
  .openapi("Retention");

const getRetention = getRoute({
  path: "/retention",
  tag: "Retention",
  operationId: "getRetention",
  summary: "How long things are kept",
  description:
    "And since when, and when it was last seen to. A token that is bound to namespaces is told of these.",
  bucket: "rules",
  result: Retention,
});

const putRetention = putRoute({
  path: "/retention",
  tag: "Retention",
  operationId: "putRetention",
  summary: "Say how long things are kept",
  description:
    "What was said for `content_days`, and everything for `days`, counted from when it arrived: it is shown so long, and no longer than a " +
    "day and two hours more. What steps used stays in the figures of `GET /usage`, without their sessions and users. The whole is replaced. " +
    "What it makes due is deleted at once, as far as that takes a second, and the rest by the schedule. A token that is bound to namespaces may not change it.",
  bucket: "rules",
  conflict: { version: count.optional().openapi({ description: "The version that it is at." }) },
  body: requestBody(PutRetention).openapi("PutRetentionRequest"),
  result: Retention,
});

export function retentionRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(
    putRetention,
    async (c) => {
      const { namespaces, expected_version, ...own } = c.req.valid("json");
      const named = namespaces.map((sent) => [sent.namespace, kept(sent)] as const);
      const rules: RetentionRules = { ...kept(own), namespaces: Object.fromEntries(named) };
      return c.json(await c.var.store.putRetention(rules, expected_version), 200);
    },
    (result, c) => refuseWithIssues(result, c),
  );

  app.openapi(getRetention, async (c) => c.json(await c.var.store.getRetention(), 200));
}

/** Null is for ever, and so is 0. */
function kept({ content_days, days }: { content_days?: number; days?: number }): RetentionRule {
  return { content_days: content_days || null, days: days || null };
}
