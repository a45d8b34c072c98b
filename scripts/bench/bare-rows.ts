import type postgres from "postgres";
import type { BareRow } from "./samples.ts";
import { literal } from "./simple-protocol.ts";

const COLUMNS: Record<keyof BareRow, string> = {
  id: "uuid",
  tenant_id: "uuid",
  namespace_id: "bigint",
  session_id: "text",
  kind: "text",
  agent: "text",
  agent_is_named: "boolean",
  occurred_at: "timestamptz",
  latency_ms: "bigint",
  model: "text",
  input_tokens: "bigint",
  output_tokens: "bigint",
  total_tokens: "bigint",
  content: "jsonb",
};
const NAMES = Object.keys(COLUMNS) as (keyof BareRow)[];

/**
 * The table of those who do without this API: columns, primary key, checks, indexes and generated columns of `steps`, so that
 * the same row is stored as findably.
 */
export async function createBareRows(sql: postgres.Sql): Promise<void> {
  await sql`create table public.bare_rows (like public.steps including all)`;
}

/** The plainest statement that stores the row. */
export function insertOfRow(row: BareRow): string {
  const values = NAMES.map((name) => literal(row[name]));
  return `insert into public.bare_rows (${NAMES}) values (${values})`;
}

/** One statement that stores many rows, as a REST layer does. */
export function insertOfRows(rows: BareRow[]): string {
  const columns = NAMES.map((name) => `${name} ${COLUMNS[name]}`);
  return `
    insert into public.bare_rows (${NAMES})
    select ${NAMES} from jsonb_to_recordset(${literal(rows)}) as row (${columns})`;
}
