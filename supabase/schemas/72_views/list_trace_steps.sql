-- GET /traces/{trace_id}/steps. payload.query: {trace_id, scope: trace | tree, limit, since?, after?}, see page_of_traces.
-- payload.known: see unless_known. data: {traces, steps, count, next, watermark}.
create function public.list_trace_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := list_trace_steps.payload -> 'query';
  admission jsonb := internal.folded(public.admit(list_trace_steps.payload));
begin
  admission := internal.with_trace(admission, query ->> 'trace_id');
  if admission ? 'error' then return admission; end if;
  return internal.unless_known(admission, internal.page_of_traces(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission), query), list_trace_steps.payload);
end $$;

-- A page of the steps of a trace, or of the whole tree that it is in, in the order in which they happened: {traces, steps, count,
-- next, watermark}. `since`: only what was folded after that number. `after`: what the page before gave as `next`, so that all
-- pages are of the moment of the first one. Stable, so that steps and watermark are of one moment.
create function internal.page_of_traces(owner_id uuid, usable text[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  kept jsonb := internal.kept(owner_id);
  reached record := internal.reached_traces(
    owner_id, usable, kept, query ->> 'trace_id', query ->> 'scope' = 'tree');
  span record := internal.span_of_folds(owner_id, query);
  wanted integer := (query ->> 'limit')::integer + 1;
  total bigint := query #>> '{after,count}';
  ids uuid[];
begin
  if total is null and usable is null and kept is null and span.since = 0 then
    total := (
      select coalesce(sum(traces.step_count), 0) from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = any (reached.ids));
  elsif total is null then
    total := (
      select count(*) from unnest(reached.ids, reached.fold_numbers) as trace (id, fold_number)
      cross join lateral (
        select placements.step_id from public.placements
        where placements.tenant_id = owner_id and placements.trace_id = trace.id
          and greatest(placements.fold_number, trace.fold_number) > span.since
          and (usable is null or internal.namespace_of(placements.step_id) = any (usable))
          and (kept is null or internal.is_kept_step(kept, placements.step_id))
        offset 0
      ) as step);
  end if;
  ids := array(
    select step.step_id from unnest(reached.ids, reached.fold_numbers) as trace (id, fold_number)
    cross join lateral (
      select placements.step_id, placements.happened_at from public.placements
      where placements.tenant_id = owner_id and placements.trace_id = trace.id
        and (placements.happened_at, placements.step_id) > (span.after_time, span.after_id)
        and greatest(placements.fold_number, trace.fold_number) > span.since
        and greatest(placements.fold_number, trace.fold_number) <= span.until
        and (usable is null or internal.namespace_of(placements.step_id) = any (usable))
        and (kept is null or internal.is_kept_step(kept, placements.step_id))
      order by placements.happened_at, placements.step_id limit wanted
    ) as step
    order by step.happened_at, step.step_id limit wanted);
  return internal.skeleton_page(owner_id, usable, kept, reached.ids, ids, total, span.since, span.until, wanted);
end $$;

-- The trace, or all of the tree that it is in, as far as the token may see them, in order of creation; and the highest number of
-- a fold that changed how each is linked to the first one. A step is as new as that link: a whole trace may come to a tree late.
create function internal.reached_traces(
  owner_id uuid, usable text[], kept jsonb, trace_id text, whole_tree boolean, out ids text[], out fold_numbers bigint[])
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  here text := reached_traces.trace_id;
  above text;
  linked bigint := 0;
begin
  if not whole_tree then
    ids := array[here];
    fold_numbers := '{0}';
    return;
  end if;
  loop
    linked := greatest(linked, (
      select traces.fold_number from public.traces where traces.tenant_id = owner_id and traces.trace_id = here));
    select seen.parent_trace_id into above from internal.seen_trace(owner_id, usable, kept, here) as seen;
    exit when above is null;
    here := above;
  end loop;
  with recursive below as (
    select traces.trace_id, traces.created_at, linked as fold_number from public.traces
    where traces.tenant_id = owner_id and traces.trace_id = here
    union all
    select child.trace_id, child.created_at, greatest(below.fold_number, child.fold_number)
    from below cross join lateral (
      select traces.trace_id, traces.created_at, traces.fold_number from public.traces
      where traces.tenant_id = owner_id and traces.parent_trace_id = below.trace_id
        and (usable is null and kept is null or internal.is_seen(usable, kept, traces))
      offset 0
    ) as child
  )
  select array_agg(below.trace_id order by below.created_at, below.trace_id),
         array_agg(below.fold_number order by below.created_at, below.trace_id)
  into ids, fold_numbers from below;
end $$;

-- The name of the namespace of a step.
create function internal.namespace_of(step_id uuid) returns text
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return (
    select namespaces.name from public.namespaces where namespaces.id = (
      select steps.namespace_id from public.steps where steps.id = namespace_of.step_id));
end $$;
