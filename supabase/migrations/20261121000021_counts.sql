-- How many records, log entries and traces match a query, exactly, without reading them all. What is inserted or deleted is
-- noted in the same transaction as a change of a count. Every five minutes the changes are added up and are gone. A count is
-- the sums and the changes since, in one snapshot: so it is right at every moment, whatever commits when.

create table public.row_counts (
  tenant_id uuid not null,
  kind text not null,
  namespace_id bigint not null,
  label text,
  hour timestamptz,
  count bigint not null,
  constraint rows_of_a_kind_label_and_hour_are_counted_once
    unique nulls not distinct (tenant_id, kind, namespace_id, label, hour)
);

comment on table public.row_counts is 'Without foreign keys: what is deleted is subtracted, and counts of nothing are deleted.';
comment on column public.row_counts.kind is 'records, logs, root_traces or child_traces.';
comment on column public.row_counts.label is 'The agent of records, the level of logs, the agent_id of traces. Null: all of them.';
comment on column public.row_counts.hour is 'When it begins. Null: all of them.';

create table public.row_count_changes (
  tenant_id uuid not null,
  kind text not null,
  namespace_id bigint not null,
  label text not null,
  hour timestamptz not null,
  change bigint not null,
  constraint changed_rows_are_of_a_known_kind check (kind in ('records', 'logs', 'root_traces', 'child_traces'))
);

comment on table public.row_count_changes is 'What row_counts lacks. Only ever inserted into, so that no request waits for another.';

create index changes_of_a_namespace on public.row_count_changes (tenant_id, namespace_id, kind);

-- For replication: neither has a primary key.
alter table public.row_counts replica identity full;
alter table public.row_count_changes replica identity full;

alter table public.row_counts enable row level security;
alter table public.row_count_changes enable row level security;
revoke all on table public.row_counts, public.row_count_changes from public, anon, authenticated;
grant select, insert, update, delete on table public.row_counts, public.row_count_changes to service_role;

-- Notes the records that a statement has inserted, deleted or changed.
create function public.note_records() returns trigger
language plpgsql set search_path = '' as $$
begin
  if tg_op <> 'INSERT' then
    insert into public.row_count_changes (tenant_id, kind, namespace_id, label, hour, change)
    select gone.tenant_id, 'records', gone.namespace_id, gone.agent, date_trunc('hour', gone.occurred_at, 'UTC'), -count(*)
    from gone group by 1, 3, 4, 5;
  end if;
  if tg_op <> 'DELETE' then
    insert into public.row_count_changes (tenant_id, kind, namespace_id, label, hour, change)
    select stored.tenant_id, 'records', stored.namespace_id, stored.agent,
           date_trunc('hour', stored.occurred_at, 'UTC'), count(*)
    from stored group by 1, 3, 4, 5;
  end if;
  return null;
end $$;

-- The same for log entries.
create function public.note_logs() returns trigger
language plpgsql set search_path = '' as $$
begin
  if tg_op <> 'INSERT' then
    insert into public.row_count_changes (tenant_id, kind, namespace_id, label, hour, change)
    select gone.tenant_id, 'logs', gone.namespace_id, gone.level, date_trunc('hour', gone.occurred_at, 'UTC'), -count(*)
    from gone group by 1, 3, 4, 5;
  end if;
  if tg_op <> 'DELETE' then
    insert into public.row_count_changes (tenant_id, kind, namespace_id, label, hour, change)
    select stored.tenant_id, 'logs', stored.namespace_id, stored.level, date_trunc('hour', stored.occurred_at, 'UTC'), count(*)
    from stored group by 1, 3, 4, 5;
  end if;
  return null;
end $$;

-- What a trace is counted as.
create function public.trace_kind(parent_id bigint) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return case when trace_kind.parent_id is null then 'root_traces' else 'child_traces' end;
end $$;

