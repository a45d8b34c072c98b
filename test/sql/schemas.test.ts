import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { SCHEMA_VERSION } from "../../functions/monkai-api/store/schema-version.ts";
import { readCatalog } from "../../scripts/schema/catalog.ts";
import { applySource, readSource } from "../../scripts/schema/source.ts";
import { statementsOf } from "../../scripts/schema/statements.ts";
import { newestMigration } from "../../scripts/schema/version.ts";
import { migrate } from "../../scripts/stack/migrate.ts";
import { ROOT } from "../support/dev.ts";
import { withDatabase } from "../support/empty-database.ts";

const MIGRATIONS = join(ROOT, "supabase/migrations");
const source = await readSource(join(ROOT, "supabase/schemas"));
const functions = source.flatMap(statementsOf).flatMap(({ path, line, creates }) => {
  if (creates?.kind !== "function") return [];
  const [schema = "", name = ""] = creates.name.split(".");
  return { path, line, schema, name };
});

it("the migrations make what supabase/schemas/ says: where not, run npm run db:migration -- NAME", async () => {
  await withDatabase(async (declared) => {
    await applySource(declared, source);
    await withDatabase(async (migrated) => {
      await migrate(migrated, MIGRATIONS);
      expect(await readCatalog(migrated)).toEqual(await readCatalog(declared));
    });
  });
});

it("no function is declared twice, not even with other parameters", () => {
  expect(functions.length).toBeGreaterThan(50);
  const declared = Map.groupBy(functions, ({ schema, name }) => `${schema}.${name}`);
  const twice = [...declared.values()].filter(({ length }) => length > 1).flat();
  expect(twice.map(({ path, line, name }) => `${path}:${line} ${name}`)).toEqual([]);
});

it("a function that the API calls has a file of its own name, which begins with it; all others are internal", () => {
  const misplaced = functions.filter(({ path, schema, name }) => {
    const [first] = functions.filter((one) => one.path === path);
    if (schema === "internal") return false;
    return schema !== "public" || first?.name !== name || basename(path) !== `${name}.sql`;
  });
  expect(misplaced.map(({ path, line, name }) => `${path}:${line} ${name}`)).toEqual([]);
});

it("the schema's version is the number of the newest migration, in SQL and in TypeScript", async () => {
  const newest = await newestMigration(MIGRATIONS);
  await withDatabase(async (url, sql) => {
    await migrate(url, MIGRATIONS);
    const [row] = await sql`select public.schema_version() as number`;
    expect([Number(row?.number), SCHEMA_VERSION]).toEqual([newest, newest]);
  });
});
