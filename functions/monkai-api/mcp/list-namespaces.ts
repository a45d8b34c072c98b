import { filters } from "../schemas/filters.ts";
import { line, listing } from "./answer.ts";
import { tool } from "./tool.ts";

export const listNamespaces = tool({
  name: "list_namespaces",
  title: "Which namespaces the token may use",
  description: "Lists the namespaces whose sessions and steps this token may read, by name.",
  input: () => filters({}),
  async answer(_, { store }) {
    const rows = await store.listNamespaces();
    return listing({
      head: `Namespaces: ${rows.length}.`,
      rows,
      line: ({ namespace, created_at }) => line({ ids: { namespace, created_at } }),
      end: "That is all.",
      cut: (left) => `Left out, because the answer would be too long: ${left}. GET /v1/namespaces has all.`,
    });
  },
});