-- Notes the traces that a statement has inserted or deleted.
create function public.note_traces() returns trigger
language plpgsql set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    insert into public.row_count_changes (tenant_id, kind, namespace_id, label, hour, change)
    select gone.tenant_id, public.trace_kind(gone.parent_id), gone.namespace_id, gone.agent_id::text,
           date_trunc('hour', gone.created_at, 'UTC'), -count(*)
    from gone group by 1, 2, 3, 4, 5;
  else
    insert into public.row_count_changes (tenant_id, kind, namespace_id, label, hour, change)
    select stored.tenant_id, public.trace_kind(stored.parent_id), stored.namespace_id, stored.agent_id::text,
           date_trunc('hour', stored.created_at, 'UTC'), count(*)
    from stored group by 1, 2, 3, 4, 5;
  end if;
  return null;
end $$;

-- Notes a trace that is counted elsewhere from now on: it was adopted, or was a placeholder. Row by row, because only so can a
-- trigger leave out the updates of other columns, and every step updates the step_count.
create function public.note_moved_trace() returns trigger
language plpgsql set search_path = '' as $$
begin
  insert into public.row_count_changes (tenant_id, kind, namespace_id, label, hour, change) values
    (old.tenant_id, public.trace_kind(old.parent_id), old.namespace_id, old.agent_id::text,
     date_trunc('hour', old.created_at, 'UTC'), -1),
    (new.tenant_id, public.trace_kind(new.parent_id), new.namespace_id, new.agent_id::text,
     date_trunc('hour', new.created_at, 'UTC'), 1);
  return null;
end $$;

-- All at once, in the order in which requests come to them, so that a request and this migration do not wait for each other
-- in a circle. Writers wait until the rows that are there already have been counted, below.
do $$ begin
  lock table public.traces, public.records, public.logs in share row exclusive mode;
end $$;

create trigger inserted_records_are_counted after insert on public.records
  referencing new table as stored for each statement execute function public.note_records();
create trigger deleted_records_are_counted after delete on public.records
  referencing old table as gone for each statement execute function public.note_records();
create trigger changed_records_are_counted after update on public.records
  referencing old table as gone new table as stored for each statement execute function public.note_records();

create trigger inserted_logs_are_counted after insert on public.logs
  referencing new table as stored for each statement execute function public.note_logs();
create trigger deleted_logs_are_counted after delete on public.logs
  referencing old table as gone for each statement execute function public.note_logs();
create trigger changed_logs_are_counted after update on public.logs
  referencing old table as gone new table as stored for each statement execute function public.note_logs();

create trigger inserted_traces_are_counted after insert on public.traces
  referencing new table as stored for each statement execute function public.note_traces();
create trigger deleted_traces_are_counted after delete on public.traces
  referencing old table as gone for each statement execute function public.note_traces();
create trigger moved_traces_are_counted
  after update of tenant_id, namespace_id, agent_id, parent_id, created_at on public.traces for each row
  when ((old.tenant_id, old.namespace_id, old.agent_id, old.parent_id, old.created_at)
    is distinct from (new.tenant_id, new.namespace_id, new.agent_id, new.parent_id, new.created_at))
  execute function public.note_moved_trace();

-- Adds changes to the counts, no more than `most` of them, so that it never takes long: the rest is for the next time, and
-- counts are right without. Returns how many.
create function public.fold_counts(most integer default 1000000) returns integer
language plpgsql set search_path = '' as $$
declare
  folded integer;
  emptied tid[];
begin
  -- One at a time: two would wait for each other's counts, in a circle perhaps.
  if not pg_try_advisory_xact_lock(hashtextextended('fold_counts', 0)) then return 0; end if;

  -- Taken from the changes and added to the counts at once: no reader sees a change in both, or in neither.
  with taken as (
    delete from public.row_count_changes
    where row_count_changes.ctid = any (array(select changes.ctid from public.row_count_changes changes limit fold_counts.most))
    returning row_count_changes.*
  ), written as (
    insert into public.row_counts as known (tenant_id, kind, namespace_id, label, hour, count)
    select taken.tenant_id, taken.kind, taken.namespace_id, taken.label, taken.hour, sum(taken.change)
    from taken
    group by grouping sets (
      (taken.tenant_id, taken.kind, taken.namespace_id),
      (taken.tenant_id, taken.kind, taken.namespace_id, taken.label),
      (taken.tenant_id, taken.kind, taken.namespace_id, taken.hour),
      (taken.tenant_id, taken.kind, taken.namespace_id, taken.label, taken.hour))
    having sum(taken.change) <> 0
    on conflict on constraint rows_of_a_kind_label_and_hour_are_counted_once
      do update set count = known.count + excluded.count
    returning known.ctid as place, known.count
  )
  select (select count(*) from taken), array(select written.place from written where written.count = 0)
  into folded, emptied;

  delete from public.row_counts where row_counts.ctid = any (emptied);
  return folded;
