import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { parseTimestamp } from "../domain/timestamp.ts";
import { versionedRoute } from "../http/api-route.ts";
import { knownVersions, versioned } from "../http/versioned-response.ts";
import { agentName, count, fromUrl, inQuery, namespaceName, timeZone, userId } from "../schemas/common.ts";
import { Cost, ScoreFigures, tokenFigures } from "../schemas/figures.ts";
import { filters, usageBy } from "../schemas/filters.ts";
import type { AppEnv } from "../services.ts";

const figures = {
  calls: count.openapi({ description: "Model calls." }),
  tool_calls: count,
  errors: count.openapi({ description: "Steps whose status is `error`, of whatever kind." }),
  ...tokenFigures,
  cost: Cost,
  latency_ms: z
    .object({ p50: z.number().nullable(), p95: z.number().nullable() })
    .openapi({ description: "Of model calls; of one tool or by tool, of its calls. Off by less than 5 %." }),
  scores: ScoreFigures,
};

const about = (description: string) => z.string().nullable().optional().openapi({ description });

const UsageRow = z
  .object({
    day: z.string().optional().openapi({ description: "A day of the time zone." }),
    hour: z.string().optional().openapi({ description: "When it begins.", format: "date-time" }),
    namespace: z.string().optional(),
    agent: about("Null: what no agent did, as scores of sessions."),
    model: about("Null: what is no model call, or does not tell its model."),
    tool: about("Null: what is no tool call."),
    user: about("Null: whose users are not known."),
    ...figures,
  })
  .openapi("UsageRow");

const Usage = z
  .object({
    rows: z
      .array(UsageRow)
      .openapi({ description: "In order of time. Nothing happened where there is none." }),
    totals: z.object(figures).openapi("UsageFigures"),
    start_date: z.string().openapi({ format: "date-time" }),
    end_date: z.string().nullable().openapi({ format: "date-time" }),
  })
  .openapi("Usage");

/** A moment, or a day of the time zone, which stays as it is. */
const momentOrDay = () =>
  z
    .string()
    .transform((text, context) => {
      const parsed = parseTimestamp(text);
      if (parsed !== undefined) return text.length === 10 ? text : parsed;
      context.addIssue({ code: "custom", message: "must be a date or time like 2025-12-10T12:34:56.789Z" });
      return z.NEVER;
    })
    .optional();

const getUsage = versionedRoute({
  path: "/usage",
  tag: "Usage",
  operationId: "getUsage",
  summary: "Calls, errors, tokens, cost, latency and scores",
  description:
    "Added up by the time at which steps are listed (`inserted_at`), exactly as they are in exports. Steps count under the " +
    "agent and the user that they are read back with, scores under those of what they are about, at the time of the score. " +
    "Log entries outside of any trace are not in it. A name of more than 500 bytes counts as its first 125 characters. Up to " +
    "10,000 rows.",
  bucket: "view",
  query: filters({
    namespace: inQuery(fromUrl(namespaceName).optional()),
    agent: inQuery(fromUrl(agentName).optional()),
    model: inQuery(fromUrl(z.string()).optional()),
    tool: inQuery(fromUrl(z.string()).optional()),
    user_id: inQuery(fromUrl(userId).optional()),
    by: inQuery(usageBy).openapi({
      type: "string",
      default: "day",
      description:
        "What rows are by: some of `day` or `hour`, `namespace`, `agent`, `model`, `tool`, `user`.",
    }),
    time_zone: inQuery(timeZone()).openapi({
      type: "string",
      default: "UTC",
      description: "Whose days and hours, as `America/Recife`.",
    }),
    start_date: inQuery(momentOrDay()).openapi({
      type: "string",
      description:
        "A moment, or a day of the time zone. Default: six days before the end, or before today. By day or hour, " +
        "366 days at most.",
    }),
    end_date: inQuery(momentOrDay()).openapi({
      type: "string",
      description: "Inclusive; a bare day is included whole. Default: all that has come.",
    }),
  }),
  result: Usage,
});

const facet = (description: string) =>
  z.array(z.object({ value: z.string(), count: count })).openapi({ description });

const getFacets = versionedRoute({
  path: "/facets",
  tag: "Usage",
  operationId: "getFacets",
  summary: "The agents, models, tools and users that lists can be filtered by",
  description: "Up to 100 of each, the most frequent first, of the last 30 days.",
  bucket: "view",
  query: filters({ namespace: inQuery(fromUrl(namespaceName).optional()) }),
  result: z
    .object({
      agents: facet("By their steps."),
      models: facet("By their calls."),
      tools: facet("By their calls."),
      users: facet("Of the 200 sessions that were active last, by these."),
    })
    .openapi("Facets"),
});

export function usageRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(getUsage, async (c) => {
    const { version, data } = await c.var.store.getUsage(c.req.valid("query"), knownVersions(c));
    return versioned(c, version, data);
  });

  app.openapi(getFacets, async (c) => {
    const { version, data } = await c.var.store.getFacets(c.req.valid("query"), knownVersions(c));
    return versioned(c, version, data);
  });
}
