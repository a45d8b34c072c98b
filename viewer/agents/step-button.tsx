import type { ComponentChildren } from "preact";

interface StepButtonProps {
  step: string | undefined;
  choose: (stepId: string) => void;
  children: ComponentChildren;
}

/** Leads to a step, where there is one. */
export function StepButton({ step, choose, children }: StepButtonProps) {
  if (step === undefined) return children;
  return (
    <button type="button" class="plain link" onClick={() => choose(step)}>
      {children}
    </button>
  );
}
