import type { StepType } from "../api/types.ts";

const TYPES: Record<StepType, { letter: string; title: string }> = {
  llm_call: { letter: "L", title: "LLM call" },
  tool_call: { letter: "T", title: "Tool call" },
  handoff: { letter: "H", title: "Handoff" },
  agent: { letter: "A", title: "Agent" },
  span: { letter: "S", title: "Span" },
  message: { letter: "M", title: "Message" },
  log: { letter: "G", title: "Log entry" },
};

/** What kind of step it is: by its letter and its shape, never by colour alone. */
export function Badge({ type }: { type: StepType }) {
  const { letter, title } = TYPES[type];
  return (
    <span class={`badge badge-${type}`} role="img" aria-label={title} title={title}>
      {letter}
    </span>
  );
}

/** That something may still go on. */
export function Live() {
  return <span class="live">live</span>;
}
