import type { Step } from "../api/types.ts";
import { href, route } from "../state/route.ts";
import { Badge } from "./badge.tsx";
import { SafeText } from "./safe-text.tsx";

/** Steps one below the other, each a link to itself: the place with `?step=`. */
export function StepLines({ steps, place }: { steps: Step[]; place: string[] }) {
  const chosen = route.value.query.get("step");
  return (
    <ol class="steps">
      {steps.map((step) => (
        <StepLine
          key={step.id}
          step={step}
          address={href(place, { step: step.id })}
          isChosen={step.id === chosen}
        />
      ))}
    </ol>
  );
}

function StepLine({ step, address, isChosen }: { step: Step; address: string; isChosen: boolean }) {
  return (
    <li class={isChosen ? "chosen" : ""}>
      <Badge type={step.type} />
      <a href={address} aria-current={isChosen ? "true" : undefined}>
        <SafeText text={[step.agent, step.name].filter(Boolean).join(" · ") || "step"} />
      </a>
      {step.status === "error" && <span class="failed">failed</span>}
      <span class="line quiet">
        <SafeText text={step.error ?? step.preview ?? ""} />
      </span>
    </li>
  );
}
