-- The summaries of sessions: steps join a session and a namespace, and leave it.

-- What a step tells of its session. `says`: whether it is one of those that hold a conversation.
create type internal.session_member as (
  tenant_id uuid, session_id text, namespace_id bigint, step_id uuid, is_error boolean, active_at timestamptz,
  began_at timestamptz, ended_at timestamptz, says boolean);

create function internal.member_of_session(step internal.counted_step, placed public.placements)
returns internal.session_member
language plpgsql stable set search_path = '' as $$
begin
  return (
    step.tenant_id, coalesce(step.session_id, placed.session_id), step.namespace_id, step.id,
    coalesce(step.status = 'error', false),
    least(internal.end_of(step.started_at, step.occurred_at, step.latency_ms), internal.arrival_of(step.id)),
    internal.start_of(step.started_at, step.occurred_at, step.latency_ms),
    internal.end_of(step.started_at, step.occurred_at, step.latency_ms), step.kind in ('llm', 'message')
    )::internal.session_member;
end $$;

-- When a step arrived: its id, a UUID of version 7, begins with that time.
create function internal.arrival_of(step_id uuid) returns timestamptz
language plpgsql immutable set search_path = '' as $$
declare
  hex text := replace(arrival_of.step_id::text, '-', '');
begin
  return to_timestamp(0) + ('x' || left(hex, 12))::bit(48)::bigint * interval '1 millisecond';
end $$;

-- When a step was over: where its sender tells when it began and how long it took, that is known better than by when it is
-- listed, which may be when it arrived, or (spans) when it began. Never before it began, whatever its sender's clock says.
create function internal.end_of(started_at timestamptz, occurred_at timestamptz, latency_ms bigint) returns timestamptz
language plpgsql immutable set search_path = '' as $$
begin
  if end_of.started_at is null or end_of.latency_ms is null then
    return greatest(end_of.occurred_at, end_of.started_at);
  end if;
  return end_of.started_at + least(end_of.latency_ms, 100000000000000) * interval '1 millisecond';
end $$;

