import { readdir } from "node:fs/promises";

/** Where `supabase/schemas/` has the schema's version, which is the number of the newest migration. */
export const VERSION_PATH = "00_shared/schema_version.sql";

const writtenBy = "Written by `npm run db:migration`.";

/** The version as a file of SQL. */
export function versionInSql(version: number): string {
  return `-- The number of the newest migration, for GET /health/ready. ${writtenBy}
create or replace function public.schema_version() returns bigint
language sql immutable set search_path = ''
return ${version};
`;
}

/** The version as a module of TypeScript. */
export function versionInTypeScript(version: number): string {
  return `/** The number of the newest migration, which the database must have. ${writtenBy} */
export const SCHEMA_VERSION = ${version};
`;
}

/** The number of the newest migration of a folder, or 0. */
export async function newestMigration(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map((file) => Number.parseInt(file, 10));
  return Math.max(0, ...numbers.filter(Number.isFinite));
}

/** The number of a migration that is made now. */
export function versionAfter(newest: number, now: Date): number {
  const digits = now.toISOString().replace(/\D/g, "").slice(0, 14);
  // Another computer's clock may be ahead.
  return Math.max(Number(digits), newest + 1);
}
