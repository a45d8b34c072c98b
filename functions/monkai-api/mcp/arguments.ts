import * as z from "zod";
import { MEASURED, namespaceName } from "../schemas/common.ts";

/** Arguments that several tools have. */

export const namespace = () => namespaceName.optional().describe("Without it, all that the token may use.");

export const limit = (usual: number, most: number) =>
  z.int().min(1).max(most).default(usual).describe("Fewer rows show more of each.");

export const cursor = () =>
  z
    .string()
    .max(2048, MEASURED)
    .optional()
    .describe("What the page before says, for the next one. Send the other arguments unchanged.");