end $$;

-- Counts everything anew. For rows that came or went without triggers: before this migration, by `truncate`, or by a restore
-- that switches triggers off. Writers wait meanwhile.
create function public.recount() returns void
language plpgsql set search_path = '' as $$
begin
  lock table public.traces, public.records, public.logs, public.row_count_changes in share row exclusive mode;
  delete from public.row_count_changes;
  delete from public.row_counts;
  insert into public.row_count_changes (tenant_id, kind, namespace_id, label, hour, change)
  select records.tenant_id, 'records', records.namespace_id, records.agent,
         date_trunc('hour', records.occurred_at, 'UTC'), count(*)
  from public.records group by 1, 3, 4, 5
  union all
  select logs.tenant_id, 'logs', logs.namespace_id, logs.level, date_trunc('hour', logs.occurred_at, 'UTC'), count(*)
  from public.logs group by 1, 3, 4, 5
  union all
  select traces.tenant_id, public.trace_kind(traces.parent_id), traces.namespace_id, traces.agent_id::text,
         date_trunc('hour', traces.created_at, 'UTC'), count(*)
  from public.traces group by 1, 2, 3, 4, 5;
  perform public.fold_counts();
end $$;

select public.recount();

-- delete_expired as before, and the fold: first, because it holds up no request.
create or replace function public.delete_expired(payload jsonb default '{}') returns jsonb
language plpgsql set search_path = '' as $$
declare
  deleted jsonb := '{}';
  counted integer;
begin
  begin
    perform public.fold_counts();
  exception when others then raise warning 'Changes were not added to the counts: %', sqlerrm;
  end;

  begin
    delete from public.monkai_idempotency_keys known
    where known.ctid in (
      select expired.ctid from public.monkai_idempotency_keys expired
      where expired.expires_at <= now() for update skip locked);
    get diagnostics counted = row_count;
    deleted := deleted || jsonb_build_object('idempotency_keys', counted);
  exception when others then raise warning 'Expired idempotency keys were not deleted: %', sqlerrm;
  end;

  begin
    -- Not the last minutes: a request that began in one may still hold its row.
    delete from public.monkai_rate_limits where monkai_rate_limits.minute < now() - interval '5 minutes';
    get diagnostics counted = row_count;
    deleted := deleted || jsonb_build_object('rate_limits', counted);
  exception when others then raise warning 'Old rate limit counts were not deleted: %', sqlerrm;
  end;

  delete from public.record_fingerprints known
  where known.ctid in (
    select old.ctid from public.record_fingerprints old
    where old.stored_at <= now() - interval '5 minutes' for update skip locked);
  get diagnostics counted = row_count;
  return deleted || jsonb_build_object('record_fingerprints', counted);
end $$;

-- The time that a query {start_date?, end_date?} is about: from `begins` until before `ends`, null where it is open. The whole
-- hours in it, which row_counts has, are from `first_hour` until before `last_hour`. What is left is counted by index.
create function public.hours_of(
  query jsonb, out begins timestamptz, out first_hour timestamptz, out last_hour timestamptz, out ends timestamptz)
language plpgsql stable set search_path = '' as $$
begin
  begins := hours_of.query ->> 'start_date';
  ends := (hours_of.query ->> 'end_date')::timestamptz + interval '1 microsecond'; -- it is inclusive
  first_hour := date_trunc('hour', begins + interval '1 hour' - interval '1 microsecond', 'UTC');
  if ends is not null then
    last_hour := greatest(first_hour, date_trunc('hour', ends, 'UTC'));
  end if;
