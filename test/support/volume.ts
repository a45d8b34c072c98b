import postgres from "postgres";
import { inject } from "vitest";

/** Stores many records and log entries of one size for a tenant, in the namespace `n`, behind the API's back. */
export async function fill(tenant: string, rows: { count: number; bytes: number }): Promise<void> {
  const sql = postgres(inject("databaseUrl"), { max: 1, onnotice: () => {} });
  try {
    const [namespace] = await sql`
      insert into public.namespaces (tenant_id, name) select id, 'n' from public.tenants where name = ${tenant}
      returning tenant_id, id`;
    const places = sql`
      select ${namespace?.tenant_id}::uuid, ${namespace?.id}::bigint, 'a', timestamptz '2025-10-29Z' + place * interval '1 s', place`;
    // Random, so that it is as large on its way as it is in the table.
    const text = sql`(
      select string_agg(md5(random()::text || piece), '') from generate_series(1, ${Math.ceil(rows.bytes / 32)}) as piece)`;
    await sql`
      insert into public.steps (id, tenant_id, namespace_id, kind, agent, agent_is_named, occurred_at, content)
      select gen_random_uuid(), tenant_id, namespace_id, 'message', agent, true, occurred_at,
             jsonb_build_object('msg', jsonb_build_object('place', place, 'text', ${text}))
      from (${places} from generate_series(1, ${rows.count}) as place)
        as row (tenant_id, namespace_id, agent, occurred_at, place)`;
    await sql`
      insert into public.steps (id, tenant_id, namespace_id, kind, level, agent, agent_is_named, occurred_at, content)
      select gen_random_uuid(), tenant_id, namespace_id, 'log', 'info', agent, true, occurred_at,
             jsonb_build_object('message', place::text, 'custom_object', jsonb_build_object('text', ${text}))
      from (${places} from generate_series(1, ${rows.count}) as place)
        as row (tenant_id, namespace_id, agent, occurred_at, place)`;
    await sql`select public.rebuild(${sql.json({ tenant })})`;
  } finally {
    await sql.end();
  }
}
