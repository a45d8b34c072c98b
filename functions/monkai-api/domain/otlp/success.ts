import type { StepStatus } from "../step.ts";
import type { Json } from "./plain.ts";

const STATUS = new Map<Json | undefined, StepStatus>([
  [true, "ok"],
  ["true", "ok"],
  [false, "error"],
  ["false", "error"],
]);

/** What coding agents say of how a call ended, as a truth value or as its text. */
export function statusOfSuccess(told: Json | undefined): StepStatus | undefined {
  return STATUS.get(told);
}
