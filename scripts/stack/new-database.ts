import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import postgres from "postgres";

const publicSchema = await readFile(new URL("./public-schema.sql", import.meta.url), "utf8");

/** An empty database beside others, which looks like that of a new Supabase project. */
export interface NewDatabase {
  url: string;
  drop(): Promise<void>;
}

/** Makes an empty database on the server of this URL, whose user is `postgres`. */
export async function newDatabase(serverUrl: string): Promise<NewDatabase> {
  const name = `beside_${randomBytes(4).toString("hex")}`;
  const url = inDatabase(serverUrl, name);
  await run(serverUrl, `create database ${name}`);
  await run(url, publicSchema);
  return { url, drop: () => run(serverUrl, `drop database ${name} with (force)`) };
}

/** The same login, in another database. */
export function inDatabase(url: string, name: string): string {
  return url.replace(/\/postgres$/, `/${name}`);
}

async function run(url: string, text: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}
