import type { AnsweredStep, StepAnswer } from "../domain/sent-steps.ts";
import type { StepKind } from "../domain/step.ts";
import type { ErrorCode } from "../errors.ts";

/** Shapes of the SQL functions `record_steps` and `upload_steps`. */
export interface Refusal {
  code: ErrorCode;
  message: string;
}

/** A step of a batch that validation refused. It is passed on, so that the remembered answer to a batch is whole. */
export interface RefusedStep {
  kind: StepKind;
  refusal: Refusal;
}

/** What becomes of a step: its sender gets its id, or why it was refused. */
export type StepResult = { index: number; type: StepKind } & (
  | { status: "ok"; result: StepAnswer & { id: string }; error?: undefined }
  | { status: "error"; error: Refusal; result?: undefined }
);

export type TriedStep = AnsweredStep | RefusedStep;