-- The summaries of sessions to which these steps have come are raised by them. Only under the fold lock of their tenant.
create function internal.join_sessions(members internal.session_member[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if not exists (select from unnest(members) as member where member.session_id is not null) then return; end if;
  insert into public.session_summaries as known
  select summary.* from internal.summaries_of(members) as summary
  order by summary.session_id, summary.namespace_id
  on conflict on constraint session_has_one_summary_in_a_namespace do update set
    step_count = known.step_count + excluded.step_count,
    error_count = known.error_count + excluded.error_count,
    last_activity_at = case when known.step_count = 0 then excluded.last_activity_at
      else greatest(known.last_activity_at, excluded.last_activity_at) end,
    began_at = least(known.began_at, excluded.began_at),
    ended_at = greatest(known.ended_at, excluded.ended_at),
    last_step_id = greatest(known.last_step_id, excluded.last_step_id),
    (first_message_at, first_message_id) = (
      select said.at, said.id from (
        values (known.first_message_at, known.first_message_id), (excluded.first_message_at, excluded.first_message_id)
      ) as said (at, id) order by said.at, said.id limit 1),
    (last_message_at, last_message_id) = (
      select said.at, said.id from (
        values (known.last_message_at, known.last_message_id), (excluded.last_message_at, excluded.last_message_id)
      ) as said (at, id) order by said.at desc nulls last, said.id desc limit 1);
end $$;

-- What these steps make of their sessions, each session and namespace by itself.
create function internal.summaries_of(members internal.session_member[]) returns setof public.session_summaries
language plpgsql stable set search_path = '' as $$
begin
  return query
  select member.tenant_id, member.session_id, member.namespace_id, count(*), count(*) filter (where member.is_error),
         max(member.active_at), min(member.began_at), max(member.ended_at),
         min(member.began_at) filter (where member.says),
         (array_agg(member.step_id order by member.began_at, member.step_id) filter (where member.says))[1],
         max(member.began_at) filter (where member.says),
         (array_agg(member.step_id order by member.began_at desc, member.step_id desc) filter (where member.says))[1],
         max(member.step_id::text)::uuid
  from unnest(summaries_of.members) as member
  where member.session_id is not null
  group by member.tenant_id, member.session_id, member.namespace_id;
end $$;

-- The summaries of sessions that these steps have left are made anew, of the steps that they have. Without any, a session that a
-- client has created is still listed.
create function internal.leave_sessions(members internal.session_member[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  place record;
begin
  for place in
    select distinct member.tenant_id, member.session_id, member.namespace_id from unnest(members) as member
    where member.session_id is not null
  loop
    delete from public.session_summaries
    where session_summaries.tenant_id = place.tenant_id and session_summaries.session_id = place.session_id
      and session_summaries.namespace_id = place.namespace_id;
    perform internal.list_session_without_steps(place.tenant_id, place.session_id, place.namespace_id);
    perform internal.join_sessions(array(
      select internal.member_of_session(internal.counted_step(own.id), known.placed)
      from internal.steps_of_session(place.tenant_id, place.session_id, array[place.namespace_id]) as own (id)
      cross join lateral (
        select placements as placed from public.placements where placements.step_id = own.id offset 0
      ) as known));
  end loop;
end $$;

-- Lists a session that a client has created, in its own namespace.
create function internal.list_session_without_steps(tenant_id uuid, session_id text, namespace_id bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.session_summaries (tenant_id, session_id, namespace_id, step_count, error_count, last_activity_at)
  select sessions.tenant_id, sessions.id, sessions.namespace_id, 0, 0, sessions.created_at from public.sessions
  where sessions.tenant_id = list_session_without_steps.tenant_id and sessions.id = list_session_without_steps.session_id
    and sessions.namespace_id = list_session_without_steps.namespace_id and sessions.was_created
  on conflict on constraint session_has_one_summary_in_a_namespace do nothing;
end $$;

-- Counts the sessions that have steps, so that a list can say how many there are. Those without are few, and not counted ahead:
-- who creates one need not wait for a fold.
create function internal.count_sessions_written() returns trigger
language plpgsql set search_path = '' set enable_nestloop = off as $$
begin
  if tg_op = 'INSERT' then
    perform internal.add_sessions(array(select (stored, 1)::internal.session_change from stored where stored.step_count > 0));
  elsif tg_op = 'DELETE' then
    perform internal.add_sessions(array(select (gone, -1)::internal.session_change from gone where gone.step_count > 0));
  else
    perform internal.add_sessions(array(
      select (stored, case when stored.step_count > 0 then 1 else -1 end)::internal.session_change
      from gone join stored on stored.tenant_id = gone.tenant_id and stored.session_id = gone.session_id
        and stored.namespace_id = gone.namespace_id
      where (stored.step_count > 0) <> (gone.step_count > 0)));
  end if;
  return null;
end $$;

create type internal.session_change as (summary public.session_summaries, change bigint);

create function internal.add_sessions(changes internal.session_change[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  emptied tid[];
begin
  if changes = '{}' then return; end if;
  with written as (
    insert into public.counts as known (tenant_id, list, namespace_id, count)
    select (change.summary).tenant_id, 'sessions', (change.summary).namespace_id, sum(change.change)
    from unnest(changes) as change
    group by 1, 3 having sum(change.change) <> 0
    on conflict on constraint rows_of_a_list_label_and_hour_are_counted_once
      do update set count = known.count + excluded.count
    returning known.ctid as place, known.count
  )
  select array_agg(written.place) into emptied from written where written.count = 0;
  if emptied is not null then delete from public.counts where counts.ctid = any (emptied); end if;
end $$;

create trigger inserted_sessions_are_counted after insert on public.session_summaries
  referencing new table as stored for each statement execute function internal.count_sessions_written();
create trigger changed_sessions_are_counted after update on public.session_summaries
  referencing old table as gone new table as stored for each statement execute function internal.count_sessions_written();
create trigger deleted_sessions_are_counted after delete on public.session_summaries
  referencing old table as gone for each statement execute function internal.count_sessions_written();
