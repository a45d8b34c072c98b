import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readPage } from "../clients/support/page.ts";
import { ROOT } from "../support/dev.ts";

const read = (file: string) => readFileSync(`${ROOT}/${file}`, "utf8");

/** The programs that `npm run test:clients` runs as a page says. */
const PROGRAMS: Record<string, string[]> = {
  "opentelemetry-js": ["opentelemetry-js", "opentelemetry-js-2", "openai-instrumentation"],
  "vercel-ai-sdk": ["vercel-ai-sdk", "vercel-ai-sdk-5"],
  "openai-agents": ["openai-agents"],
  langfuse: ["langfuse"],
  traceloop: ["traceloop"],
  openinference: ["openinference"],
};

const packageOf = (program: string) => JSON.parse(read(`test/clients/${program}/package.json`));
const sourcesOf = (program: string) => {
  const files = readdirSync(`${ROOT}/test/clients/${program}`).filter((file) => file.endsWith(".mjs"));
  return files.map((file) => read(`test/clients/${program}/${file}`));
};
const pages = readdirSync(`${ROOT}/docs/clients`).map((file) => file.replace(".md", ""));

it("there is a program for each page but those of coding agents, and none without a page", () => {
  expect([...Object.keys(PROGRAMS), "coding-agents", "mcp"].sort()).toEqual(pages.sort());
  const folders = readdirSync(`${ROOT}/test/clients`);
  const programs = folders.filter((folder) => existsSync(`${ROOT}/test/clients/${folder}/program.mjs`));
  expect(programs.sort()).toEqual(Object.values(PROGRAMS).flat().sort());
});

it.each(pages)("docs/clients/%s.md is short, and docs/opentelemetry.md leads to it", (page) => {
  expect(readPage(page).text.split("\n").length).toBeLessThanOrEqual(42);
  expect(read("docs/opentelemetry.md")).toContain(`(clients/${page}.md)`);
});

it.each(Object.entries(PROGRAMS))("docs/clients/%s.md has the code of its programs", (name, programs) => {
  const page = readPage(name);
  const sources = programs.flatMap(sourcesOf);
  expect(page.programs.length).toBeGreaterThan(0);
  for (const block of page.programs) {
    expect([block, sources.some((source) => source.includes(block))]).toEqual([block, true]);
  }
  const used = programs.flatMap((program) => Object.entries(packageOf(program).dependencies));
  const names = new Set(used.flatMap(([name, version]) => [name, `${name}@${version}`]));
  expect(page.packages.length).toBeGreaterThan(0);
  expect(page.packages.filter((name) => !names.has(name))).toEqual([]);
});

it.each(Object.values(PROGRAMS).flat())("the packages of %s have exact versions", (program) => {
  const { private: isPrivate, dependencies } = packageOf(program);
  expect(isPrivate).toBe(true);
  for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});
