import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { expect, it } from "vitest";

const folder = new URL("../../functions/monkai-api/", import.meta.url);

/** The rooms, each with those below it: what it may import beside itself and the files that belong to no room. */
const BELOW: Record<string, string[]> = {
  domain: [],
  schemas: ["domain"],
  store: ["domain"],
  middleware: ["domain", "schemas", "store"],
  openapi: ["domain", "schemas"],
  http: ["domain", "schemas", "middleware"],
  mcp: ["domain", "schemas", "store", "middleware"],
  routes: ["domain", "schemas", "store", "middleware", "openapi", "http", "mcp"],
};

/** Which of the files that belong to no room a room may import. `services.ts` has the types of what is passed in. */
const OUTSIDE: Record<string, string[]> = {
  domain: [],
  schemas: ["errors.ts"],
  store: ["errors.ts", "rate-limits.ts"],
};

const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts"),
);
const roomOf = (file: string) => (file.includes("/") ? (file.split("/")[0] as string) : undefined);

function importsOf(file: string): string[] {
  const source = readFileSync(new URL(file, folder), "utf8");
  const paths = [...source.matchAll(/(?:from|import) "(\.[^"]+)"/g)].map(([, path]) => path as string);
  return paths.map((path) => posix.join(posix.dirname(file), path));
}

function isAllowed(room: string, imported: string): boolean {
  const other = roomOf(imported);
  if (other === undefined) return (OUTSIDE[room] ?? [imported]).includes(imported);
  return other === room || BELOW[room]?.includes(other) === true;
}

it("every folder with code in it is a room that is known here", () => {
  expect([...new Set(files.map(roomOf))].filter((room) => room !== undefined).sort()).toEqual(
    Object.keys(BELOW).sort(),
  );
});

it.each(Object.keys(BELOW))("the room %s imports nothing above it", (room) => {
  const own = files.filter((file) => roomOf(file) === room);
  expect(own.flatMap(importsOf).length).toBeGreaterThan(0);
  const above = own.flatMap((file) =>
    importsOf(file)
      .filter((imported) => !isAllowed(room, imported))
      .map((imported) => `${file} imports ${imported}`),
  );
  expect(above).toEqual([]);
});

it("only the store imports supabase-js", () => {
  const importing = files.filter((file) =>
    readFileSync(new URL(file, folder), "utf8").includes('from "@supabase/'),
  );
  expect(importing.map(roomOf)).toEqual(["store"]);
});
