import { readFile } from "node:fs/promises";
import postgres from "postgres";

/** What the schemas `public` and `internal` of a database hold: for each object, such as `table public.steps`, what it is. */
export type Catalog = Record<string, object>;

const query = await readFile(new URL("./catalog.sql", import.meta.url), "utf8");

/** Reads a database's catalog as plain data, sorted by name. */
export async function readCatalog(databaseUrl: string): Promise<Catalog> {
  const sql = postgres(databaseUrl, { max: 1, connection: { search_path: '""' } });
  try {
    const objects = await sql.unsafe<{ name: string; definition: object }[]>(query);
    const entries = objects.map(({ name, definition }): [string, object] => [name, definition]);
    return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
  } finally {
    await sql.end();
  }
}

/** A line for each object that is not the same in both. */
export function differences(actual: Catalog, wanted: Catalog): string[] {
  const names = [...new Set([...Object.keys(actual), ...Object.keys(wanted)])].sort();
  return names.flatMap((name) => {
    const [is, should] = [JSON.stringify(actual[name]), JSON.stringify(wanted[name])];
    if (is === should) return [];
    if (!is) return `${name} is missing`;
    if (!should) return `${name} is still there`;
    return `${name} is ${is} and should be ${should}`;
  });
}
