import type { AnsweredStep, StepAnswer } from "../domain/sent-steps.ts";
import { type StepKind, stepId } from "../domain/step.ts";
import type { ErrorCode } from "../errors.ts";

/** Shapes of the SQL functions `record_steps` and `upload_steps`. */
export interface Refusal {
  code: ErrorCode;
  message: string;
}

/** A step of a batch that validation refused. */
export interface RefusedStep {
  kind: StepKind;
  refusal: Refusal;
}

/** What became of a step: its sender gets its id, or why it was refused. */
export type StepResult = { index: number; type: StepKind } & (
  | { status: "ok"; result: StepAnswer & { id: string }; error?: undefined }
  | { status: "error"; error: Refusal; result?: undefined }
);

export type TriedStep = AnsweredStep | RefusedStep;

/** What the database did with the steps that it was sent. */
export interface StoredSteps {
  /** What the ids of all of them begin with. */
  ids: string;
  refused: (Refusal & { index: number })[];
}

/** The steps that the database is asked to store, with their places among those that were tried. */
export function itemsOf(steps: TriedStep[]): object[] {
  return steps.flatMap((step, index) => {
    if ("refusal" in step) return [];
    const { result: _, ...item } = step;
    return [{ index, ...item }];
  });
}

/** What became of each step that was tried, in their order. */
export function resultsOf(steps: TriedStep[], { ids, refused }: StoredSteps): StepResult[] {
  const refusals = new Map(refused.map(({ index, ...refusal }) => [index, refusal]));
  return steps.map((step, index) => {
    const tried = { index, type: step.kind };
    if ("refusal" in step) return { ...tried, status: "error", error: step.refusal };
    const error = refusals.get(index);
    if (error) return { ...tried, status: "error", error };
    return { ...tried, status: "ok", result: { ...step.result, id: stepId(ids, index) } };
  });
}
