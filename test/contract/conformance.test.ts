import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const folder = new URL("../", import.meta.url);
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(new URL(name, folder), "utf8"))
  .join("\n");

const table = readFileSync(new URL("../docs/conformance.md", folder), "utf8");
const rows = [...table.matchAll(/^\| (v1\.\d|guide \d) \| (.+) \| `(.+)` \|$/gm)];

it("the table of conformance has its rows", () => {
  expect(rows).toHaveLength(30);
});

it.each(rows.map(([, source, promise, test]) => [source, promise, test]))(
  "%s: %s",
  (_source, _promise, test) => {
    expect(sources).toContain(test);
  },
);
