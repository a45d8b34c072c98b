import postgres from "postgres";
import { newTenant, type Stack, startStack, type Tenant } from "./stack.ts";

/**
 * A stack whose one tenant has so many records in the namespace `main`, and a tenth of them in `side` and in `visits`, where each is
 * a session of its own; and a tenth as many logs, and a hundredth as many scores.
 */
export interface Volume {
  records: number;
  stack: Stack;
  tenant: Tenant;
  token: string;
  /** A session in the middle of `main`, of 50 steps, and one of its traces. */
  session: string;
  trace: string;
}

/** Sessions that are filled with steps evenly over the last 90 days. */
interface Filling {
  namespace: string;
  /** Their names are this and a number. */
  prefix: string;
  sessions: number;
  /** Steps in each session. */
  length: number;
  /** How many sessions go on at the same time. */
  together: number;
}

/** Long conversations in the namespace `talks`, and how many steps they have. */
export const TALKS = {
  short: { name: "short-0", length: 100 },
  middle: { name: "middle-0", length: 1_000 },
  long: { name: "long-0", length: 100_000 },
};

const SESSION_LENGTH = 50;
const TOGETHER = 20;
const AGENTS = 20;
const LOGS_OF_RESOURCE = 10;

export async function startVolume(records: number, { talks }: { talks: boolean }): Promise<Volume> {
  const stack = await startStack();
  try {
    const tenant = await newTenant(stack, "growing", 1);
    await fill(stack, tenant, records, talks);
    const session = `main-${Math.floor(records / SESSION_LENGTH / 2)}`;
    const [trace] = await stack.sql<[{ trace_id: string }]>`
      select trace_id from public.traces
      where tenant_id = ${tenant.id} and session_id = ${session} and parent_trace_id is not null limit 1`;
    return { records, stack, tenant, token: tenant.tokens[0] ?? "", session, trace: trace.trace_id };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

// Steps are written as they are stored. What follows from them is derived at the end, as a restore does it.
async function fill({ database }: Stack, { id }: Tenant, records: number, talks: boolean): Promise<void> {
  const sql = postgres(database.adminUrl, { max: 1, onnotice: () => {} });
  try {
    for (const [namespace, count, length] of [
      ["main", records, SESSION_LENGTH],
      ["side", records / 10, SESSION_LENGTH],
      ["visits", records / 10, 1],
    ] as const) {
      await fillSessions(sql, id, {
        namespace,
        prefix: namespace,
        sessions: count / length,
        length,
        together: TOGETHER,
      });
    }
    for (const [prefix, { length }] of talks ? Object.entries(TALKS) : []) {
      await fillSessions(sql, id, { namespace: "talks", prefix, sessions: 1, length, together: 1 });
    }
    await fillLogs(sql, id, records / 10);
    await fillScores(sql, id, records / 100);
    await sql`select public.rebuild('{"tenant": "growing"}')`;
    await sql`vacuum (analyze)`;
  } finally {
    await sql.end();
  }
}

// A session has five traces: each agent calls its LLM and then hands over to the next one.
async function fillSessions(sql: postgres.Sql, tenantId: string, filling: Filling): Promise<void> {
  const { namespace, prefix, sessions, length, together } = filling;
  const namespaceId = await namespaceOf(sql, tenantId, namespace);
  const count = sessions * length;
  await sql`
    insert into public.sessions (tenant_id, namespace_id, id, user_id, created_at, last_activity_at)
    select ${tenantId}::uuid, ${namespaceId}::bigint, ${prefix}::text || '-' || session, 'user-' || session % 5000, moment, moment
    from generate_series(0, ${sessions - 1}::integer) as session
    cross join lateral (select ${moment(sql, sql`session`, sessions)} as moment) as opened`;
  await sql`
    insert into public.steps (
      id, tenant_id, namespace_id, session_id, kind, name, agent, agent_is_named, started_at, occurred_at, latency_ms, model,
      status, input_tokens, output_tokens, total_tokens, handoffs, content)
    select ${stepId(sql, prefix)}, ${tenantId}::uuid, ${namespaceId}::bigint, ${prefix}::text || '-' || session,
           case when hands_over then 'handoff' when calls_tool then 'tool' else 'llm' end,
           case when hands_over then next_agent when calls_tool then 'tool-' || place % 7 end, agent, true,
           moment - place % 3000 * interval '1 millisecond', moment, place % 3000, 
           case when not hands_over and not calls_tool then (array['gpt-4', 'gpt-4o', 'our-own'])[1 + place % 3] end,
           case when place % 97 = 0 then 'error' end, place % 500, place % 300, place % 500 + place % 300,
           case when hands_over then jsonb_build_array(jsonb_build_object('from', agent, 'to', next_agent)) end,
           case when hands_over then jsonb_build_object('from_agent', agent, 'to_agent', next_agent) else
             jsonb_build_object('provider', 'openai', 'input', jsonb_build_object('messages', jsonb_build_array(
               jsonb_build_object('role', 'user', 'content', 'Where is my order ' || md5(place::text) || '?'))),
             'output', jsonb_build_object('content', 'It is with the carrier, who calls it ' || md5('a' || place) || '.')) end
    from generate_series(0, ${count - 1}::integer) as place
    cross join lateral (
      select place / ${together * length}::integer * ${together}::integer + place % ${together}::integer as session,
             place % ${together * length}::integer / ${together}::integer as step, ${moment(sql, sql`place`, count)} as moment
    ) as belonging
    cross join lateral (
      select 'agent-' || (session + step * 5 / ${length}::integer) % ${AGENTS}::integer as agent,
             'agent-' || (session + step * 5 / ${length}::integer + 1) % ${AGENTS}::integer as next_agent,
             (step + 1) * 5 % ${length}::integer = 0 and step + 1 < ${length}::integer as hands_over,
             step % 10 = 4 as calls_tool
    ) as acting`;
}

async function fillLogs(sql: postgres.Sql, tenantId: string, count: number): Promise<void> {
  const namespaceId = await namespaceOf(sql, tenantId, "main");
  await sql`
    insert into public.steps (
      id, tenant_id, namespace_id, kind, agent, agent_is_named, level, resource_id, occurred_at, content)
    select ${stepId(sql, "logs")}, ${tenantId}::uuid, ${namespaceId}::bigint, 'log', 'agent-' || place % ${AGENTS}::integer, true,
           case when place % 50 = 0 then 'error' when place % 10 = 0 then 'warn' else 'info' end,
           'resource-' || place % ${count / LOGS_OF_RESOURCE}::integer, moment, jsonb_build_object('message', 'Looked up the order ' || md5(place::text))
    from generate_series(0, ${count - 1}::integer) as place
    cross join lateral (select ${moment(sql, sql`place`, count)} as moment) as arrived`;
}

// Of sessions of `main`.
async function fillScores(sql: postgres.Sql, tenantId: string, count: number): Promise<void> {
  const namespaceId = await namespaceOf(sql, tenantId, "main");
  await sql`
    insert into public.scores (id, tenant_id, namespace_id, session_id, name, number_value, source, created_at)
    select ${stepId(sql, "scores")}, ${tenantId}::uuid, ${namespaceId}::bigint, 'main-' || place * 2, 'helpful', place % 5, 'human', moment
    from generate_series(0, ${count - 1}::integer) as place
    cross join lateral (select ${moment(sql, sql`place`, count)} as moment) as arrived`;
}

/** The namespace's id; it is made when it is not there. */
async function namespaceOf(sql: postgres.Sql, tenantId: string, name: string): Promise<number> {
  const [row] = await sql<[{ id: number }]>`
    insert into public.namespaces (tenant_id, name) values (${tenantId}, ${name})
    on conflict (tenant_id, name) do update set name = excluded.name returning id`;
  return row.id;
}

type Expression = postgres.PendingQuery<postgres.Row[]>;

function moment(sql: postgres.Sql, place: Expression, count: number): Expression {
  return sql`now() - interval '90 days' * (1 - ${place}::float8 / ${count}::float8)`;
}

/** As the API makes ids: they begin with the time of arrival. */
function stepId(sql: postgres.Sql, prefix: string): Expression {
  return sql`
    (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '7' || substr(md5(${prefix}::text || place), 1, 3)
      || '8' || substr(md5(${prefix}::text || place), 4, 15))::uuid`;
}
