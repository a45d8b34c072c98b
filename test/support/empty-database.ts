import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { inject } from "vitest";

/** An empty database beside the one that all tests share. */
export async function withDatabase(use: (url: string, sql: postgres.Sql) => Promise<void>): Promise<void> {
  const name = `beside_${randomBytes(4).toString("hex")}`;
  const url = inDatabase(inject("databaseUrl"), name);
  const shared = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
  await shared`create database ${shared(name)}`;
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await use(url, sql);
  } finally {
    await sql.end();
    await shared`drop database ${shared(name)} with (force)`;
    await shared.end();
  }
}

/** The same login, in another database. */
export function inDatabase(url: string, name: string): string {
  return url.replace(/\/postgres$/, `/${name}`);
}
