import postgres from "postgres";
import type { Database } from "../stack/database.ts";

const EVERY_SECONDS = 10;

/** Folds what was written, as often as a schedule does, beside everything that is measured. Returns what ends it. */
export function foldRegularly({ postgresUrl }: Database): () => Promise<void> {
  const sql = postgres(postgresUrl, { max: 1, onnotice: () => {} });
  let folding: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    folding = folding.then(() => sql`select public.fold_all()`);
    folding.catch((error) => console.error(`fold_all: ${error.message}`));
  }, EVERY_SECONDS * 1000);
  return async () => {
    clearInterval(timer);
    await folding.catch(() => {});
    await sql.end();
  };
}

/** Folds until nothing is left: what is measured next does not find what was left by what was measured before. */
export async function foldEverything(sql: postgres.Sql): Promise<void> {
  for (;;) {
    await sql`select public.fold_all()`;
    const [{ pending }] = await sql<[{ pending: boolean }]>`
      select exists (select from public.changes) as pending`;
    if (!pending) return;
  }
}
