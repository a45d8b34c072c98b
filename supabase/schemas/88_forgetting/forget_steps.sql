-- Forgetting steps: they go, and with them all that names a session or a user; what they used stays, added up. Whoever does it
-- holds the tenant's content lock and then its fold lock, and has folded before.

-- How much was forgotten, and whether that was all.
create type internal.forgotten as (steps bigint, sessions bigint, scores bigint, is_complete boolean);

-- Forgets these steps and the scores that are about them. Returns how many scores went.
create function internal.forget_steps(owner_id uuid, ids uuid[]) returns bigint
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  trace_ids text[] := array(
    select distinct placements.trace_id
    from unnest(forget_steps.ids) as step (id)
    join public.placements on placements.step_id = step.id);
  scores bigint;
begin
  if forget_steps.ids = '{}' then return 0; end if;
  perform internal.keep_figures(forget_steps.ids);
  scores := internal.forget_scores(array(
    select scores.id from unnest(forget_steps.ids) as step (id)
    cross join lateral (
      select scores.id from public.scores where scores.tenant_id = owner_id and scores.step_id = step.id offset 0
    ) as scores));
  perform internal.forget_answers(owner_id, array(select distinct left(step.id::text, 31) from unnest(forget_steps.ids) as step (id)));
  delete from public.steps where steps.id = any (forget_steps.ids) and steps.tenant_id = owner_id;
  perform internal.fold(owner_id); -- else `rebuilds` would still name their sessions and traces
  return scores + internal.forget_traces(owner_id, trace_ids);
end $$;

-- What the steps used is added to the past, where no session and no user has it. What it was added to is taken back as they go.
create function internal.keep_figures(ids uuid[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  perform internal.add_figures(array(
    select internal.figure_of_nobody(internal.figure_of(internal.counted_step(known.step_id), known.placed, 1))
    from unnest(keep_figures.ids) as step (id)
    cross join lateral (
      select placements.step_id, placements as placed from public.placements where placements.step_id = step.id offset 0
    ) as known), true);
end $$;

create function internal.figure_of_nobody(figure internal.figure) returns internal.figure
language plpgsql immutable set search_path = '' as $$
begin
  figure.session_id := null;
  figure.user_id := null;
  return figure;
end $$;

-- Scores and notes of purges are about traces: they go with traces that have no steps any more. Returns how many scores went.
create function internal.forget_traces(owner_id uuid, trace_ids text[]) returns bigint
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  empty text[] := array(
    select trace.id from unnest(forget_traces.trace_ids) as trace (id)
    where coalesce((
      select traces.step_count from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = trace.id), 0) = 0);
begin
  delete from public.purges where purges.tenant_id = owner_id and purges.trace_id = any (empty);
  return internal.forget_scores(array(
    select scores.id from unnest(empty) as trace (id)
    cross join lateral (
      select scores.id from public.scores where scores.tenant_id = owner_id and scores.trace_id = trace.id offset 0
    ) as scores));
end $$;

-- Deletes scores, and what was answered to who gave them. Returns how many they were.
create function internal.forget_scores(ids uuid[]) returns bigint
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  owner_id uuid;
begin
  if forget_scores.ids = '{}' then return 0; end if;
  for owner_id in select distinct scores.tenant_id from public.scores where scores.id = any (forget_scores.ids) loop
    delete from public.monkai_idempotency_keys as known
    where known.tenant_id = owner_id and exists (
      select from jsonb_array_elements(known.response -> 'scores') as score
      where (score.value ->> 'id')::uuid = any (forget_scores.ids));
  end loop;
  delete from public.scores where scores.id = any (forget_scores.ids);
  return cardinality(forget_scores.ids);
end $$;

-- Deletes the idempotency keys of the requests that have stored these steps, with the answers that are remembered under them and
-- the hashes of what was sent. Keys without an answer go too: no request is using one, because a request that stores something
-- holds the content lock until it has its answer. If such a request is repeated, all that it stores is stored again.
create function internal.forget_answers(owner_id uuid, ids_of_requests text[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  delete from public.monkai_idempotency_keys as known
  where known.tenant_id = owner_id
    and (known.response is null or known.response ->> 'ids' = any (forget_answers.ids_of_requests));
end $$;
