import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import postgres from "postgres";
import { describeSqlError } from "./sql-error.ts";

interface Migration {
  version: string;
  name: string;
  path: string;
}

/** Applies the migrations of a folder that have not been applied yet, in order, each in one transaction. */
export async function migrate(databaseUrl: string, folder: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    // Held until the connection ends: a second run waits, then finds everything applied.
    await sql`select pg_advisory_lock(hashtext('supabase_migrations'))`;
    await createHistory(sql);
    const applied = await appliedVersions(sql);
    const pending = (await migrationsIn(folder)).filter(({ version }) => !applied.has(version));
    for (const migration of pending) await apply(sql, migration);
  } finally {
    await sql.end();
  }
}

// The table of the Supabase CLI, so that `supabase db push` and this agree on what has been applied.
async function createHistory(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
      version text primary key,
      statements text[],
      name text
    )`);
}

async function appliedVersions(sql: postgres.Sql): Promise<Set<string>> {
  const rows = await sql<{ version: string }[]>`select version from supabase_migrations.schema_migrations`;
  return new Set(rows.map(({ version }) => version));
}

async function migrationsIn(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
  return files.map((file) => {
    const [, version, name] = /^(\d+)_(.+)\.sql$/.exec(file) ?? [];
    if (!version || !name) throw new Error(`${file} is not named like a migration: <timestamp>_<name>.sql`);
    return { version, name, path: join(folder, file) };
  });
}

async function apply(sql: postgres.Sql, { version, name, path }: Migration): Promise<void> {
  const text = await readFile(path, "utf8");
  try {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(text);
      await transaction`
        insert into supabase_migrations.schema_migrations (version, statements, name)
        values (${version}, ${[text]}, ${name})`;
    });
  } catch (error) {
    throw new Error(describeSqlError(relative(process.cwd(), path), text, error));
  }
}
