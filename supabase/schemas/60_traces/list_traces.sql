-- GET /traces. payload.query: {project_id?, session_id?, agent?, start_date?, end_date?, root_only?, limit, offset}. data: {traces:
-- [trace_views], total: all that match}, newest first.
create function public.list_traces(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := list_traces.payload -> 'query';
  admission jsonb := public.admit(list_traces.payload);
  owner_id uuid := admission ->> 'tenant_id';
  wanted_namespace text;
  found_traces record;
begin
  if admission ? 'error' then return admission; end if;
  if query ? 'project_id' then
    wanted_namespace := coalesce(
      (select namespaces.name from public.namespaces
       where namespaces.tenant_id = owner_id and namespaces.public_id = query ->> 'project_id'),
      query ->> 'project_id');
    admission := internal.in_namespace(admission, wanted_namespace);
  end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  found_traces := internal.find_traces(owner_id, internal.namespaces_in_sight(admission, wanted_namespace), query);
  return admission || jsonb_build_object('data', jsonb_build_object(
    'traces', internal.trace_views(owner_id, internal.usable_namespaces(admission), found_traces.ids),
    'total', found_traces.total));
end $$;

-- The traces of a page, and how many match in all (a figure: with those that are kept no longer, until they are deleted). Where there
-- is one namespace, that is said by `=`: an index gives rows in order for one value, not for an array of them.
create function internal.find_traces(owner_id uuid, namespace_ids bigint[], query jsonb, out ids text[], out total bigint)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  kept jsonb := internal.kept(owner_id);
begin
  ids := array(
    select traces.trace_id from public.traces
    where traces.tenant_id = owner_id
      and traces.namespace_id = any (namespace_ids)
      and (cardinality(namespace_ids) <> 1 or traces.namespace_id = namespace_ids[1])
      and (query ->> 'agent' is null or traces.agent = query ->> 'agent')
      and (query ->> 'session_id' is null or traces.session_id = query ->> 'session_id')
      and (query ->> 'start_date' is null or traces.created_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or traces.created_at <= (query ->> 'end_date')::timestamptz)
      and (query ->> 'root_only' is distinct from 'true' or traces.parent_trace_id is null
        or kept is not null and not internal.has_kept_parent(kept, traces))
      -- As internal.is_kept_trace has it. Where much is due, many are looked at.
      and (kept is null or coalesce(traces.last_step_id >= (kept ->> 'highest_first_id')::uuid, true)
        or coalesce(traces.last_step_id >= (kept ->> 'lowest_first_id')::uuid, true) and internal.is_kept_trace(kept, traces))
    order by traces.created_at desc, traces.trace_id desc
    limit (query ->> 'limit')::integer offset (query ->> 'offset')::bigint);
  total := internal.count_traces(owner_id, namespace_ids, query);
  if kept is not null then -- of one root that is due, several below it may be roots: who reads on finds them
    total := greatest(total, (query ->> 'offset')::bigint + cardinality(ids)
      + case when cardinality(ids) = (query ->> 'limit')::integer then 1 else 0 end);
  end if;
end $$;

-- Whether the trace above one is kept. If not, the one below is shown as a root.
create function internal.has_kept_parent(kept jsonb, trace public.traces) returns boolean
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return coalesce((
    select internal.is_kept_trace(kept, above) from public.traces as above
    where above.tenant_id = trace.tenant_id and above.trace_id = trace.parent_trace_id), false);
end $$;

-- How many traces match a query in these namespaces. Those of a session are counted one by one; of the others, by agent and time,
-- the number is known by the hour.
create function internal.count_traces(owner_id uuid, namespace_ids bigint[], query jsonb) returns bigint
language plpgsql stable set search_path = '' as $$
declare
  hours record := internal.hours_of(count_traces.query);
begin
  if query ? 'session_id' then
    return internal.count_traces_one_by_one(owner_id, namespace_ids, query, hours.begins, hours.ends);
  end if;
  return internal.counted_rows(
      owner_id, case when query ->> 'root_only' = 'true' then '{root_traces}' else '{root_traces, child_traces}' end::text[],
      namespace_ids, query ->> 'agent', hours.first_hour, hours.last_hour)
    + case when hours.begins is null then 0 else internal.count_traces_one_by_one(
        owner_id, namespace_ids, query, hours.begins, least(hours.first_hour, hours.ends)) end
    + case when hours.ends is null then 0 else internal.count_traces_one_by_one(
        owner_id, namespace_ids, query, coalesce(hours.last_hour, hours.begins), hours.ends) end;
end $$;

-- How many traces match a query's filters from one moment until before another (null: open).
create function internal.count_traces_one_by_one(
  owner_id uuid, namespace_ids bigint[], query jsonb, begins timestamptz, ends timestamptz) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  if begins >= ends then return 0; end if;
  return (
    select count(*) from public.traces
    where traces.tenant_id = owner_id and traces.namespace_id = any (namespace_ids)
      and (query ->> 'agent' is null or traces.agent = query ->> 'agent')
      and (query ->> 'session_id' is null or traces.session_id = query ->> 'session_id')
      and (query ->> 'root_only' is distinct from 'true' or traces.parent_trace_id is null)
      and (count_traces_one_by_one.begins is null or traces.created_at >= count_traces_one_by_one.begins)
      and (count_traces_one_by_one.ends is null or traces.created_at < count_traces_one_by_one.ends));
end $$;
