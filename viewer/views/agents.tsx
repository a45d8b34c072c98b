import { StepList } from "../run/step-list.tsx";
import type { ViewProps } from "../run/views.ts";

/** `?view=agents`. */
export function Agents(props: ViewProps) {
  return <StepList name="agents" {...props} />;
}
