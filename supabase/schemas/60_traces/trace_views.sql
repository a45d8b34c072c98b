-- Traces as clients get them. A token that is bound to namespaces sees the traces in these alone: a parent that it may not see is
-- null, and its root is the highest trace on the way up that it may see. `usable`: its namespaces, null for all.

-- The traces with these ids, in this order: SOAT's Trace, and after it our own members.
create function internal.trace_views(owner_id uuid, usable text[], trace_ids text[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', trace.trace_id,
      'project_id', trace.project_id,
      'agent_id', internal.public_id('agt_', jsonb_build_array(owner_id, trace.namespace_id, trace.agent)::text),
      'file_id', case when trace.step_count > 0 then 'file_' || trace.trace_id end,
      'step_count', trace.step_count,
      'parent_trace_id', seen.parent_trace_id,
      'root_trace_id', case when seen.parent_trace_id is not null then seen.root_trace_id end,
      'created_at', internal.timestamp_text(trace.created_at),
      'namespace', trace.namespace,
      'agent', trace.agent,
      'session_id', trace.session_id,
      'content_redacted_at', internal.timestamp_text(trace.purged_at)) order by wanted.place), '[]')
    from unnest(trace_views.trace_ids) with ordinality as wanted (trace_id, place)
    join internal.roots_of(owner_id, usable, trace_views.trace_ids) as seen on seen.trace_id = wanted.trace_id
    cross join lateral (
      select traces.*, namespaces.public_id as project_id, namespaces.name as namespace, (
        select purges.purged_at from public.purges
        where purges.tenant_id = owner_id and purges.trace_id = traces.trace_id) as purged_at
      from public.traces join public.namespaces on namespaces.id = traces.namespace_id
      where traces.tenant_id = owner_id and traces.trace_id = wanted.trace_id
    ) as trace);
end $$;

-- The trace's parent as the token sees it; no row where it may not see the trace.
create function internal.seen_trace(owner_id uuid, usable text[], wanted text) returns table (parent_trace_id text)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if usable is null then
    return query
    select traces.parent_trace_id from public.traces where traces.tenant_id = owner_id and traces.trace_id = wanted;
    return;
  end if;
  return query
  select (
    select parents.trace_id from public.traces as parents
    where parents.tenant_id = owner_id and parents.trace_id = traces.parent_trace_id
      and (select namespaces.name from public.namespaces where namespaces.id = parents.namespace_id) = any (usable))
  from public.traces
  where traces.tenant_id = owner_id and traces.trace_id = wanted
    and (select namespaces.name from public.namespaces where namespaces.id = traces.namespace_id) = any (usable);
end $$;

-- The parents and roots of traces, as the token sees them. What is above them is read once, however deep or many they are.
-- A trace whose way up ends in a cycle has no root (break_cycles is there to prevent that).
create function internal.roots_of(owner_id uuid, usable text[], trace_ids text[])
returns table (trace_id text, parent_trace_id text, root_trace_id text)
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  ids text[];
  parent_ids text[];
  parents integer[]; -- by their places in these arrays
  roots integer[];
  path integer[];
  place integer;
begin
  with recursive above as (
    select wanted.trace_id, seen.parent_trace_id
    from unnest(roots_of.trace_ids) as wanted (trace_id)
    cross join lateral internal.seen_trace(owner_id, usable, wanted.trace_id) as seen
    union
    select above.parent_trace_id, seen.parent_trace_id
    from above cross join lateral internal.seen_trace(owner_id, usable, above.parent_trace_id) as seen
    where above.parent_trace_id is not null
  )
  select array_agg(above.trace_id), array_agg(above.parent_trace_id) into ids, parent_ids from above;
  parents := internal.places_in(ids, parent_ids);
  roots := array_fill(null::integer, array[coalesce(cardinality(ids), 0)]);
  for number in 1 .. coalesce(cardinality(ids), 0) loop
    path := '{}';
    place := number;
    while roots[place] is null loop
      roots[place] := 0; -- on the way: who comes back here is in a cycle
      path := array_append(path, place);
      exit when parents[place] is null;
      place := parents[place];
    end loop;
    if roots[place] = 0 and parents[place] is null then roots[place] := place; end if;
    for depth in 1 .. cardinality(path) loop
      roots[path[depth]] := roots[place];
    end loop;
  end loop;
  return query
  select row.trace_id, row.parent_trace_id, root.trace_id
  from unnest(ids, parent_ids, roots) as row (trace_id, parent_trace_id, root)
  left join unnest(ids) with ordinality as root (trace_id, place) on root.place = row.root;
end $$;

-- Where in `ids` each of the wanted ones is, null where it is not.
create function internal.places_in(ids text[], wanted text[]) returns integer[]
language plpgsql immutable set search_path = '' set enable_nestloop = off as $$
begin
  return array(
    select known.place::integer
    from unnest(places_in.wanted) with ordinality as wanted (id, number)
    left join unnest(places_in.ids) with ordinality as known (id, place) on known.id = wanted.id
    order by wanted.number);
end $$;
