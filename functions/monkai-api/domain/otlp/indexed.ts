import type { Attributes } from "./attributes.ts";
import { DEEPEST, type Json } from "./plain.ts";

/** An object or a list that is being put together: what stands below each name, or the value. */
type Branch = Map<string, Branch | Leaf>;
interface Leaf {
  value: Json;
}

/** Objects with this one member are only wrapped around what is meant. */
const WRAPPERS = new Set(["message", "tool_call", "message_content"]);

/**
 * Puts together what stands in attributes such as `llm.input_messages.0.message.role`. Gives the list, and the names of the
 * attributes that it holds: one that contradicts another is not among them, and nor are empty ones.
 */
export function assembled(attributes: Attributes, prefix: string): { list: Json[]; names: string[] } {
  const root: Branch = new Map();
  const names: string[] = [];
  for (const [name, value] of attributes) {
    if (!name.startsWith(prefix) || value === null) continue;
    const steps = name.slice(prefix.length).split(".", DEEPEST);
    if (!isIndex(steps[0] as string) || steps.length === DEEPEST) continue;
    if (grown(root, steps, value)) names.push(name);
  }
  return { list: listOf(root), names };
}

/** False where a value stands where a branch is to be, or the other way round. */
function grown(root: Branch, steps: string[], value: Json): boolean {
  const last = steps.pop() as string;
  let branch = root;
  for (const step of steps) {
    const next = branch.get(step) ?? new Map();
    if (!(next instanceof Map)) return false;
    branch.set(step, next);
    branch = next;
  }
  if (branch.has(last)) return false;
  branch.set(last, { value });
  return true;
}

function isIndex(step: string): boolean {
  return /^(0|[1-9]\d{0,8})$/.test(step);
}

function jsonOf(node: Branch | Leaf): Json {
  if (!(node instanceof Map)) return node.value;
  const steps = [...node.keys()];
  if (steps.every(isIndex)) return listOf(node);
  const [only] = steps;
  if (steps.length === 1 && WRAPPERS.has(only as string)) return jsonOf(node.get(only as string) as Branch);
  return Object.fromEntries([...node].map(([name, below]) => [name, jsonOf(below)]));
}

function listOf(branch: Branch): Json[] {
  const items = [...branch].sort(([one], [other]) => Number(one) - Number(other));
  return items.map(([, item]) => jsonOf(item));
}
