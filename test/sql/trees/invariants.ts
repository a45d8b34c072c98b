import type postgres from "postgres";

/** How often each thing that must hold at every moment, in whatever order steps came, does not. */
export async function violations(sql: postgres.ISql, tenantId: string): Promise<Record<string, number>> {
  const [counted] = await sql`
    with recursive trace as materialized (
      select * from public.traces where tenant_id = ${tenantId}
    ), placed as materialized (
      select * from public.placements where tenant_id = ${tenantId}
    ), unfolded as materialized (
      select unnest(internal.unfolded_steps(${tenantId})) as id
    ), step as materialized (
      select steps.*, steps.id in (select id from unfolded) as is_unfolded from public.steps where tenant_id = ${tenantId}
    ), below as (
      select trace_id from trace where parent_trace_id is null
      union all
      select trace.trace_id from below join trace on trace.parent_trace_id = below.trace_id
    ), expected as (
      select list, namespace_id, case list when 'logs' then level else agent end as label,
             date_trunc('hour', occurred_at, 'UTC') as hour, 1 as rows
      from step where not is_unfolded and list <> 'spans'
      union all -- what the tree tells otherwise than the step
      select step.list, step.namespace_id, correction.label, date_trunc('hour', step.occurred_at, 'UTC'), correction.rows
      from step join placed on placed.step_id = step.id
      cross join lateral (values (step.agent, -1), (case when not placed.is_wrapper then placed.agent end, 1))
        as correction (label, rows)
      where step.list = 'records' and placed.agent is not null and correction.label is not null
      union all
      select case when parent_trace_id is null then 'root_traces' else 'child_traces' end, namespace_id, agent,
             date_trunc('hour', created_at, 'UTC'), 1
      from trace
    ), counted as (
      select list, namespace_id, label, hour, sum(rows) as count from expected group by 1, 2, 3, 4 having sum(rows) <> 0
    ), noted as (
      select list, namespace_id, label, hour, count from public.counts
      where tenant_id = ${tenantId} and hour is not null and label is not null
    ), stands as materialized ( -- each step where it stands, and as what
      select step.id, step.namespace_id, coalesce(step.session_id, placed.session_id) as session_id, step.status,
             case when placed.is_wrapper then 'span' else step.kind end as kind, step.kind as sent_kind,
             coalesce(placed.agent, step.agent) as agent, step.model, step.name, step.latency_ms, step.started_at,
             step.occurred_at, internal.start_of(step.started_at, step.occurred_at, step.latency_ms) as began_at,
             coalesce(step.user_id, placed.user_id, (
               select sessions.user_id from public.sessions where sessions.tenant_id = ${tenantId}
                 and sessions.id = coalesce(step.session_id, placed.session_id))) as user_id,
             coalesce(step.input_tokens, placed.input_tokens, 0) as input, coalesce(step.output_tokens, placed.output_tokens, 0) as output,
             coalesce(step.cached_input_tokens, placed.cached_input_tokens, 0) as cached,
             coalesce(step.reasoning_tokens, placed.reasoning_tokens, 0) as reasoning
      from step join placed on placed.step_id = step.id
    ), used as materialized (
      select stands.*, kind in ('llm', 'tool', 'handoff', 'message') as is_record,
             kind = 'llm' or kind in ('tool', 'handoff', 'message') and input + output + cached > 0 as is_billed,
             case when cached > input then input else input - cached end as uncached
      from stands
    ), used_now as (
      select grain.grain, grain.session_id, grain.namespace_id, grain.begins, grain.user_id, grain.agent,
             case when is_billed then model end, grain.tool,
             count(*), count(*) filter (where kind = 'llm'), count(*) filter (where kind = 'tool'),
             count(*) filter (where status = 'error'), coalesce(sum(input) filter (where is_record), 0),
             coalesce(sum(cached) filter (where is_record), 0), coalesce(sum(uncached) filter (where is_record), 0),
             coalesce(sum(output) filter (where is_record), 0),
             coalesce(sum(reasoning) filter (where is_record), 0), count(*) filter (where is_billed),
             count(*) filter (where is_billed and input + output + cached = 0),
             count(*) filter (where kind in ('llm', 'tool') and latency_ms is not null
               and (grain.tool is not null or kind = 'llm' or name is null))
      from used cross join lateral (values
        ('day', null, namespace_id, date_trunc('day', occurred_at, 'UTC'), null, null, null),
        ('hour', null, namespace_id, date_trunc('hour', occurred_at, 'UTC'), null, null, null),
        ('day in detail', null, namespace_id, date_trunc('day', occurred_at, 'UTC'), null, agent,
         case kind when 'tool' then name end),
        ('hour in detail', null, namespace_id, date_trunc('hour', occurred_at, 'UTC'), null, agent,
         case kind when 'tool' then name end),
        ('session', session_id, namespace_id, date_trunc('hour', occurred_at, 'UTC'), user_id, agent,
         case kind when 'tool' then name end)
      ) as grain (grain, session_id, namespace_id, begins, user_id, agent, tool)
      group by 1, 2, 3, 4, 5, 6, 7, 8
    ), used_before as ( -- by steps that were forgotten since
      select grain.grain, null, past.namespace_id, grain.begins, null, grain.agent, past.model, grain.tool, past.steps, past.calls,
             past.tool_calls, past.errors, past.input_tokens, past.cached_input_tokens, past.uncached_input_tokens, past.output_tokens,
             past.reasoning_tokens, past.billed_steps, past.untold_steps,
             case when past.tool is null or grain.tool is not null
               then (select coalesce(sum(value::bigint), 0) from jsonb_each(past.latencies)) else 0 end
      from public.usage as past cross join lateral (values
        ('day', date_trunc('day', past.begins, 'UTC'), null, null),
        ('hour', past.begins, null, null),
        ('day in detail', date_trunc('day', past.begins, 'UTC'), past.agent, past.tool),
        ('hour in detail', past.begins, past.agent, past.tool),
        ('session', past.begins, past.agent, past.tool)
      ) as grain (grain, begins, agent, tool)
      where past.tenant_id = ${tenantId} and past.grain = 'past'
    ), every_use (
      grain, session_id, namespace_id, begins, user_id, agent, model, tool, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12
    ) as (
      select * from used_now union all select * from used_before
    ), usage as (
      select grain, session_id, namespace_id, begins, user_id, agent, model, tool, sum(f1), sum(f2), sum(f3), sum(f4), sum(f5),
             sum(f6), sum(f7), sum(f8), sum(f9), sum(f10), sum(f11), sum(f12)
      from every_use group by 1, 2, 3, 4, 5, 6, 7, 8
    ), noted_usage as (
      select grain, session_id, namespace_id, begins, user_id, agent, model, tool, steps, calls, tool_calls, errors, input_tokens,
             cached_input_tokens, uncached_input_tokens, output_tokens, reasoning_tokens, billed_steps, untold_steps,
             (select coalesce(sum(value::bigint), 0) from jsonb_each(latencies))
      from public.usage where tenant_id = ${tenantId} and grain <> 'past'
    ), summaries as (
      select session_id, namespace_id, count(*), count(*) filter (where status = 'error'),
             max(least(coalesce(started_at + latency_ms * interval '1 millisecond', occurred_at), internal.arrival_of(id))),
             min(began_at), max(coalesce(started_at + latency_ms * interval '1 millisecond', occurred_at)),
             (array_agg(id order by began_at, id) filter (where sent_kind in ('llm', 'message')))[1],
             (array_agg(id order by began_at desc, id desc) filter (where sent_kind in ('llm', 'message')))[1],
             max(id::text)::uuid
      from stands where session_id is not null group by 1, 2
    ), noted_summaries as (
      select session_id, namespace_id, step_count, error_count, last_activity_at, began_at, ended_at,
             first_message_id, last_message_id, last_step_id
      from public.session_summaries where tenant_id = ${tenantId} and step_count > 0
    ), sessions_counted as (
      select namespace_id, count(*) from noted_summaries group by 1
    ), noted_sessions as (
      select namespace_id, count from public.counts where tenant_id = ${tenantId} and list = 'sessions'
    )
    select
      (select count(*)::int from trace
       where step_count <> (select count(*) from placed where placed.trace_id = trace.trace_id)) as step_count_is_not_the_steps,
      (select count(*)::int from trace
       where last_step_id < (select max(step_id::text)::uuid from placed where placed.trace_id = trace.trace_id)) as last_step_is_older,
      (select count(*)::int from placed where step_id not in (select id from step)) as placements_of_no_step,
      (select count(*)::int from placed where trace_id not in (select trace_id from trace)) as placements_in_no_trace,
      (select count(*)::int from step
       where tree_key is not null and not is_unfolded and id not in (select step_id from placed)) as folded_is_not_placed,
      (select count(*)::int from trace) - (select count(*)::int from below) as not_below_a_root,
      (select count(*)::int from placed join trace on trace.trace_id = placed.trace_id
       where placed.agent <> trace.agent) as agents_of_spans_are_not_their_traces,
      (select count(*)::int from placed join step on step.id = placed.step_id
       left join trace on trace.trace_id = placed.to_trace_id
       where (placed.to_trace_id is not null or step.handoffs is not null and step.tree_kind in ('session', 'lone'))
         and trace.agent is distinct from step.handoffs -> -1 ->> 'to') as handoffs_lead_elsewhere,
      (select count(*)::int from (
         (select * from counted where label is not null except select * from noted)
         union all (select * from noted except select * from counted)) as wrong) as wrong_counts,
      (select count(*)::int from (
         (select * from usage except select * from noted_usage)
         union all (select * from noted_usage except select * from usage)) as wrong) as wrong_usage,
      (select count(*)::int from (
         (select * from summaries except select * from noted_summaries)
         union all (select * from noted_summaries except select * from summaries)) as wrong) as wrong_sessions,
      (select count(*)::int from (
         (select * from sessions_counted except select * from noted_sessions)
         union all (select * from noted_sessions except select * from sessions_counted)) as wrong) as wrong_counts_of_sessions`;
  return Object.fromEntries(Object.entries(counted ?? {}).filter(([, number]) => number !== 0));
}
