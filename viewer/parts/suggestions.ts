import { getFacets, listNamespaces } from "../api/operations.ts";
import { useResource } from "../api/resource.ts";
import type { Facet } from "../api/types.ts";
import type { Filter } from "./filters.tsx";

/** What filters may be set to: the namespaces of the token, and what was seen in the last days in one or all of them. */
export function useSuggestions(namespace: string) {
  const list = useResource("namespaces", listNamespaces).data?.namespaces;
  const facets = useResource(`facets ${namespace}`, (signal) => getFacets({ namespace }, signal)).data;
  return {
    /** Undefined: not known yet. */
    namespaces: list?.map(({ namespace }) => namespace),
    agents: values(facets?.agents),
    models: values(facets?.models),
    tools: values(facets?.tools),
    users: values(facets?.users),
  };
}

export function namespaceFilter(namespaces: string[] = [], isRequired = false): Filter {
  const choices = namespaces.map((name): [string, string] => [name, name]);
  return { name: "namespace", label: "Namespace", choices, isRequired };
}

function values(facet: Facet[] = []): string[] {
  return facet.map(({ value }) => value);
}
