-- GET /sessions/{session_id}/steps. payload.query: {session_id, namespace?, limit, since?, after?}, as in list_trace_steps.
-- payload.known: see unless_known. data: {traces, steps, count, next, watermark}, the traces being those that the steps
-- belong or lead to, and all above them.
create function public.list_session_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := list_session_steps.payload -> 'query';
  admission jsonb := public.admit(list_session_steps.payload);
  page jsonb;
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  page := internal.page_of_session(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission),
    -- Where all are in sight, no step has to be read to know that it is.
    case when internal.usable_namespaces(admission) is not null or query ? 'namespace'
      then internal.namespaces_in_sight(admission, query ->> 'namespace') end,
    query);
  if page is null then return admission || internal.refusal('not_found', 'There is no such session.'); end if;
  return internal.unless_known(admission, page, list_session_steps.payload);
end $$;

-- A page of the steps of a session in these namespaces (null: in all), see page_of_traces; null where the token sees no such session.
create function internal.page_of_session(owner_id uuid, usable text[], namespace_ids bigint[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_nestloop = off as $$
declare
  kept jsonb := internal.kept(owner_id);
  session text := query ->> 'session_id';
  span record := internal.span_of_folds(owner_id, query);
  wanted integer := (query ->> 'limit')::integer + 1;
  total bigint := query #>> '{after,count}';
  trace_ids text[];
  newer bigint;
  ids uuid[];
begin
  with step as materialized (
    select placed.* from internal.steps_of_session(owner_id, session, page_of_session.namespace_ids) as own (id)
    cross join lateral (
      select placements.step_id, placements.trace_id, placements.to_trace_id, placements.happened_at, placements.fold_number
      from public.placements where placements.step_id = own.id offset 0
    ) as placed
    where kept is null or internal.is_kept_step(kept, own.id)
  )
  select array(select step.trace_id from step union select step.to_trace_id from step where step.to_trace_id is not null),
         (select count(*) from step where step.fold_number > span.since),
         array(
           select step.step_id from step
           where (step.happened_at, step.step_id) > (span.after_time, span.after_id)
             and step.fold_number > span.since and step.fold_number <= span.until
           order by step.happened_at, step.step_id limit wanted)
  into trace_ids, newer, ids;
  if trace_ids = '{}' and not exists (
    select from public.sessions
    where sessions.tenant_id = owner_id and sessions.id = session
      and (page_of_session.namespace_ids is null or sessions.namespace_id = any (page_of_session.namespace_ids))
      and (kept is null or internal.is_kept_session(kept, owner_id, session, sessions.namespace_id))) then
    return null;
  end if;
  return internal.skeleton_page(
    owner_id, usable, kept, internal.traces_with_those_above(owner_id, usable, kept, trace_ids), ids, coalesce(total, newer),
    span.since, span.until, wanted);
end $$;

-- The ids of a session's steps, in these namespaces (null: in all): of those that say so, and of those that follow from their tree.
create function internal.steps_of_session(owner_id uuid, session_id text, namespace_ids bigint[]) returns setof uuid
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return query
  select steps.id from public.steps
  where steps.tenant_id = owner_id and steps.session_id = steps_of_session.session_id
    and (namespace_ids is null or steps.namespace_id = any (namespace_ids))
  union all
  select placements.step_id from public.placements
  where placements.tenant_id = owner_id and placements.session_id = steps_of_session.session_id
    and (namespace_ids is null or (
      select steps.namespace_id from public.steps where steps.id = placements.step_id) = any (namespace_ids));
end $$;

-- These traces, and all above them as far as the token may see them, in order of creation.
create function internal.traces_with_those_above(owner_id uuid, usable text[], kept jsonb, trace_ids text[]) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    with recursive above as (
      select wanted.trace_id, seen.parent_trace_id
      from unnest(traces_with_those_above.trace_ids) as wanted (trace_id)
      cross join lateral internal.seen_trace(owner_id, usable, kept, wanted.trace_id) as seen
      union
      select above.parent_trace_id, seen.parent_trace_id
      from above cross join lateral internal.seen_trace(owner_id, usable, kept, above.parent_trace_id) as seen
      where above.parent_trace_id is not null
    )
    select above.trace_id from above
    order by (
      select traces.created_at from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = above.trace_id), above.trace_id);
end $$;
