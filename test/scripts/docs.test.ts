import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { PAGES as TABLES, withTables } from "../../scripts/docs-tables.ts";
import { appWithoutStore } from "../support/app.ts";
import { Command, ROOT } from "../support/dev.ts";

const tracked = (await new Command("git", ["-C", ROOT, "ls-files"]).ended).stdout.trim().split("\n");
const pages = tracked.filter((file) => file.endsWith(".md"));
const read = (file: string) => readFileSync(`${ROOT}/${file}`, "utf8");

/** The scripts of the package that a page is about. */
function scriptsFor(page: string): Record<string, string> {
  const own = `${dirname(page)}/package.json`;
  const files = ["package.json", ...(existsSync(`${ROOT}/${own}`) ? [own] : [])];
  return Object.assign({}, ...files.map((file) => JSON.parse(read(file)).scripts));
}

it("there is documentation to check", () => {
  for (const page of [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/deploy-supabase.md",
  ]) {
    expect(pages).toContain(page);
  }
});

it.each(pages)("%s names npm scripts and files that are there", (page) => {
  const text = read(page);
  const scripts = [...text.matchAll(/npm run (?:--\S+ )*([\w:-]+)/g)].map(([, name]) => name as string);
  expect(scripts.filter((name) => !Object.hasOwn(scriptsFor(page), name))).toEqual([]);

  const named = [...text.matchAll(/`([\w.-]+(?:\/[\w.-]+)*\/?)`/g)].map(([, path]) => path as string);
  const paths = named.filter((path) =>
    /^(?:functions|proxy|supabase|test|scripts|docs|examples)\//.test(path),
  );
  expect(paths.filter((path) => !existsSync(`${ROOT}/${path}`))).toEqual([]);
});

it("the configuration table of docs/operations.md has every variable that the code reads, and no other", () => {
  const ours = tracked.filter((file) => /^(?:functions|proxy|scripts|examples)\/.*\.(?:ts|py)$/.test(file));
  const readers = ours.map(read).join("\n");
  const used = [
    ...readers.matchAll(/process\.env\.(\w+)/g),
    ...readers.matchAll(/os\.environ(?:\.get\(|\[)["'](\w+)/g),
    ...readers.matchAll(/\b((?:SUPABASE|DATABASE)_[A-Z_]+)/g),
  ].map(([, name]) => name as string);
  const table = /## Configuration\n([\s\S]*?)\n## /.exec(read("docs/operations.md"))?.[1] ?? "";
  const listed = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name as string);
  expect([...new Set(listed)].sort()).toEqual(
    [...new Set(used)].filter((name) => !OF_OTHERS.has(name)).sort(),
  );
});

const promises = [...read("SECURITY.md").matchAll(/^\| (.+) \| `(test\/\S+)` \| `(.+)` \|$/gm)];

it("every promise of SECURITY.md has its test", () => {
  const rows = read("SECURITY.md").match(/^\| (?!promise|---).*$/gm);
  expect(promises.length).toBeGreaterThan(20);
  expect(promises).toHaveLength(rows?.length ?? 0);
});

it.each(promises.map(([, promise, file, test]) => [promise, file, test] as [string, string, string]))(
  "SECURITY.md: %s",
  (_, file, test) => {
    expect(read(file)).toContain(test);
  },
);

/** Variables of other programs, and between our own processes. */
const OF_OTHERS = new Set([
  "DO_NOT_TRACK",
  "SUPABASE_YES",
  "LITE_TELEMETRY",
  "TMPDIR",
  "REST_OPTIONS",
  "npm_lifecycle_event",
]);

it.each(TABLES)("%s has the tables that npm run docs makes", (page) => {
  expect(read(page)).toContain("<!-- end -->");
  expect(withTables(read(page))).toBe(read(page));
});

it("the files that the tour of the code leads through are there", () => {
  const [, tour = ""] = read("docs/architecture.md").split("## A tour of the code");
  const named = [...tour.matchAll(/`((?:[\w.-]+\/)*[\w.-]+\.(?:ts|sql))`/g)].map(
    ([, path]) => path as string,
  );
  expect(named.length).toBeGreaterThan(8);
  const folders = ["", "functions/monkai-api/", "supabase/schemas/50_steps/", "supabase/schemas/60_traces/"];
  expect(named.filter((path) => !folders.some((folder) => existsSync(`${ROOT}/${folder}${path}`)))).toEqual(
    [],
  );
});

it.each(pages)("%s links to pages and sections that are there", (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)/g)];
  const broken = links.filter(([, path, section]) => {
    const file = path ? join(dirname(page), path as string) : page;
    if (!existsSync(`${ROOT}/${file}`)) return true;
    return section !== undefined && !sectionsOf(read(file)).includes(section);
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});

/** The anchors of a page's headings, as GitHub makes them. */
function sectionsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading as string);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\d\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

it("the changelog begins with the version of the document and of the package", async () => {
  const { info } = await (await appWithoutStore().request("http://api.test/v1/openapi.json")).json();
  const [, newest] = /^## (\S+)/m.exec(read("CHANGELOG.md")) ?? [];
  expect([newest, JSON.parse(read("package.json")).version]).toEqual([info.version, info.version]);
});
