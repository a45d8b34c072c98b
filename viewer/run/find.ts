import { agentOf, type Run, type Skeleton } from "./run.ts";

const texts = new WeakMap<Skeleton, string>();

/** The ids of the steps whose agent, name, error or preview has this text, in their order. Undefined: there is no text. */
export function find(run: Run, text: string): string[] | undefined {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return undefined;
  return run.steps.filter((step) => textOf(step).includes(wanted)).map(({ id }) => id);
}

function textOf(step: Skeleton): string {
  const known = texts.get(step);
  if (known !== undefined) return known;
  const parts = [agentOf(step), step.name, step.error, step.preview, step.type, step.id];
  const text = parts.filter(Boolean).join("\n").toLowerCase();
  texts.set(step, text);
  return text;
}
