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
    )
    select
      (select count(*)::int from trace
       where step_count <> (select count(*) from placed where placed.trace_id = trace.trace_id)) as step_count_is_not_the_steps,
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
         union all (select * from noted except select * from counted)) as wrong) as wrong_counts`;
  return Object.fromEntries(Object.entries(counted ?? {}).filter(([, number]) => number !== 0));
}
