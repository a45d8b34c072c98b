-- The steps that a query asks for: {list: records | logs, agent?, session_id?, trace_id?, level?, resource_id?, start_date?,
-- end_date?, limit, offset?, after?}, newest first, one more than `limit`; and, where query.counted, how many match in all.
-- Only what is folded: what came since the fold is for the next read. All in one snapshot, so page and count agree.
-- Planned anew for the filters that a call really has, so that each of them finds its index.
create function internal.find_steps(
  tenant_id uuid, namespace_id bigint, query jsonb, out ids uuid[], out total bigint)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  first_id uuid := internal.kept(find_steps.tenant_id) -> 'first_ids' ->> find_steps.namespace_id::text; -- null: all is kept
  unfolded uuid[] := internal.unfolded_steps(find_steps.tenant_id);
  wanted uuid[] := internal.wanted_steps(find_steps.tenant_id, find_steps.query);
  of_agent text := internal.agent_to_look_for(find_steps.tenant_id, find_steps.query);
begin
  ids := array(
    select steps.id from public.steps
    where steps.tenant_id = find_steps.tenant_id
      and steps.namespace_id = find_steps.namespace_id
      and steps.list = query ->> 'list'
      and (query ->> 'agent' is null or of_agent is not null or steps.agent = query ->> 'agent')
      and (of_agent is null or internal.agent_of(steps.id, steps.agent) = of_agent)
      and (query ->> 'session_id' is null or wanted is not null or steps.session_id = query ->> 'session_id')
      and (query ->> 'level' is null or steps.level = query ->> 'level')
      and (query ->> 'resource_id' is null or steps.resource_id = query ->> 'resource_id')
      and (wanted is null or steps.id = any (wanted))
      and (query ->> 'start_date' is null or steps.occurred_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or steps.occurred_at <= (query ->> 'end_date')::timestamptz)
      and (query -> 'after' is null or (steps.occurred_at, steps.id)
        < ((query #>> '{after,occurred_at}')::timestamptz, (query #>> '{after,id}')::uuid))
      and (steps.kind <> 'llm' or steps.span_id is null or not internal.is_wrapper(steps.id))
      and (unfolded = '{}' or steps.id <> all (unfolded))
      and (first_id is null or steps.id >= first_id)
    order by steps.occurred_at desc, steps.id desc
    limit (query ->> 'limit')::integer + 1 offset (query ->> 'offset')::bigint);
  if (query ->> 'counted')::boolean then
    total := internal.count_steps(find_steps.tenant_id, find_steps.namespace_id, find_steps.query, unfolded);
  end if;
end $$;

-- The steps of a tenant that are not folded yet: after a fold those that came since, few if any.
create function internal.unfolded_steps(tenant_id uuid) returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return array(
    select step.id
    from public.changes as request
    cross join lateral (
      select steps.id, steps.tenant_id from public.steps
      where steps.id between request.first_step_id and request.last_step_id
      offset 0 -- by the ids, whatever the index of the tenant promises
    ) as step
    where request.tenant_id = unfolded_steps.tenant_id and step.tenant_id = unfolded_steps.tenant_id);
end $$;

-- The steps of a trace or a session, as an array, so that they are found by their ids. Null where none is asked for, or where the
-- steps themselves say all that there is to say of the session.
create function internal.wanted_steps(tenant_id uuid, query jsonb) returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  session text := wanted_steps.query ->> 'session_id';
begin
  if wanted_steps.query ? 'trace_id' then
    return array(
      select placements.step_id from public.placements
      where placements.tenant_id = wanted_steps.tenant_id and placements.trace_id = wanted_steps.query ->> 'trace_id'
        and (session is null or session = coalesce(placements.session_id, (
          select steps.session_id from public.steps where steps.id = placements.step_id))));
  end if;
  if session is null or not exists (
    select from public.placements
    where placements.tenant_id = wanted_steps.tenant_id and placements.session_id = session) then
    return null;
  end if;
  return array(
    select steps.id from public.steps where steps.tenant_id = wanted_steps.tenant_id and steps.session_id = session
    union all
    select placements.step_id from public.placements
    where placements.tenant_id = wanted_steps.tenant_id and placements.session_id = session);
end $$;

-- The agent that a query asks for, where it has steps that do not say so themselves; else null. Its steps are looked for among all
-- of the namespace, from the newest on.
create function internal.agent_to_look_for(tenant_id uuid, query jsonb) returns text
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  if query ->> 'list' = 'records' and exists (
    select from public.placements
    where placements.tenant_id = agent_to_look_for.tenant_id and placements.agent = query ->> 'agent') then
    return agent_to_look_for.query ->> 'agent';
  end if;
  return null;
end $$;

-- Whose step it is: that of its trace, where it does not say so itself.
create function internal.agent_of(step_id uuid, agent text) returns text
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return coalesce(
    (select placements.agent from public.placements where placements.step_id = agent_of.step_id), agent_of.agent);
end $$;

-- Whether it is a model call with another one below it, which does not count.
create function internal.is_wrapper(step_id uuid) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return coalesce((select placements.is_wrapper from public.placements where placements.step_id = is_wrapper.step_id), false);
end $$;

-- How many steps match a query in all. By agent (records), level (logs) and time that is known by the hour; the rest of the
-- hours at both ends is counted, and so are the steps of a session, a resource or a trace, which are few. What is kept no longer
-- is a figure in it until it is deleted.
create function internal.count_steps(tenant_id uuid, namespace_id bigint, query jsonb, unfolded uuid[]) returns bigint
language plpgsql stable set search_path = '' as $$
declare
  hours record := internal.hours_of(count_steps.query);
  label text := case query ->> 'list' when 'logs' then query ->> 'level' else query ->> 'agent' end;
  has_other_filters boolean := query ?| '{session_id, resource_id, trace_id}' or query ->> 'list' = 'logs' and query ? 'agent';
begin
  if has_other_filters then
    return internal.count_one_by_one(tenant_id, namespace_id, query, hours.begins, hours.ends, unfolded);
  end if;
  return internal.counted_rows(
      tenant_id, array[query ->> 'list'], array[namespace_id], label, hours.first_hour, hours.last_hour)
    + case when hours.begins is null then 0 else internal.count_one_by_one(
        tenant_id, namespace_id, query, hours.begins, least(hours.first_hour, hours.ends), unfolded) end
    + case when hours.ends is null then 0 else internal.count_one_by_one(
        tenant_id, namespace_id, query, coalesce(hours.last_hour, hours.begins), hours.ends, unfolded) end;
end $$;

-- How many steps match a query's filters from one moment until before another (null: open).
create function internal.count_one_by_one(
  tenant_id uuid, namespace_id bigint, query jsonb, begins timestamptz, ends timestamptz, unfolded uuid[]) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  wanted uuid[] := internal.wanted_steps(count_one_by_one.tenant_id, count_one_by_one.query);
  of_agent text := internal.agent_to_look_for(count_one_by_one.tenant_id, count_one_by_one.query);
begin
  if begins >= ends then return 0; end if;
  return (
    select count(*) from public.steps
    where steps.tenant_id = count_one_by_one.tenant_id
      and steps.namespace_id = count_one_by_one.namespace_id
      and steps.list = query ->> 'list'
      and (query ->> 'agent' is null or of_agent is not null or steps.agent = query ->> 'agent')
      and (of_agent is null or internal.agent_of(steps.id, steps.agent) = of_agent)
      and (query ->> 'session_id' is null or wanted is not null or steps.session_id = query ->> 'session_id')
      and (query ->> 'level' is null or steps.level = query ->> 'level')
      and (query ->> 'resource_id' is null or steps.resource_id = query ->> 'resource_id')
      and (wanted is null or steps.id = any (wanted))
      and (count_one_by_one.begins is null or steps.occurred_at >= count_one_by_one.begins)
      and (count_one_by_one.ends is null or steps.occurred_at < count_one_by_one.ends)
      and (steps.kind <> 'llm' or steps.span_id is null or not internal.is_wrapper(steps.id))
      and (unfolded = '{}' or steps.id <> all (unfolded)));
end $$;