end $$;

-- How many rows of these kinds are in the namespaces, of these labels (null: of all), in the whole hours from `first_hour`
-- until before `last_hour` (null: open).
create function public.counted_rows(
  tenant_id uuid, kinds text[], namespace_ids bigint[], labels text[], first_hour timestamptz, last_hour timestamptz)
returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  return (
    select coalesce(sum(counts.count), 0) from public.row_counts counts
    where counts.tenant_id = counted_rows.tenant_id and counts.kind = any (kinds)
      and counts.namespace_id = any (namespace_ids)
      and (labels is not null or counts.label is null)
      and (labels is null or counts.label = any (labels))
      and (counted_rows.first_hour is not null or counted_rows.last_hour is not null or counts.hour is null)
      and (counted_rows.first_hour is null or counts.hour >= counted_rows.first_hour)
      and (counted_rows.last_hour is null or counts.hour < counted_rows.last_hour)
  ) + (
    select coalesce(sum(changes.change), 0) from public.row_count_changes changes
    where changes.tenant_id = counted_rows.tenant_id and changes.kind = any (kinds)
      and changes.namespace_id = any (namespace_ids)
      and (labels is null or changes.label = any (labels))
      and (counted_rows.first_hour is null or changes.hour >= counted_rows.first_hour)
      and (counted_rows.last_hour is null or changes.hour < counted_rows.last_hour));
end $$;

-- How many records match a query: see find_records. Those of a session are few, and are counted one by one.
create function public.count_records(tenant_id uuid, namespace_id bigint, query jsonb) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  hours record := public.hours_of(count_records.query);
begin
  if query ->> 'session_id' is not null then
    return (
      select count(*) from public.records
      where records.tenant_id = count_records.tenant_id and records.namespace_id = count_records.namespace_id
        and records.session_id = query ->> 'session_id'
        and (query ->> 'agent' is null or records.agent = query ->> 'agent')
        and (hours.begins is null or records.occurred_at >= hours.begins)
        and (hours.ends is null or records.occurred_at < hours.ends));
  end if;
  return (
    select count(*) from public.records
    where records.tenant_id = count_records.tenant_id and records.namespace_id = count_records.namespace_id
      and (query ->> 'agent' is null or records.agent = query ->> 'agent')
      and records.occurred_at >= hours.begins and records.occurred_at < least(hours.first_hour, hours.ends)
  ) + public.counted_rows(
    count_records.tenant_id, '{records}', array[count_records.namespace_id],
    case when query ->> 'agent' is not null then array[query ->> 'agent'] end, hours.first_hour, hours.last_hour
  ) + (
    select count(*) from public.records
    where records.tenant_id = count_records.tenant_id and records.namespace_id = count_records.namespace_id
      and (query ->> 'agent' is null or records.agent = query ->> 'agent')
      and records.occurred_at >= hours.last_hour and records.occurred_at < hours.ends);
end $$;

-- How many log entries match a query: see find_logs. Those of a resource are counted one by one.
create function public.count_logs(tenant_id uuid, namespace_id bigint, query jsonb) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  hours record := public.hours_of(count_logs.query);
begin
  if query ->> 'resource_id' is not null then
    return (
      select count(*) from public.logs
      where logs.tenant_id = count_logs.tenant_id and logs.namespace_id = count_logs.namespace_id
        and logs.resource_id = query ->> 'resource_id'
        and (query ->> 'level' is null or logs.level = query ->> 'level')
        and (hours.begins is null or logs.occurred_at >= hours.begins)
        and (hours.ends is null or logs.occurred_at < hours.ends));
  end if;
  return (
    select count(*) from public.logs
    where logs.tenant_id = count_logs.tenant_id and logs.namespace_id = count_logs.namespace_id
      and (query ->> 'level' is null or logs.level = query ->> 'level')
      and logs.occurred_at >= hours.begins and logs.occurred_at < least(hours.first_hour, hours.ends)
  ) + public.counted_rows(
    count_logs.tenant_id, '{logs}', array[count_logs.namespace_id],
    case when query ->> 'level' is not null then array[query ->> 'level'] end, hours.first_hour, hours.last_hour
  ) + (
    select count(*) from public.logs
    where logs.tenant_id = count_logs.tenant_id and logs.namespace_id = count_logs.namespace_id
      and (query ->> 'level' is null or logs.level = query ->> 'level')
      and logs.occurred_at >= hours.last_hour and logs.occurred_at < hours.ends);
