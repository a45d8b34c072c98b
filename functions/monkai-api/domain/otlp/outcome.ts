import type { OtlpStep, OtlpSteps } from "./step.ts";

/** More reasons than these help nobody. */
const MOST_REASONS = 10;

/** Thrown where a single span cannot be: the message names the span and says why. */
export class Rejection extends Error {
  constructor(message: string) {
    super(message.toWellFormed());
  }
}

/** Makes steps one by one; those that are rejected are counted, and the rest is kept. */
export function collectSteps<Sent>(all: Iterable<Sent>, toStep: (sent: Sent) => OtlpStep): OtlpSteps {
  const steps: OtlpStep[] = [];
  const reasons = new Set<string>();
  let rejected = 0;
  for (const sent of all) {
    try {
      steps.push(toStep(sent));
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      rejected += 1;
      if (reasons.size < MOST_REASONS) reasons.add(error.message);
    }
  }
  return { steps, rejected, reasons: [...reasons] };
}
