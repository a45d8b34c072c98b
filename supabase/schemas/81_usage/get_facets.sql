-- GET /facets. payload.query: {namespace?}. payload.known: see unless_known. data: {agents, models, tools, users}, each up to a hundred
-- {value, count}, the most frequent first: what lists can be filtered by. Of the last 30 days (UTC, today among them): agents by their
-- steps, models by their calls, tools by theirs; and the users of the 200 sessions that were active last, by these.
create function public.get_facets(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := get_facets.payload -> 'query';
  admission jsonb := public.admit(get_facets.payload);
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  return internal.unless_known(admission, internal.facets(
    (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace')), get_facets.payload);
end $$;

create function internal.facets(owner_id uuid, namespace_ids bigint[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    with value as (
      select case when grouping(usage.agent) = 0 then 'agents' when grouping(usage.model) = 0 then 'models' else 'tools' end as facet,
             coalesce(usage.agent, usage.model, usage.tool) as value,
             case when grouping(usage.agent) = 0 then sum(usage.steps) when grouping(usage.model) = 0 then sum(usage.calls)
               else sum(usage.tool_calls) end as count
      from unnest(facets.namespace_ids) as namespace (id)
      cross join lateral (
        select usage.agent, usage.model, usage.tool, usage.steps, usage.calls, usage.tool_calls from public.usage
        where usage.tenant_id = owner_id and usage.grain = 'day in detail' and usage.namespace_id = namespace.id
          and usage.begins > now() - interval '30 days'
        offset 0
      ) as usage
      group by grouping sets ((usage.agent), (usage.model), (usage.tool))
      union all
      select 'users', recent.user_id, count(distinct recent.session_id)
      from internal.recent_users(owner_id, facets.namespace_ids) as recent group by recent.user_id
    ), ranked as (
      select value.*, row_number() over (partition by value.facet order by value.count desc, value.value) as rank
      from value where value.value is not null and value.count > 0
    )
    select '{"agents": [], "models": [], "tools": [], "users": []}'::jsonb || coalesce(jsonb_object_agg(facet.name, facet.values), '{}')
    from (
      select ranked.facet as name,
             jsonb_agg(jsonb_build_object('value', ranked.value, 'count', ranked.count) order by ranked.rank) as values
      from ranked where ranked.rank <= 100 group by ranked.facet
    ) as facet);
end $$;

-- The users of the 200 sessions that were active last.
create function internal.recent_users(owner_id uuid, namespace_ids bigint[]) returns table (session_id text, user_id text)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return query
  select recent.session_id, used.user_id
  from unnest(internal.find_sessions(owner_id, recent_users.namespace_ids, '{}', 200)) as recent
  cross join lateral (
    select usage.user_id from public.usage
    where usage.tenant_id = owner_id and usage.grain = 'session' and usage.session_id = recent.session_id
      and usage.namespace_id = recent.namespace_id and usage.user_id is not null
    offset 0
  ) as used;
end $$;
