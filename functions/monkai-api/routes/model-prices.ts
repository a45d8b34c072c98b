import type { OpenAPIHono } from "@hono/zod-openapi";
import * as z from "zod";
import { putRoute, versionedRoute } from "../http/api-route.ts";
import { knownVersions, versioned } from "../http/versioned-response.ts";
import { refuseWithIssues } from "../middleware/validation.ts";
import { count, MEASURED, nullsAbsent, requestBody } from "../schemas/common.ts";
import type { AppEnv } from "../services.ts";
import type { ModelPrice } from "../store/model-prices.ts";

const MOST_PRICES = 2_000;

const MODEL =
  "The model's name. `*` stands for any characters, also for none; case does not count. Of the patterns that match a " +
  "model, the one with the most characters other than `*` counts.";
const VALID_FROM = "The first day (UTC) of this price; absent or null: from ever.";

/** Money per million tokens: 12 digits at most before the point, 9 behind it. */
const AMOUNT = /^(?:0|[1-9]\d{0,11})(?:\.\d{1,9})?$/;
const NO_AMOUNT =
  "must be a decimal like 2.50: not negative, with at most 12 digits before the point and 9 behind it";

const amount = () =>
  z
    .union([z.string(), z.number()], NO_AMOUNT)
    .transform((sent, context) => {
      const text = typeof sent === "number" ? decimalText(sent) : sent;
      if (AMOUNT.test(text)) return text;
      context.addIssue({ code: "custom", message: NO_AMOUNT });
      return z.NEVER;
    })
    .optional();

/** Without an exponent, which JavaScript writes for what is below a millionth, where nothing is lost by that. */
function decimalText(number: number): string {
  const rounded = number.toFixed(9);
  if (number >= 1e-6 || Number(rounded) !== number) return String(number);
  return rounded.replace(/\.?0+$/, "");
}

const sentAmount = (description: string, example: string) =>
  amount().openapi({
    anyOf: [
      { type: "string", pattern: AMOUNT.source },
      { type: "number", minimum: 0 },
    ],
    description,
    example,
  });

const INPUT = "For a million tokens of input.";
const CACHED_INPUT =
  "For a million tokens of input that the model had in its cache; absent or null: as `input`.";
const OUTPUT = "For a million tokens of output.";

const SentPrice = z
  .strictObject({
    model: z.string().min(1, MEASURED).max(256, MEASURED).openapi({ description: MODEL, example: "gpt-4o*" }),
    valid_from: z
      .string()
      .refine(isDay, "must be a day like 2026-01-31")
      .optional()
      .openapi({ type: "string", format: "date", description: VALID_FROM, example: "2026-01-01" }),
    input: sentAmount(INPUT, "2.50"),
    cached_input: sentAmount(CACHED_INPUT, "1.25"),
    output: sentAmount(OUTPUT, "10.00"),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, "must be three capital letters like USD")
      .default("USD")
      .openapi({ description: "The same in all prices: costs are added up." }),
  })
  .superRefine((price, context) => {
    if (price.input !== undefined || price.output !== undefined) return;
    context.addIssue({ code: "custom", path: ["input"], message: "or output must be there" });
  })
  .openapi("NewModelPrice");

const SentPrices = z
  .array(nullsAbsent(SentPrice))
  .max(MOST_PRICES, MEASURED)
  .superRefine((prices, context) => {
    const [first] = prices;
    const known = new Map<string, number>();
    for (const [index, { model, valid_from, currency }] of prices.entries()) {
      const key = JSON.stringify([model.toLowerCase(), valid_from]);
      const same = known.get(key);
      known.set(key, index);
      if (same !== undefined) {
        const message = `has the pattern and the valid_from of prices[${same}]: leave one of the two out`;
        context.addIssue({ code: "custom", path: [index], message });
        return;
      }
      if (currency === first?.currency) continue;
      const message = `must be ${first?.currency}, as in prices[0]: all prices of a tenant have one currency`;
      context.addIssue({ code: "custom", path: [index, "currency"], message });
      return;
    }
  });

/** RFC 3339's full-date, and one that there is; the year 0, which ISO 8601 knows, is none in Postgres. */
function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith("0000")) return false;
  const moment = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(text);
}

const PutModelPrices = z.object({
  prices: SentPrices,
  expected_version: count.max(2_147_483_647).optional().openapi({
    description: "The version that these are to replace. If it is not the current one: 409.",
  }),
});

const readAmount = (description: string) =>
  z.string().nullable().openapi({ description, pattern: AMOUNT.source });

const Price = z
  .object({
    model: z.string().openapi({ description: MODEL }),
    valid_from: z.string().nullable().openapi({ format: "date", description: VALID_FROM }),
    input: readAmount(INPUT),
    cached_input: readAmount(CACHED_INPUT),
    output: readAmount(OUTPUT),
    currency: z.string(),
  })
  .openapi("ModelPrice");

const VersionedPrices = z
  .object({
    version: count.openapi({ description: "Raised by every change; 0 while the known prices apply." }),
    prices: z.array(Price),
    source: z.string().optional().openapi({ description: "Where the known prices are from; at version 0." }),
    as_of: z
      .string()
      .optional()
      .openapi({ format: "date", description: "The day on which the source had them; at version 0." }),
  })
  .openapi("ModelPrices");

const getPrices = versionedRoute({
  path: "/model-prices",
  tag: "Model prices",
  operationId: "getModelPrices",
  summary: "Get the prices of models",
  description:
    "Money per million tokens, by patterns of models' names. Until a tenant puts its own, these are the known prices of " +
    "well-known models.",
  bucket: "rules",
  result: VersionedPrices,
});

const putPrices = putRoute({
  path: "/model-prices",
  tag: "Model prices",
  operationId: "putModelPrices",
  summary: "Replace the prices of models",
  description:
    "To change one price: GET the prices, change it in what came, add `expected_version` with the `version` that came, and " +
    "PUT all of it. The whole list is replaced, the known prices included: they apply no more, nor do newer ones of later " +
    "releases. Prices are looked up when costs are read, so that they also reach steps that are there already. " +
    "A token that is bound to namespaces may not change the prices.",
  bucket: "rules",
  conflict: { version: count.optional().openapi({ description: "The version that they are at." }) },
  body: requestBody(PutModelPrices).openapi("PutModelPricesRequest"),
  result: VersionedPrices,
});

export function modelPriceRoutes(app: OpenAPIHono<AppEnv>): void {
  app.openapi(getPrices, async (c) => {
    const { version, data } = await c.var.store.getModelPrices(knownVersions(c));
    return versioned(c, version, data);
  });

  app.openapi(
    putPrices,
    async (c) => {
      const { prices, expected_version } = c.req.valid("json");
      return c.json(await c.var.store.putModelPrices(prices.map(wholePrice), expected_version), 200);
    },
    (result, c) => refuseWithIssues(result, c),
  );
}

function wholePrice(sent: z.output<typeof SentPrice>): ModelPrice {
  const { model, valid_from = null, input = null, cached_input = null, output = null, currency } = sent;
  return { model, valid_from, input, cached_input, output, currency };
}
