import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readPage } from "../clients/support/page.ts";
import { ROOT } from "../support/dev.ts";

const read = (file: string) => readFileSync(`${ROOT}/${file}`, "utf8");

/** The programs that `npm run test:clients` runs as a page says. */
const PROGRAMS: Record<string, string[]> = {
  "opentelemetry-js": ["opentelemetry-js", "opentelemetry-js-2"],
  "openai-instrumentation": ["openai-instrumentation"],
  "vercel-ai-sdk": ["vercel-ai-sdk"],
  "vercel-ai-sdk-5": ["vercel-ai-sdk-5"],
  "openai-agents": ["openai-agents"],
  langfuse: ["langfuse"],
  traceloop: ["traceloop"],
  openinference: ["openinference"],
  mastra: ["mastra"],
  "claude-code": ["claude-code"],
  "monkai-python": ["monkai-python"],
};
/** Made from documentation alone, or about something else than a client that traces. */
const OTHER_PAGES = ["coding-agents", "mcp"];

const folderOf = (program: string) => `${ROOT}/test/clients/${program}`;
const packageOf = (program: string) => JSON.parse(read(`test/clients/${program}/package.json`));
const sourcesOf = (program: string) => {
  const files = readdirSync(folderOf(program)).filter((file) => /\.(mjs|py)$/.test(file));
  return files.map((file) => read(`test/clients/${program}/${file}`));
};
/** The packages of a program with their versions, of npm or of PyPI. */
const dependenciesOf = (program: string): [name: string, version: string][] => {
  const { dependencies = {} } = packageOf(program);
  if (!existsSync(`${folderOf(program)}/requirements.txt`)) return Object.entries(dependencies);
  const lines = read(`test/clients/${program}/requirements.txt`).trim().split("\n");
  return lines.map((line) => line.split("==") as [string, string]);
};
const names = readdirSync(`${ROOT}/docs/clients`).map((file) => file.replace(".md", ""));
const pages = names.filter((name) => name !== "README");
const recipes = pages.filter((page) => !OTHER_PAGES.includes(page));

it("there is a program for each page of a client, and none without a page", () => {
  expect(Object.keys(PROGRAMS).sort()).toEqual(recipes.sort());
  const folders = readdirSync(`${ROOT}/test/clients`);
  const programs = folders.filter((folder) => existsSync(`${folderOf(folder)}/package.json`));
  expect(programs.sort()).toEqual(Object.values(PROGRAMS).flat().sort());
});

it.each(pages)("docs/clients/README.md leads to docs/clients/%s.md, which is short", (page) => {
  expect(read("docs/clients/README.md")).toContain(`](${page}.md)`);
  expect(readPage(page).text.split("\n").length).toBeLessThanOrEqual(46);
});

it("docs/opentelemetry.md leads to the recipes", () => {
  expect(read("docs/opentelemetry.md")).toContain("(clients/README.md)");
});

it.each(recipes)(
  "docs/clients/%s.md has what to install and to set, then code, then what arrives",
  (page) => {
    const { text } = readPage(page);
    const [head = "", arrives = "", ...more] = text.split("\n## What arrives\n\n");
    expect([more, text.match(/^#+ /gm)]).toEqual([[], ["# ", "## "]]);
    expect(head).toMatch(/^# .+\n\n[^`#]+[\s\S]*?\n\n```sh\n(npm|pip) install /);
    const code = [...head.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
      block.trim().split("\n"),
    );
    expect(code.filter((line) => line !== "").length).toBeLessThanOrEqual(14);
    for (const line of arrives.trim().split("\n")) expect(line).toMatch(/^(- | {2}\S)/);
  },
);

it.each(Object.entries(PROGRAMS))("docs/clients/%s.md has the code of its programs", (name, programs) => {
  const page = readPage(name);
  const sources = programs.flatMap(sourcesOf);
  expect([page.commands.length > 0, page.programs.length > 0]).toEqual([true, !WITHOUT_CODE.includes(name)]);
  for (const block of page.programs) {
    expect([block, sources.some((source) => source.includes(block))]).toEqual([block, true]);
  }
  const used = new Set(
    programs.flatMap(dependenciesOf).flatMap(([name, version]) => [name, `${name}@${version}`]),
  );
  expect(page.packages.length).toBeGreaterThan(0);
  expect(page.packages.filter((name) => !used.has(name))).toEqual([]);
});

/** Their variables are all that they want. */
const WITHOUT_CODE = ["claude-code", "openai-instrumentation"];

it.each(Object.values(PROGRAMS).flat())("the packages of %s have exact versions", (program) => {
  expect(packageOf(program).private).toBe(true);
  expect(dependenciesOf(program).length).toBeGreaterThan(0);
  for (const [, version] of dependenciesOf(program)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});
