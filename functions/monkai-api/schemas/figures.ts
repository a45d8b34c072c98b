import * as z from "zod";
import { count } from "./common.ts";

const money = z
  .object({
    amount: z.string().nullable().openapi({
      description: "A decimal number. Null where none of the steps has a price.",
      example: "0.0123",
    }),
    currency: z.string(),
  })
  .openapi({ description: "By the prices of now: see `GET /model-prices`." });

/** What one step costs. */
export const StepCost = z
  .object({
    amount: z.string(),
    currency: z.string(),
  })
  .openapi("StepCost");

/** What several cost. */
export const Cost = money
  .extend({
    unpriced_steps: count.openapi({
      description:
        "Model calls, and records with tokens, that are not in the amount: no price is known, or no tokens.",
    }),
  })
  .openapi("Cost");

export const tokenFigures = {
  input_tokens: count,
  cached_input_tokens: count,
  output_tokens: count,
  reasoning_tokens: count,
};

export const ScoreFigures = z
  .record(z.string(), z.object({ count: count, average: z.number().nullable() }))
  .openapi("ScoreFigures", {
    description:
      "By the name of the scores. The average is that of numbers, yes being 1 and no 0; null of texts.",
    example: { helpful: { count: 3, average: 0.67 } },
  });
