import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { migrate } from "./migrate.ts";
import { loopback } from "./ports.ts";
import { type Postgres, startPostgres } from "./postgres.ts";

/** The passwords of the roles that log in. Hexadecimal, so that they need no quoting anywhere. */
export interface Passwords {
  supabase_admin: string;
  postgres: string;
  authenticator: string;
}

/** An ephemeral database is deleted when it is stopped and trades durability for speed: it is meant for tests. */
export type DatabaseOptions =
  | { ephemeral: true }
  | { ephemeral: false; folder: string; passwords: Passwords };

/** A running database that looks like a hosted Supabase project. */
export interface Database extends Omit<Postgres, "port"> {
  /** The superuser. */
  adminUrl: string;
  /** The owner of the schema, whom Supabase calls `postgres`. */
  postgresUrl: string;
  /** Whom the REST layer logs in as. */
  authenticatorUrl: string;
}

const supabaseFiles = ["./roles.sql", "./public-schema.sql"].map((file) => new URL(file, import.meta.url));
const migrationsFolder = fileURLToPath(new URL("../../supabase/migrations", import.meta.url));

/** Starts Postgres, makes it look like Supabase and applies this repository's migrations. */
export async function startDatabase(options: DatabaseOptions): Promise<Database> {
  const database = await startEmptyDatabase(options);
  try {
    await migrate(database.postgresUrl, migrationsFolder);
  } catch (error) {
    await database.stop();
    throw error;
  }
  return database;
}

/** Starts Postgres and makes it look like Supabase. */
export async function startEmptyDatabase(options: DatabaseOptions): Promise<Database> {
  const { folder, passwords } = options.ephemeral ? await temporary() : options;
  const { port, ...running } = await startPostgres({
    directory: join(folder, "postgres"),
    logFile: join(folder, "postgres.log"),
    password: passwords.supabase_admin,
    ephemeral: options.ephemeral,
  });
  const url = (role: keyof Passwords) => `postgres://${role}:${passwords[role]}@${loopback}:${port}/postgres`;
  const urls = {
    adminUrl: url("supabase_admin"),
    postgresUrl: url("postgres"),
    authenticatorUrl: url("authenticator"),
  };

  try {
    await makeLikeSupabase(urls.adminUrl, passwords);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return { ...running, ...urls };
}

/** Fresh random passwords. */
export function newPasswords(): Passwords {
  const password = () => randomBytes(24).toString("hex");
  return { supabase_admin: password(), postgres: password(), authenticator: password() };
}

async function temporary(): Promise<{ folder: string; passwords: Passwords }> {
  const folder = await mkdtemp(join(tmpdir(), "agent-trace-postgres-"));
  // Started by root, Postgres runs as another user, who has to pass through.
  await chmod(folder, 0o711);
  return { folder, passwords: newPasswords() };
}

async function makeLikeSupabase(adminUrl: string, passwords: Passwords): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    for (const file of supabaseFiles) await sql.unsafe(await readFile(file, "utf8"));
    await sql.unsafe(`alter role postgres password '${passwords.postgres}'`);
    await sql.unsafe(`alter role authenticator password '${passwords.authenticator}'`);
  } finally {
    await sql.end();
  }
}
