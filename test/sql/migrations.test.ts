import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type postgres from "postgres";
import { expect, it } from "vitest";
import { readCatalog } from "../../scripts/schema/catalog.ts";
import { migrate } from "../../scripts/stack/migrate.ts";
import { ROOT } from "../support/dev.ts";
import { withDatabase } from "../support/empty-database.ts";

const FOLDER = join(ROOT, "supabase/migrations");

async function applied(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql`
    select version || '_' || name || '.sql' as file from supabase_migrations.schema_migrations order by version`;
  return rows.map(({ file }) => file);
}

it("applied to an empty database they make a schema; applied again they change nothing", async () => {
  await withDatabase(async (url, sql) => {
    await migrate(url, FOLDER);
    const made = await readCatalog(url);
    expect(await applied(sql)).toEqual((await readdir(FOLDER)).sort());
    expect(Object.keys(made)).toContain("function public.check_ready()");
    await migrate(url, FOLDER);
    expect(await readCatalog(url)).toEqual(made);
  });
});
