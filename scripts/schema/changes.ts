import { extract, plan } from "@supabase/pg-delta";
import pg from "pg";
import postgres from "postgres";
import { readable } from "./readable.ts";
import type { Statement } from "./statements.ts";

/** A step of a migration. */
export interface Change {
  sql: string;
  /** Whether something that is stored goes away with it. */
  losesData: boolean;
}

/** Grants are left to the one file that says them, and what has been applied is no part of the schema. */
const options = {
  policy: {
    id: "migrations",
    filter: [
      { match: { kind: ["acl", "defaultPrivilege"] }, action: "exclude" as const },
      { match: { schema: "supabase_migrations" }, action: "exclude" as const },
      { match: { all: [{ kind: "schema" }, { name: "supabase_migrations" }] }, action: "exclude" as const },
    ],
  },
  scope: "database" as const,
  defaultOwner: "postgres",
  assumedRoles: ["postgres", "anon", "authenticated", "service_role"],
};

/** The steps that make one database like another, but for grants. Functions are written as the source writes them. */
export async function changesBetween(
  databaseUrl: string,
  wantedUrl: string,
  source: Statement[],
): Promise<Change[]> {
  const [actual, wanted] = await Promise.all([factsOf(databaseUrl), factsOf(wantedUrl)]);
  const { actions } = plan(actual, wanted, options);
  const keywords = await keywordsOf(databaseUrl);
  return actions.map(({ sql, dataLoss }) => ({
    sql: functionAsWritten(sql, source) ?? readable(sql, keywords),
    losesData: dataLoss === "destructive",
  }));
}

async function factsOf(databaseUrl: string) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  try {
    const { factBase } = await extract(pool);
    return factBase;
  } finally {
    await pool.end();
  }
}

function functionAsWritten(sql: string, source: Statement[]): string | undefined {
  const [, name] = /^CREATE OR REPLACE (?:FUNCTION|PROCEDURE) (.*?)\(/.exec(sql) ?? [];
  const written = source.find(({ creates }) => creates?.kind === "function" && creates.name === name);
  return written?.text.replace(/^create (or replace )?(?=function|procedure)/im, "create or replace ");
}

async function keywordsOf(databaseUrl: string): Promise<Set<string>> {
  const sql = postgres(databaseUrl, { max: 1 });
  try {
    const rows = await sql<{ word: string }[]>`select word from pg_get_keywords() where catcode <> 'U'`;
    return new Set(rows.map(({ word }) => word));
  } finally {
    await sql.end();
  }
}
