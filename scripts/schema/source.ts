import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { describeSqlError } from "../stack/sql-error.ts";

/** A file of `supabase/schemas/`. */
export interface SourceFile {
  /** Seen from `supabase/schemas/`. */
  path: string;
  text: string;
}

/** The file that says who may do what. It speaks of everything that there is, so that it comes last, always. */
const GRANTS = "99_grants.sql";

/** All files that say what the database is, in the order of their paths. */
export async function readSource(folder: string): Promise<SourceFile[]> {
  const names = await readdir(folder, { recursive: true });
  const paths = names.filter((name) => name.endsWith(".sql")).map((name) => name.replaceAll("\\", "/"));
  return Promise.all(
    paths.sort().map(async (path) => ({ path, text: await readFile(join(folder, path), "utf8") })),
  );
}

/** Whether it is the file with the grants, which each migration ends with: what it makes gets them too. */
export function isGrants({ path }: SourceFile): boolean {
  return path === GRANTS;
}

/**
 * Makes what the files say in an empty database, in one transaction. A file that lacks something waits for those that
 * come after it: no file has to be named for what it needs. Resolves to the files in an order that works.
 */
export async function applySource(databaseUrl: string, files: SourceFile[]): Promise<SourceFile[]> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    return await sql.begin(async (transaction) => {
      // A function may call one that is made after it.
      await transaction`set local check_function_bodies = off`;
      const objects = await applyAll(
        transaction,
        files.filter((file) => !isGrants(file)),
      );
      const grants = await applyAll(transaction, files.filter(isGrants));
      return [...objects, ...grants];
    });
  } finally {
    await sql.end();
  }
}

async function applyAll(sql: postgres.TransactionSql, files: SourceFile[]): Promise<SourceFile[]> {
  const applied: SourceFile[] = [];
  const waiting: SourceFile[] = [];
  const errors: string[] = [];
  for (const file of files) {
    try {
      await sql.savepoint((savepoint) => savepoint.unsafe(file.text));
      applied.push(file);
    } catch (error) {
      errors.push(describeSqlError(file.path, file.text, error));
      if (!lacksSomething(error)) throw new Error(errors.at(-1));
      waiting.push(file);
    }
  }
  if (waiting.length === 0) return applied;
  if (applied.length === 0) throw new Error(errors.join("\n"));
  return [...applied, ...(await applyAll(sql, waiting))];
}

// A schema, a table, a column, a function, or a type or another object, that is not there.
function lacksSomething(error: unknown): boolean {
  const codes = ["3F000", "42P01", "42703", "42883", "42704"];
  return error instanceof postgres.PostgresError && codes.includes(error.code);
}
