-- What is kept, and so is shown. The schedule deletes the rest (88_forgetting). Until it has, reads leave it out: here is by what.

-- What a tenant keeps, while something may be there that it does not: {first_ids: {namespace_id: id}, first_ids_with_content: likewise,
-- since: {namespace_id: moment}, lowest_first_id, highest_first_id}: of a namespace that is not in there all is kept, and so there is no
-- lowest. Null: all that is there is kept. Each read asks, so that one row is looked up and no more where the schedule runs.
create function internal.kept(owner_id uuid) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  if not exists (
    select from public.retention_runs
    where retention_runs.tenant_id = owner_id
      and (retention_runs.enforced_on is null or retention_runs.enforced_on < internal.shown_day())) then
    return null;
  end if;
  return (
    select jsonb_strip_nulls(jsonb_build_object(
      'first_ids', jsonb_object_agg(kept.namespace_id, kept.first_id),
      'first_ids_with_content', jsonb_object_agg(kept.namespace_id, kept.first_id_with_content),
      'since', jsonb_object_agg(kept.namespace_id, internal.shown_since() - kept.days * interval '24 hours'),
      'lowest_first_id', case when count(kept.first_id) = (
        select count(*) from public.namespaces where namespaces.tenant_id = owner_id) then min(kept.first_id::text) end,
      'highest_first_id', max(kept.first_id::text)))
    from (
      select known.namespace_id, known.days, internal.first_kept(internal.shown_since(), known.days) as first_id,
             internal.first_kept(internal.shown_since(), known.content_days) as first_id_with_content
      from internal.kept_days(owner_id) as known
    ) as kept having count(*) > 0);
end $$;

-- Whether a step or a score of a namespace is kept. `kept`: as internal.kept() has it, likewise below.
create function internal.is_kept(kept jsonb, namespace_id bigint, id uuid) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(is_kept.id >= (kept -> 'first_ids' ->> is_kept.namespace_id::text)::uuid, true);
end $$;

-- Whether it is kept with what it says.
create function internal.is_kept_with_content(kept jsonb, namespace_id bigint, id uuid) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(id >= (kept -> 'first_ids' ->> namespace_id::text)::uuid, true)
    and coalesce(id >= (kept -> 'first_ids_with_content' ->> namespace_id::text)::uuid, true);
end $$;

create function internal.is_kept_step(kept jsonb, id uuid) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return internal.is_kept(kept, (select steps.namespace_id from public.steps where steps.id = is_kept_step.id), is_kept_step.id);
end $$;

-- Whether a trace has steps that are kept; of one without steps, whether the last one is that tells of it. Steps of one trace may be in
-- several namespaces: where these keep things for different times, each step is looked at.
create function internal.is_kept_trace(kept jsonb, trace public.traces) returns boolean
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if coalesce(trace.last_step_id >= (kept ->> 'highest_first_id')::uuid, true) then return true; end if;
  if trace.last_step_id < (kept ->> 'lowest_first_id')::uuid then return false; end if;
  if trace.step_count = 0 then return internal.is_kept_step(kept, trace.last_step_id); end if;
  return exists (
    select from public.placements
    where placements.tenant_id = trace.tenant_id and placements.trace_id = trace.trace_id
      and internal.is_kept_step(kept, placements.step_id));
end $$;

-- Whether a session has, in a namespace, steps that are kept; or was active itself since.
create function internal.is_kept_session(kept jsonb, owner_id uuid, session_id text, namespace_id bigint) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return not kept -> 'first_ids' ? namespace_id::text or exists (
    select from public.session_summaries as summary
    where summary.tenant_id = owner_id and summary.session_id = is_kept_session.session_id
      and summary.namespace_id = is_kept_session.namespace_id
      and summary.last_step_id >= (kept -> 'first_ids' ->> is_kept_session.namespace_id::text)::uuid
  ) or exists (
    select from public.sessions
    where sessions.tenant_id = owner_id and sessions.id = is_kept_session.session_id
      and sessions.namespace_id = is_kept_session.namespace_id
      and sessions.last_activity_at >= (kept -> 'since' ->> is_kept_session.namespace_id::text)::timestamptz);
end $$;

-- Whether a user, by the name that usage knows them by, took part in a session that is kept, or has other steps that are.
create function internal.is_kept_user(kept jsonb, owner_id uuid, namespace_ids bigint[], user_id text) returns boolean
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return exists (
    select from public.usage
    where usage.tenant_id = owner_id and usage.grain = 'session' and usage.user_id = is_kept_user.user_id
      and usage.session_id is not null and usage.namespace_id = any (namespace_ids)
      and internal.is_kept_session(kept, owner_id, usage.session_id, usage.namespace_id)
  ) or exists (
    select from internal.steps_without_session(owner_id, namespace_ids, is_kept_user.user_id) as own (id)
    where internal.is_kept_step(kept, own.id));
end $$;

-- Whether a score is kept, and the step or the steps that it is about, if they are known.
create function internal.is_kept_score(kept jsonb, score public.scores) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return internal.is_kept(kept, score.namespace_id, score.id)
    and (score.step_id is null or internal.is_kept_step(kept, score.step_id))
    and (score.trace_id is null or coalesce((
      select internal.is_kept_trace(kept, traces) from public.traces
      where traces.tenant_id = score.tenant_id and traces.trace_id = score.trace_id and traces.step_count > 0), true));
end $$;

-- How long each namespace of a tenant keeps things, where not for ever.
create function internal.kept_days(owner_id uuid) returns table (namespace_id bigint, content_days integer, days integer)
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return query
  select kept.* from (
    select namespaces.id, (rule.value ->> 'content_days')::integer as content_days, (rule.value ->> 'days')::integer as days
    from public.retention
    join public.namespaces on namespaces.tenant_id = retention.tenant_id
    cross join lateral (
      select coalesce(retention.rules -> 'namespaces' -> namespaces.name, retention.rules) as value
    ) as rule
    where retention.tenant_id = owner_id
  ) as kept
  where kept.content_days is not null or kept.days is not null
  order by kept.id;
end $$;

-- The lowest id that a step or a score can have which arrived so many days before a moment. Null: for ever.
create function internal.first_kept(moment timestamptz, days integer) returns uuid
language plpgsql immutable strict set search_path = '' as $$
declare
  milliseconds bigint := greatest(0, extract(epoch from first_kept.moment) * 1000 - first_kept.days::bigint * 86400000);
begin
  return (rpad(lpad(to_hex(milliseconds), 12, '0'), 32, '0'))::uuid;
end $$;

-- The day (UTC) that what is shown is counted from. It begins at two o'clock: until then the schedule, which goes by the clock and an
-- hour late, has done the last of the day before.
create function internal.shown_since() returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return date_trunc('day', now() - interval '2 hours', 'UTC');
end $$;

create function internal.shown_day() returns date
language plpgsql stable set search_path = '' as $$
begin
  return (internal.shown_since() at time zone 'UTC')::date;
end $$;
