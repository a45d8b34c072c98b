import type postgres from "postgres";

/** A value as it stands in the text of a statement; objects and lists as JSON. */
export function literal(value: unknown): string {
  const text = typeof value === "object" ? JSON.stringify(value) : `${value}`;
  return `'${text.replaceAll("'", "''")}'`;
}

/** Runs a statement without parameters by the simple protocol: parsed and planned each time, in one round trip. */
export function run<Row extends postgres.MaybeRow>(sql: postgres.Sql, statement: string): Promise<Row[]> {
  return sql.unsafe<Row[]>(statement).simple();
}