end $$;

-- How many traces match a query in these namespaces, of these agents (null: of all): see list_traces. Those of a session are
-- counted one by one.
create function public.count_traces(tenant_id uuid, namespace_ids bigint[], agent_ids bigint[], query jsonb) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  hours record := public.hours_of(count_traces.query);
  root_only boolean := query ->> 'root_only' is not distinct from 'true';
begin
  if query ->> 'session_id' is not null then
    return (
      select count(*) from public.traces
      where traces.tenant_id = count_traces.tenant_id and traces.namespace_id = any (namespace_ids)
        and traces.session_id = query ->> 'session_id'
        and (agent_ids is null or traces.agent_id = any (agent_ids))
        and (not root_only or traces.parent_id is null)
        and (hours.begins is null or traces.created_at >= hours.begins)
        and (hours.ends is null or traces.created_at < hours.ends));
  end if;
  return (
    select count(*) from public.traces
    where traces.tenant_id = count_traces.tenant_id and traces.namespace_id = any (namespace_ids)
      and (agent_ids is null or traces.agent_id = any (agent_ids))
      and (not root_only or traces.parent_id is null)
      and traces.created_at >= hours.begins and traces.created_at < least(hours.first_hour, hours.ends)
  ) + public.counted_rows(
    count_traces.tenant_id, case when root_only then '{root_traces}' else '{root_traces, child_traces}' end::text[],
    namespace_ids, agent_ids::text[], hours.first_hour, hours.last_hour
  ) + (
    select count(*) from public.traces
    where traces.tenant_id = count_traces.tenant_id and traces.namespace_id = any (namespace_ids)
      and (agent_ids is null or traces.agent_id = any (agent_ids))
      and (not root_only or traces.parent_id is null)
      and traces.created_at >= hours.last_hour and traces.created_at < hours.ends);
end $$;

