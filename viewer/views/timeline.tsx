import { StepList } from "../run/step-list.tsx";
import type { ViewProps } from "../run/views.ts";

/** `?view=timeline`. */
export function Timeline(props: ViewProps) {
  return <StepList name="timeline" {...props} />;
}
