import postgres from "postgres";
import type { Created, Statement } from "./statements.ts";

const lookUp = { schema: "to_regnamespace", type: "to_regtype", relation: "to_regclass" };

/**
 * Runs, in a database, the statements that create a schema, a type or a relation which it lacks, where that works before
 * anything else is changed. Returns those statements.
 */
export async function createWhatIsNew(databaseUrl: string, statements: Statement[]): Promise<Statement[]> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  const created: Statement[] = [];
  try {
    for (const statement of statements) {
      if ((await lacks(sql, statement.creates)) && (await works(sql, statement))) created.push(statement);
    }
  } finally {
    await sql.end();
  }
  return created;
}

async function lacks(sql: postgres.Sql, creates: Created | undefined): Promise<boolean> {
  if (!creates || creates.kind === "function") return false;
  const [row] = await sql`select ${sql(lookUp[creates.kind])}(${creates.name}) is null as lacks`;
  return row?.lacks;
}

async function works(sql: postgres.Sql, { text }: Statement): Promise<boolean> {
  try {
    await sql.unsafe(text);
    return true;
  } catch {
    return false;
  }
}