-- As before, but `total` comes from count_records, which has to know every filter of this. Both are stable, and so see one
-- moment.
create or replace function public.find_records(
  tenant_id uuid, namespace_id bigint, query jsonb, out ids bigint[], out total bigint)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  ids := array(
    select records.id from public.records
    where records.tenant_id = find_records.tenant_id
      and records.namespace_id = find_records.namespace_id
      and (query ->> 'agent' is null or records.agent = query ->> 'agent')
      and (query ->> 'session_id' is null or records.session_id = query ->> 'session_id')
      and (query ->> 'start_date' is null or records.occurred_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or records.occurred_at <= (query ->> 'end_date')::timestamptz)
      and (query -> 'after' is null or (records.occurred_at, records.id)
        < ((query #>> '{after,occurred_at}')::timestamptz, (query #>> '{after,id}')::bigint))
    order by records.occurred_at desc, records.id desc
    limit (query ->> 'limit')::integer + 1 offset (query ->> 'offset')::bigint);
  if (query ->> 'counted')::boolean then
    total := public.count_records(find_records.tenant_id, find_records.namespace_id, find_records.query);
  end if;
end $$;

-- The same for log entries.
create or replace function public.find_logs(
  tenant_id uuid, namespace_id bigint, query jsonb, out ids bigint[], out total bigint)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  ids := array(
    select logs.id from public.logs
    where logs.tenant_id = find_logs.tenant_id
      and logs.namespace_id = find_logs.namespace_id
      and (query ->> 'level' is null or logs.level = query ->> 'level')
      and (query ->> 'resource_id' is null or logs.resource_id = query ->> 'resource_id')
      and (query ->> 'start_date' is null or logs.occurred_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or logs.occurred_at <= (query ->> 'end_date')::timestamptz)
      and (query -> 'after' is null or (logs.occurred_at, logs.id)
        < ((query #>> '{after,occurred_at}')::timestamptz, (query #>> '{after,id}')::bigint))
    order by logs.occurred_at desc, logs.id desc
    limit (query ->> 'limit')::integer + 1 offset (query ->> 'offset')::bigint);
  if (query ->> 'counted')::boolean then
    total := public.count_logs(find_logs.tenant_id, find_logs.namespace_id, find_logs.query);
  end if;
end $$;

-- As before, but `total` comes from count_traces, in one statement with the page, so that both see one moment. Where there is
-- one namespace or one agent, that is said by `=`: an index gives rows in order for one value, not for an array of them.
create or replace function public.list_traces(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  query jsonb := list_traces.payload -> 'query';
  admission jsonb := public.admit(list_traces.payload);
  owner_id uuid := admission ->> 'tenant_id';
  wanted_namespace text;
  namespace_ids bigint[];
  agent_ids bigint[];
  ids bigint[];
  total bigint;
begin
  if admission ? 'error' then return admission; end if;
  if query ? 'project_id' then
    wanted_namespace := coalesce(
      (select namespaces.name from public.namespaces
       where namespaces.tenant_id = owner_id and namespaces.public_id = query ->> 'project_id'),
      query ->> 'project_id');
    admission := public.in_namespace(admission, wanted_namespace);
    if admission ? 'error' then return admission; end if;
    namespace_ids := array(
      select namespaces.id from public.namespaces
      where namespaces.tenant_id = owner_id and namespaces.name = wanted_namespace);
  else
    namespace_ids := array(
      select namespaces.id from public.namespaces
      where namespaces.tenant_id = owner_id and public.may_use_namespace(admission, namespaces.name));
  end if;
  if query ? 'agent' then
    select coalesce(array_agg(agents.id), '{}'), coalesce(array_agg(agents.namespace_id), '{}')
    into agent_ids, namespace_ids
    from public.agents
    where agents.tenant_id = owner_id and agents.name = query ->> 'agent' and agents.namespace_id = any (namespace_ids);
  end if;

  select
    array(
      select traces.id from public.traces
      where traces.tenant_id = owner_id
        and traces.namespace_id = any (namespace_ids)
        and (cardinality(namespace_ids) <> 1 or traces.namespace_id = namespace_ids[1])
        and (agent_ids is null or traces.agent_id = any (agent_ids))
        and (cardinality(agent_ids) is distinct from 1 or traces.agent_id = agent_ids[1])
        and (query ->> 'session_id' is null or traces.session_id = query ->> 'session_id')
        and (query ->> 'start_date' is null or traces.created_at >= (query ->> 'start_date')::timestamptz)
        and (query ->> 'end_date' is null or traces.created_at <= (query ->> 'end_date')::timestamptz)
        and (query ->> 'root_only' is distinct from 'true' or traces.parent_id is null)
      order by traces.created_at desc, traces.id desc
      limit (query ->> 'limit')::integer offset (query ->> 'offset')::bigint),
    public.count_traces(owner_id, namespace_ids, agent_ids, query)
  into ids, total;
  return admission || jsonb_build_object('data', jsonb_build_object(
    'traces', public.trace_views(ids), 'total', total));
end $$;

revoke execute on function
  public.note_records, public.note_logs, public.trace_kind, public.note_traces, public.note_moved_trace,
  public.fold_counts, public.recount, public.hours_of, public.counted_rows, public.count_records, public.count_logs,
  public.count_traces
  from public, anon, authenticated;
grant execute on function
  public.note_records, public.note_logs, public.trace_kind, public.note_traces, public.note_moved_trace,
  public.fold_counts, public.recount, public.hours_of, public.counted_rows, public.count_records, public.count_logs,
  public.count_traces
  to service_role;
