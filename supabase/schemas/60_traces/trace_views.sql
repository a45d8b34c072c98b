-- Traces as clients get them. A token that is bound to namespaces sees the traces in these alone: a parent that it may not see is
-- null, and its root is the highest trace on the way up that it may see. `usable`: its namespaces, null for all.

-- The traces with these ids, in this order: SOAT's Trace, and after it our own members.
create function internal.trace_views(owner_id uuid, usable text[], trace_ids text[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  kept jsonb := internal.kept(owner_id);
begin
  return (
    with recursive above as (
      select wanted.trace_id, seen.parent_trace_id
      from unnest(trace_views.trace_ids) as wanted (trace_id)
      cross join lateral internal.seen_trace(owner_id, usable, kept, wanted.trace_id) as seen
      union
      select above.parent_trace_id, seen.parent_trace_id
      from above cross join lateral internal.seen_trace(owner_id, usable, kept, above.parent_trace_id) as seen
      where above.parent_trace_id is not null
    ), rooted as materialized (
      select roots.* from (
        select array_agg(above.trace_id) as ids, array_agg(above.parent_trace_id) as parent_ids from above
      ) as every cross join lateral internal.roots_of_traces(every.ids, every.parent_ids) as roots
    )
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', trace.trace_id,
      'project_id', trace.project_id,
      'agent_id', internal.public_id('agt_', jsonb_build_array(owner_id, trace.namespace_id, trace.agent)::text),
      'file_id', case when trace.step_count > 0 then 'file_' || trace.trace_id end,
      'step_count', trace.step_count,
      'parent_trace_id', above.parent_trace_id,
      'root_trace_id', case when above.parent_trace_id is not null then rooted.root_trace_id end,
      'created_at', internal.timestamp_text(trace.created_at),
      'namespace', trace.namespace,
      'agent', trace.agent,
      'session_id', trace.session_id,
      'content_redacted_at', internal.timestamp_text(trace.purged_at),
      'scores', internal.scores_of_trace(owner_id, usable, kept, wanted.trace_id)) order by wanted.place), '[]')
    from unnest(trace_views.trace_ids) with ordinality as wanted (trace_id, place)
    join above on above.trace_id = wanted.trace_id
    join rooted on rooted.trace_id = wanted.trace_id
    cross join lateral (
      select traces.*, namespaces.public_id as project_id, namespaces.name as namespace, (
        select purges.purged_at from public.purges
        where purges.tenant_id = owner_id and purges.trace_id = traces.trace_id) as purged_at
      from public.traces join public.namespaces on namespaces.id = traces.namespace_id
      where traces.tenant_id = owner_id and traces.trace_id = wanted.trace_id
      offset 0 -- one by one: the planner does not know how few they are
    ) as trace);
end $$;

-- The trace's parent as the token sees it; no row where it may not see the trace, or the trace is kept no longer.
create function internal.seen_trace(owner_id uuid, usable text[], kept jsonb, wanted text) returns table (parent_trace_id text)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if usable is null and kept is null then
    return query
    select traces.parent_trace_id from public.traces where traces.tenant_id = owner_id and traces.trace_id = wanted;
    return;
  end if;
  return query
  select (
    select parents.trace_id from public.traces as parents
    where parents.tenant_id = owner_id and parents.trace_id = traces.parent_trace_id
      and internal.is_seen(usable, kept, parents))
  from public.traces
  where traces.tenant_id = owner_id and traces.trace_id = wanted and internal.is_seen(usable, kept, traces);
end $$;

-- Whether the token may see the trace, and the trace is kept.
create function internal.is_seen(usable text[], kept jsonb, trace public.traces) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return (usable is null
      or (select namespaces.name from public.namespaces where namespaces.id = trace.namespace_id) = any (usable))
    and (kept is null or internal.is_kept_trace(kept, trace));
end $$;
