import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { expect, it } from "vitest";
import { viewerPage } from "../../functions/monkai-api/routes/view.ts";
import { appWithoutStore } from "../support/app.ts";
import { Command, ROOT } from "../support/dev.ts";

const read = (file: string) => readFileSync(`${ROOT}/${file}`, "utf8");
const titleOf = (html: string) => /<title>(.*)<\/title>/.exec(html)?.[1];

it("what people see is called Agent Trace API", async () => {
  const app = appWithoutStore();
  const document = load(await (await app.request("http://api.test/v1/openapi.yaml")).text());
  expect(document).toMatchObject({ info: { title: "Agent Trace API" } });
  const docs = await (await app.request("http://api.test/v1/docs")).text();
  expect(titleOf(docs)).toBe("Agent Trace API");
  expect(titleOf(viewerPage({ script: "s", style: "s" }, { folder: "" }))).toBe("Agent Trace API");
  expect(read("README.md")).toMatch(/^# Agent Trace API\n/);
});

it("the package, the Worker and the project are called agent-trace-api, the function as the published addresses have it", () => {
  expect(JSON.parse(read("package.json")).name).toBe("agent-trace-api");
  expect(read("wrangler.toml")).toMatch(/^name = "agent-trace-api"$/m);
  expect(read("supabase/config.toml")).toMatch(/^project_id = "agent-trace-api"$/m);
  expect(read("supabase/config.toml")).toMatch(/^\[functions\.monkai-api\]$/m);
});

it("nothing writes the names in another way", async () => {
  const tracked = (await new Command("git", ["-C", ROOT, "ls-files"]).ended).stdout.trim().split("\n");
  const texts = tracked.filter((file) => /\.(?:md|tsx?|mjs|js|py|toml|http|sql)$/.test(file));
  expect(texts.length).toBeGreaterThan(300);
  const written = texts.flatMap((file) => [
    ...read(file).matchAll(/(?:agent|monkai|soat) traces? (?:rest )?api/gi),
  ]);
  expect([...new Set(written.map(([name]) => name))].sort()).toEqual([
    "Agent Trace API",
    "MonkAI Trace API",
    "SOAT Traces API",
  ]);
});
