import { StepList } from "../run/step-list.tsx";
import type { ViewProps } from "../run/views.ts";

/** `?view=tree`. */
export function Tree(props: ViewProps) {
  return <StepList name="tree" {...props} />;
}
