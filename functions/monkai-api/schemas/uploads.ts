import "@hono/zod-openapi";
import * as z from "zod";
import { count } from "./common.ts";

/** The most items of one upload. */
export const UPLOAD_ITEMS = 1000;

/** What every upload answers. Published clients read one or another of these names. */
export const UploadAnswer = z.object({
  inserted_count: count,
  total_inserted: count.openapi({ description: "The same as `inserted_count`." }),
  dropped_count: count.openapi({
    description: "Items that were not stored because they repeat stored ones.",
  }),
  duplicates_skipped: count.openapi({ description: "The same as `dropped_count`." }),
  duplicate: z.literal(true).optional().openapi({ description: "When all items were dropped." }),
  details: z.object({ dropped: z.array(z.object({ index: count, reason: z.literal("duplicate") })) }),
});

export function uploadAnswer(stored: {
  inserted_count: number;
  duplicates: number[];
}): z.infer<typeof UploadAnswer> {
  const { inserted_count, duplicates } = stored;
  return {
    inserted_count,
    total_inserted: inserted_count,
    dropped_count: duplicates.length,
    duplicates_skipped: duplicates.length,
    ...(inserted_count === 0 ? { duplicate: true as const } : {}),
    details: { dropped: duplicates.map((index) => ({ index, reason: "duplicate" as const })) },
  };
}
