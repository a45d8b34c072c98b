import "@hono/zod-openapi";
import * as z from "zod";
import { ERROR_CODES } from "../errors.ts";

/** The envelope of every 4xx and 5xx. */
export const ErrorEnvelope = z
  .looseObject({
    error: z.object({
      code: z.enum(ERROR_CODES).openapi({
        description:
          "Stable and made for machines: branch on this. Treat a code you do not know by its status.",
        example: "missing_token",
      }),
      message: z.string().openapi({ description: "For people. Wording may change." }),
      request_id: z
        .string()
        .openapi({ description: "The `X-Request-ID` of the response. Quote it in reports." }),
    }),
  })
  .openapi("Error");

/** The same under the SOAT contract. */
export const SoatError = z.looseObject({
  error: z.string().openapi({ description: "For people. Wording may change." }),
  code: z.enum(ERROR_CODES).openapi({ description: "Stable and made for machines: branch on this." }),
  request_id: z.string().openapi({ description: "The `X-Request-ID` of the response." }),
});
