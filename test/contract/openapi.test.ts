import { readFileSync } from "node:fs";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { appInProcess, appWithoutStore } from "../support/app.ts";
import { ADDED, type Difference, LEFT_OUT } from "./differences.ts";
import { factsOf } from "./facts.ts";

const { api } = appInProcess("http://unused", "unused");

async function ours(path: string) {
  return (await api(path)).json();
}

function published(name: string) {
  return JSON.parse(readFileSync(new URL(`published/${name}.json`, import.meta.url), "utf8"));
}

/** The facts that no reason covers, and the reasons that cover none. */
function unexplained(facts: string[], differences: Difference[]) {
  return {
    facts: facts.filter((fact) => !differences.some((difference) => difference.facts.test(fact))),
    reasons: differences.filter((difference) => !facts.some((fact) => difference.facts.test(fact))),
  };
}

it.each(["/v1/openapi.json", "/api/v1/openapi.json"])("the linter has nothing to say of %s", async (path) => {
  const source = await (await api(path)).text();
  // Health and documentation refuse nobody.
  const rules = { "operation-4xx-response": "off" as const };
  const config = await createConfig({ extends: ["recommended-strict"], rules });
  const problems = await lintFromString({ source, absoluteRef: "openapi.json", config });
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual(
    [],
  );
});

it("the YAML is the same document as the JSON", async () => {
  const response = await api("/v1/openapi.yaml");
  expect(response.headers.get("content-type")).toBe("application/yaml");
  expect(load(await response.text())).toEqual(await ours("/v1/openapi.json"));
});

describe("compared with the published documents", () => {
  const documents: [string, string, string][] = [
    ["monkai-trace", "/v1/openapi.json", ""],
    ["soat-traces", "/api/v1/openapi.json", "/api/v1"],
  ];

  /** What one of the two sides states alone, of the endpoints that both have. */
  async function statedBy(side: "published" | "ours"): Promise<string[]> {
    const alone = [];
    for (const [name, path, prefix] of documents) {
      const theirs = factsOf(published(name), prefix);
      const own = factsOf(await ours(path));
      const [stated, other] = side === "ours" ? [own, theirs] : [theirs, own];
      const shared = [...stated].filter((fact) => side === "published" || theirs.has(endpointOf(fact)));
      alone.push(...shared.filter((fact) => !other.has(fact)));
    }
    return alone;
  }

  it("all that they state we state too, but for what is left out on purpose", async () => {
    expect(unexplained(await statedBy("published"), LEFT_OUT)).toEqual({ facts: [], reasons: [] });
  });

  it("what we state beside it is there on purpose", async () => {
    expect(unexplained(await statedBy("ours"), ADDED)).toEqual({ facts: [], reasons: [] });
  });
});

function endpointOf(fact: string): string {
  return fact.split(" ", 2).join(" ");
}

it.each(["json", "yaml"])("each who asks for openapi.%s reads where it has asked itself", async (form) => {
  const app = appWithoutStore();
  for (const base of ["http://one.test/v1", "http://two.test/v1", "http://two.test/api/v1"]) {
    const text = await (await app.request(`${base}/openapi.${form}`)).text();
    expect((load(text) as { servers: object[] }).servers).toMatchObject([{ url: base }]);
  }
});

it("there is no route beside those of the document, but for the start and the pages' files", async () => {
  const app = appWithoutStore();
  const { paths } = await (await app.request("http://api.test/v1/openapi.json")).json();
  const documented = Object.entries<object>(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  // ALL: middleware.
  const routes = app.routes.filter(({ method, path }) => method !== "ALL" && !path.endsWith("*"));
  const named = routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
  expect([...new Set(named)].filter((route) => !documented.includes(route))).toEqual([
    "GET /docs/{file}",
    "GET /view/{file}",
    "GET /",
  ]);
});
