import type postgres from "postgres";
import type { BareRow } from "./samples.ts";

/**
 * The table of those who do without this API: columns, primary key, checks and indexes of `records`, so that the same row
 * is stored as findably. Without its foreign keys and what counts, links and deduplicates: the harder comparison.
 */
export async function createBareRows(sql: postgres.Sql): Promise<void> {
  await sql`create table public.bare_rows (like public.records including all)`;
}

/** Stores the row by the plainest statement there is. */
export async function insertBareRow(sql: postgres.Sql, table: string, row: BareRow): Promise<void> {
  await sql`
    insert into ${sql(table)} (
      tenant_id, namespace_id, session_id, trace_id, step_number, type, agent, latency_ms, model, input_tokens,
      output_tokens, total_tokens, content)
    values (
      ${row.tenant_id}, ${row.namespace_id}, ${row.session_id}, ${row.trace_id}, ${row.step_number}, ${row.type},
      ${row.agent}, ${row.latency_ms}, ${row.model}, ${row.input_tokens}, ${row.output_tokens}, ${row.total_tokens},
      ${sql.json(row.content)})`;
}

/** Stores many rows by one statement, as a REST layer does. */
export async function insertBareRows(sql: postgres.Sql, table: string, rows: BareRow[]): Promise<void> {
  await sql`
    insert into ${sql(table)} (
      tenant_id, namespace_id, session_id, trace_id, step_number, type, agent, latency_ms, model, input_tokens,
      output_tokens, total_tokens, content)
    select * from jsonb_to_recordset(${sql.json(rows as unknown as postgres.JSONValue)}) as row (
      tenant_id uuid, namespace_id bigint, session_id text, trace_id bigint, step_number integer, type text, agent text,
      latency_ms bigint, model text, input_tokens bigint, output_tokens bigint, total_tokens bigint, content jsonb)`;
}
