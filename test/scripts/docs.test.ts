import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";
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

it("the README's configuration table has every variable that the code reads, and no other", () => {
  const ours = tracked.filter((file) => /^(?:functions|proxy|scripts|examples)\/.*\.(?:ts|py)$/.test(file));
  const readers = ours.map(read).join("\n");
  const used = [
    ...readers.matchAll(/process\.env\.(\w+)/g),
    ...readers.matchAll(/os\.environ(?:\.get\(|\[)["'](\w+)/g),
    ...readers.matchAll(/\b((?:SUPABASE|DATABASE)_[A-Z_]+)/g),
  ].map(([, name]) => name as string);
  const table = /## Configuration\n([\s\S]*?)\n## /.exec(read("README.md"))?.[1] ?? "";
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
  "LITE_TELEMETRY",
  "TMPDIR",
  "REST_OPTIONS",
  "npm_lifecycle_event",
]);

it("the changelog begins with the version of the document", async () => {
  const { info } = await (await appWithoutStore().request("http://api.test/v1/openapi.json")).json();
  const [, newest] = /^## (\S+)/m.exec(read("CHANGELOG.md")) ?? [];
  expect(newest).toBe(info.version);
});
