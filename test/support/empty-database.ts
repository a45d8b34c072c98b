import postgres from "postgres";
import { inject } from "vitest";
import { newDatabase } from "../../scripts/stack/new-database.ts";

/** An empty database beside the one that all tests share. */
export async function withDatabase(use: (url: string, sql: postgres.Sql) => Promise<void>): Promise<void> {
  const { url, drop } = await newDatabase(inject("databaseUrl"));
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await use(url, sql);
  } finally {
    await sql.end();
    await drop();
  }
}
