-- So many rows more, or less, of a list, with a label and in an hour.
create type internal.count_change as (
  tenant_id uuid, list text, namespace_id bigint, label text, hour timestamptz, change bigint);

-- Adds to the counts. Only under the fold lock of the tenants that they belong to.
create function internal.add_counts(changes internal.count_change[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  emptied tid[];
begin
  if changes = '{}' then return; end if;
  with written as (
    insert into public.counts as known (tenant_id, list, namespace_id, label, hour, count)
    select change.tenant_id, change.list, change.namespace_id, change.label, change.hour, sum(change.change)
    from unnest(add_counts.changes) as change
    group by grouping sets (
      (change.tenant_id, change.list, change.namespace_id),
      (change.tenant_id, change.list, change.namespace_id, change.label),
      (change.tenant_id, change.list, change.namespace_id, change.hour),
      (change.tenant_id, change.list, change.namespace_id, change.label, change.hour))
    having sum(change.change) <> 0
    on conflict on constraint rows_of_a_list_label_and_hour_are_counted_once
      do update set count = known.count + excluded.count
    returning known.ctid as place, known.count
  )
  select array_agg(written.place) into emptied from written where written.count = 0;
  if emptied is not null then delete from public.counts where counts.ctid = any (emptied); end if;
end $$;

-- Counts the steps that changes bring.
create function internal.count_changes(owner_id uuid, changes internal.change[]) returns void
language plpgsql set search_path = '' as $$
begin
  perform internal.add_counts(array(
    select (owner_id, change.list, change.namespace_id, case change.list when 'logs' then change.level else change.agent end,
            change.hour, change.steps)::internal.count_change
    from unnest(count_changes.changes) as change where change.list <> 'spans' and change.steps > 0));
end $$;

-- Counts the traces that a statement has inserted, changed or deleted.
-- No nested loop: of what a statement has written there are no statistics, and it may be much.
create function internal.count_traces_written() returns trigger
language plpgsql set search_path = '' set enable_nestloop = off as $$
begin
  if tg_op = 'INSERT' then
    perform internal.add_counts(array(select internal.count_of_trace(stored, 1) from stored));
  elsif tg_op = 'DELETE' then
    perform internal.add_counts(array(select internal.count_of_trace(gone, -1) from gone));
  else
    perform internal.add_counts(array(
      select internal.count_of_trace(trace.row, trace.change)
      from gone join stored on stored.tenant_id = gone.tenant_id and stored.trace_id = gone.trace_id
      cross join lateral (values (stored::public.traces, 1), (gone::public.traces, -1)) as trace (row, change)
      where (stored.parent_trace_id is null, stored.namespace_id, stored.agent, stored.created_at)
        is distinct from (gone.parent_trace_id is null, gone.namespace_id, gone.agent, gone.created_at)));
  end if;
  return null;
end $$;

-- What a trace is counted as: one more, or one less.
create function internal.count_of_trace(trace public.traces, change bigint) returns internal.count_change
language plpgsql immutable set search_path = '' as $$
begin
  return (
    trace.tenant_id, case when trace.parent_trace_id is null then 'root_traces' else 'child_traces' end, trace.namespace_id,
    trace.agent, date_trunc('hour', trace.created_at, 'UTC'), count_of_trace.change)::internal.count_change;
end $$;

create trigger inserted_traces_are_counted after insert on public.traces
  referencing new table as stored for each statement execute function internal.count_traces_written();
create trigger changed_traces_are_counted after update on public.traces
  referencing old table as gone new table as stored for each statement execute function internal.count_traces_written();
create trigger deleted_traces_are_counted after delete on public.traces
  referencing old table as gone for each statement execute function internal.count_traces_written();
