import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

it("Deno's import map pins the versions of package.json, and all of them are exact", () => {
  const { dependencies } = read("../../package.json");
  const { imports } = read("../../functions/monkai-api/deno.json");
  for (const [name, version] of Object.entries(dependencies)) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(imports[name]).toBe(`npm:${name}@${version}`);
  }
  for (const name of ["@bufbuild/protobuf", "hono", "csv-stringify"]) {
    expect(imports[`${name}/`]).toBe(`npm:/${name}@${dependencies[name]}/`);
  }
  expect(
    Object.keys(imports)
      .filter((name) => !name.endsWith("/"))
      .sort(),
  ).toEqual(Object.keys(dependencies).sort());
});

it("the files of the page at /docs are those of the pinned swagger-ui-dist", () => {
  for (const name of ["swagger-ui-bundle.js", "swagger-ui.css"]) {
    const ours = readFileSync(new URL(`../../functions/monkai-api/assets/${name}`, import.meta.url));
    const theirs = readFileSync(new URL(`../../node_modules/swagger-ui-dist/${name}`, import.meta.url));
    expect([name, ours.equals(theirs)]).toEqual([name, true]);
  }
});
