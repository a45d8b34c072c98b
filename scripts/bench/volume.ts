import postgres from "postgres";
import { newTenant, type Stack, startStack, type Tenant } from "./stack.ts";

/** A stack whose one tenant has so many records and log entries in the namespace `main`, and a tenth of them in `side`. */
export interface Volume {
  records: number;
  stack: Stack;
  tenant: Tenant;
  token: string;
  /** A session in the middle of `main`, of 50 records, and a trace of its tree, of five. */
  session: string;
  trace: string;
}

const AGENTS = 20;

export async function startVolume(records: number): Promise<Volume> {
  const stack = await startStack();
  try {
    const tenant = await newTenant(stack, "growing", 1);
    await fill(stack, tenant, records);
    const session = `main-${Math.floor(records / 1000 / 2) * 20}`;
    const [trace] = await stack.sql<[{ public_id: string }]>`
      select public_id from public.traces
      where tenant_id = ${tenant.id} and session_id = ${session} and parent_id is not null limit 1`;
    return { records, stack, tenant, token: tenant.tokens[0] ?? "", session, trace: trace.public_id };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

async function fill({ database }: Stack, tenant: Tenant, records: number): Promise<void> {
  const sql = postgres(database.adminUrl, { max: 1, onnotice: () => {} });
  try {
    // Foreign keys are not looked after: what is made here fits together, and a million checks take minutes.
    await sql`set session_replication_role = replica`;
    await fillNamespace(sql, tenant.id, "main", records);
    await fillNamespace(sql, tenant.id, "side", records / 10);
    await sql`select setval('public.traces_id_seq', (select max(id) from public.traces))`;
    // What triggers would have noted, and the job of every five minutes added up.
    await sql`select public.recount()`;
    await sql`vacuum (analyze)`;
  } finally {
    await sql.end();
  }
}

// Evenly over the last 90 days, 20 sessions at a time of 50 records each. In a session five traces of ten records: the
// first one hands over to the others.
async function fillNamespace(sql: postgres.Sql, tenantId: string, name: string, records: number) {
  const sessions = Math.ceil(records / 1000) * 20;
  const [{ id: namespace }] = await sql<[{ id: number }]>`
    insert into public.namespaces (tenant_id, name) values (${tenantId}, ${name}) returning id`;
  const [{ base }] = await sql<[{ base: number }]>`
    select coalesce(max(id), 0)::integer as base from public.traces`;
  const moment = (place: postgres.PendingQuery<postgres.Row[]>, count: number) =>
    sql`now() - interval '90 days' * (1 - ${place}::float8 / ${count}::float8)`;

  await sql`
    insert into public.agents (tenant_id, namespace_id, name)
    select ${tenantId}::uuid, ${namespace}::bigint, 'agent-' || number from generate_series(0, ${AGENTS - 1}::integer) as number
    union all select ${tenantId}::uuid, ${namespace}::bigint, ${name}::text`;
  await sql`
    insert into public.sessions (tenant_id, namespace_id, id, user_id, created_at, last_activity_at)
    select ${tenantId}::uuid, ${namespace}::bigint, ${name}::text || '-' || session, 'user-' || session % 5000,
           ${moment(sql`session`, sessions)}, ${moment(sql`session`, sessions)}
    from generate_series(0, ${sessions - 1}::integer) as session`;
  await sql`
    insert into public.traces (
      id, tenant_id, namespace_id, agent_id, session_id, parent_id, tree_id, step_count, is_active, created_at)
    select ${base}::bigint + session * 5 + part + 1, ${tenantId}::uuid, ${namespace}::bigint, agents.id, ${name}::text || '-' || session,
           case when part > 0 then ${base}::bigint + session * 5 + 1 end, ${base}::bigint + session * 5 + 1, 10, part = 4,
           ${moment(sql`session`, sessions)}
    from generate_series(0, ${sessions - 1}::integer) as session
    cross join generate_series(0, 4) as part
    join public.agents on agents.namespace_id = ${namespace}::bigint and agents.name = 'agent-' || (session + part) % ${AGENTS}::integer`;
  await sql`
    insert into public.records (
      tenant_id, namespace_id, session_id, trace_id, step_number, type, agent, occurred_at, latency_ms, model,
      input_tokens, output_tokens, total_tokens, content)
    select ${tenantId}::uuid, ${namespace}::bigint, ${name}::text || '-' || session, ${base}::bigint + session * 5 + step / 10 + 1, step % 10 + 1,
           'llm', 'agent-' || (session + step / 10) % ${AGENTS}::integer, ${moment(sql`place`, records)}, place % 3000, 'gpt-4',
           place % 500, place % 300, place % 500 + place % 300,
           jsonb_build_object('provider', 'openai', 'input', jsonb_build_object('messages', jsonb_build_array(
               jsonb_build_object('role', 'user', 'content', 'Where is my order ' || md5(place::text) || '?'))),
             'output', jsonb_build_object('content', 'It is with the carrier, who calls it ' || md5('a' || place) || '.'))
    from generate_series(0, ${records - 1}::integer) as place
    cross join lateral (select place / 1000 * 20 + place % 20 as session, place % 1000 / 20 as step) as belonging`;
  await sql`
    insert into public.logs (tenant_id, namespace_id, agent, level, resource_id, occurred_at, content)
    select ${tenantId}::uuid, ${namespace}::bigint, 'agent-' || place % ${AGENTS}::integer,
           case when place % 50 = 0 then 'error' when place % 10 = 0 then 'warn' else 'info' end,
           'resource-' || place % 1000, ${moment(sql`place`, records)},
           jsonb_build_object('message', 'Looked up the order ' || md5(place::text))
    from generate_series(0, ${records - 1}::integer) as place`;
}
