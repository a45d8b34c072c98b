import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

it("Deno's import map pins the versions of package.json, and all of them are exact", () => {
  const { dependencies } = read("../package.json");
  const { imports } = read("../functions/monkai-api/deno.json");
  for (const [name, version] of Object.entries(dependencies)) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(imports[name]).toBe(`npm:${name}@${version}`);
  }
  for (const name of ["hono", "csv-stringify"]) {
    expect(imports[`${name}/`]).toBe(`npm:/${name}@${dependencies[name]}/`);
  }
  expect(
    Object.keys(imports)
      .filter((name) => !name.endsWith("/"))
      .sort(),
  ).toEqual(Object.keys(dependencies).sort());
});
