import { filters } from "../schemas/filters.ts";
import type { Facets } from "../store/usage.ts";
import { bytesOf, cutTo, MOST_BYTES, visible } from "./answer.ts";
import { namespace } from "./arguments.ts";
import { tool } from "./tool.ts";

const KINDS = ["tools", "agents", "models", "users"] as const;

export const listNames = tool({
  name: "list_names",
  title: "Which agents, tools, models and users there are",
  description:
    "Lists the names that the other tools can be filtered by, the most frequent first, with their counts in the last 30 days. " +
    "Call it when you do not know what something is called.",
  input: () => filters({ namespace: namespace() }),
  async answer(query, { store }) {
    const { data } = await store.getFacets(query);
    const room = Math.floor(MOST_BYTES / KINDS.length) - 2;
    return KINDS.map((kind) => namesLine(kind, (data as Facets)[kind], room)).join("\n");
  },
});

function namesLine(kind: string, values: Facets["tools"], bytes: number): string {
  if (values.length === 0) return `${kind}: none`;
  let text = `${kind}:`;
  for (const [index, { value, count }] of values.entries()) {
    const next = `${text} ${cutTo(value, 200, visible)} (${count})`;
    if (bytesOf(next) > bytes - 40) return `${text} and ${values.length - index} more, less frequent`;
    text = next;
  }
  return text;
}
