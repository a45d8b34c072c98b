-- Then its trace. What the migration that placed steps one by one says of the rules, and of the order of locks, still holds.

-- Held until the end of the transaction: the trees of the namespaces in which the steps are. Who names traces may move whole
-- trees, and has a namespace's trees alone; the others share them. After the sessions and agents, before any trace, and
-- in the order of their ids: so that two requests never wait for each other in a circle.
create function public.hold_trees(steps public.step[]) returns void
language plpgsql set search_path = '' as $$
begin
  perform case when held.alone then pg_advisory_xact_lock(public.trees_lock(held.namespace_id))
    else pg_advisory_xact_lock_shared(public.trees_lock(held.namespace_id)) end
  from (
    select step.namespace_id, bool_or(step.trace_id is not null or step.parent_trace_id is not null) as alone
    from unnest(hold_trees.steps) as step
    where step.error is null
    group by step.namespace_id order by step.namespace_id
  ) as held;
end $$;

-- Makes sure that all agents exist that the steps name. In the order of their names, so that two requests with the same ones
-- never wait for each other in a circle.
create function public.register_agents(tenant_id uuid, steps public.step[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.agents (tenant_id, namespace_id, name)
  select distinct register_agents.tenant_id, step.namespace_id, wanted.name
  from unnest(register_agents.steps) as step
  cross join lateral (
    select coalesce(step.agent, step.namespace)
    union select step.namespace where step.parent_trace_id is not null
    union select handoff ->> 'from' from jsonb_array_elements(step.handoffs) as handoff
    union select handoff ->> 'to' from jsonb_array_elements(step.handoffs) as handoff
  ) as wanted (name)
  where step.error is null and not exists (
    select from public.agents known
    where known.namespace_id = step.namespace_id and known.name = wanted.name)
  order by 2, 3
  on conflict on constraint agent_name_is_unique_within_its_namespace do nothing;
end $$;

-- Gives steps that need no order their traces, as far as they are there: in its session (and namespace) the latest of the agent
-- that a step names, the active one where it names none.
create function public.find_traces(tenant_id uuid, steps public.step[]) returns public.step[]
language plpgsql stable set search_path = '' as $$
begin
  return (
    with place as materialized (
      select place.*, (
        select traces.id from public.traces
        where traces.tenant_id = find_traces.tenant_id and traces.session_id = place.session_id
          and traces.namespace_id = place.namespace_id and traces.is_active) as active
      from (
        select distinct step.namespace_id, step.session_id, coalesce(step.agent, '') as agent
        from unnest(find_traces.steps) as step
        where step.error is null and step.session_id is not null
      ) as place
    ), found as materialized (
      select place.*, case when place.agent = '' or place.active is null then place.active else (
        select traces.id from public.traces
        where traces.tenant_id = find_traces.tenant_id and traces.session_id = place.session_id and traces.agent_id = (
          select agents.id from public.agents
          where agents.namespace_id = place.namespace_id and agents.name = place.agent)
        order by traces.id desc limit 1) end as trace
      from place
    )
    select array_agg((
      step.index, step.type, step.session_id, step.agent, step.occurred_at, step.trace_id, step.parent_trace_id,
      step.handoffs, step.namespace, step.namespace_id, coalesce(step.trace, found.trace), null, null,
      step.error)::public.step order by step.index)
    from unnest(find_traces.steps) as step
    left join found on found.namespace_id = step.namespace_id and found.session_id = step.session_id
      and found.agent = coalesce(step.agent, ''));
end $$;

-- Opens what find_traces misses: in each session (and namespace) without an active trace a root, for the agent of its first
-- step; then under the root a trace for each other agent that has none.
create function public.open_traces(tenant_id uuid, steps public.step[]) returns void
language plpgsql set search_path = '' as $$
begin
  with first_step as materialized (
    select distinct on (step.namespace_id, step.session_id)
           step.index, step.namespace_id, step.session_id, step.agent, step.occurred_at, (
             select agents.id from public.agents
             where agents.namespace_id = step.namespace_id and agents.name = coalesce(step.agent, step.namespace)) as agent_id
    from unnest(open_traces.steps) as step
    where step.error is null and step.session_id is not null
    order by step.namespace_id, step.session_id, step.index
  ), without_active as materialized (
    select first_step.*, (
      select traces.id from public.traces
      where traces.tenant_id = open_traces.tenant_id and traces.session_id = first_step.session_id
        and traces.agent_id = first_step.agent_id and first_step.agent is not null
      order by traces.id desc limit 1) as known
    from first_step
    where (
      select traces.id from public.traces
      where traces.tenant_id = open_traces.tenant_id and traces.session_id = first_step.session_id
        and traces.namespace_id = first_step.namespace_id and traces.is_active) is null
  ), activated as (
    update public.traces set is_active = true
    where traces.id = any (array(select without_active.known from without_active))
  )
  insert into public.traces (id, tree_id, tenant_id, namespace_id, agent_id, session_id, created_at, is_active)
  select root.id, root.id, open_traces.tenant_id, root.namespace_id, root.agent_id, root.session_id, root.occurred_at, true
  from (
    select nextval('public.traces_id_seq') as id, without_active.* from without_active
    where without_active.known is null
  ) as root;

  with named as materialized (
    select distinct on (step.namespace_id, step.session_id, step.agent)
           step.index, step.namespace_id, step.session_id, step.occurred_at, (
             select agents.id from public.agents
             where agents.namespace_id = step.namespace_id and agents.name = step.agent) as agent_id
    from unnest(open_traces.steps) as step
    where step.error is null and step.session_id is not null and step.agent is not null
    order by step.namespace_id, step.session_id, step.agent, step.index
  ), child as materialized (
    select named.*, (
      select traces.tree_id from public.traces
      where traces.tenant_id = open_traces.tenant_id and traces.session_id = named.session_id
        and traces.namespace_id = named.namespace_id and traces.is_active) as tree_id
    from named
    where (
      select traces.id from public.traces
      where traces.tenant_id = open_traces.tenant_id and traces.session_id = named.session_id
        and traces.agent_id = named.agent_id limit 1) is null
  )
  insert into public.traces (tree_id, parent_id, tenant_id, namespace_id, agent_id, session_id, created_at)
  select child.tree_id, child.tree_id, open_traces.tenant_id, child.namespace_id, child.agent_id, child.session_id,
         child.occurred_at
  from child order by child.index;
end $$;

-- Opens a tree for each record that has neither session nor handoffs nor ids, all at once.
create function public.open_lone_traces(tenant_id uuid, steps public.step[]) returns public.step[]
language plpgsql set search_path = '' as $$
declare
  placed public.step[];
begin
  with lone as (
    select step.*, case when step.error is null and step.type = 'message' and step.session_id is null
        and step.handoffs = '[]' and step.trace_id is null and step.parent_trace_id is null
      then nextval('public.traces_id_seq') end as opened
    from unnest(open_lone_traces.steps) as step
  ), inserted as (
    insert into public.traces (id, tree_id, tenant_id, namespace_id, agent_id, created_at)
    select lone.opened, lone.opened, open_lone_traces.tenant_id, agents.namespace_id, agents.id, lone.occurred_at
    from lone join public.agents on agents.namespace_id = lone.namespace_id and agents.name = lone.agent
    where lone.opened is not null
  )
  select array_agg((
    lone.index, lone.type, lone.session_id, lone.agent, lone.occurred_at, lone.trace_id, lone.parent_trace_id,
    lone.handoffs, lone.namespace, lone.namespace_id, lone.opened, null, null, lone.error)::public.step
    order by lone.index)
  into placed
  from lone;
  return placed;
end $$;

-- One step after the other: which trace each of them goes to, where handoffs or the ids of clients make the order matter. What
-- cannot be, because of what a client says of its tree, becomes an error.
create function public.choose_traces(tenant_id uuid, steps public.step[]) returns public.step[]
language plpgsql set search_path = '' as $$
declare
  chosen public.step[] := '{}';
  active_traces jsonb := '{}'; -- by [namespace_id, session_id, without one: index]
  moved_traces jsonb := '{}'; -- of them, those that have changed
  scope text;
  next_step public.step;
  step jsonb;
  said jsonb;
  said_before jsonb;
  handoff jsonb;
  named jsonb;
  active bigint;
  from_trace bigint;
  trace bigint;
begin
  foreach next_step in array steps loop
    step := to_jsonb(next_step);
    -- A run of steps that say the same goes to the same trace.
    said := step - array['index', 'occurred_at', 'type'];
    if next_step.trace is not null or next_step.error is not null
      or next_step.session_id is null and next_step.type = 'log' and next_step.trace_id is null
        and next_step.parent_trace_id is null then
      chosen := array_append(chosen, next_step);
      continue;
    elsif said = said_before and next_step.handoffs = '[]' then
      next_step.trace := trace;
      chosen := array_append(chosen, next_step);
      continue;
    end if;
    said_before := said;

    scope := jsonb_build_array(
      step -> 'namespace_id', step -> 'session_id', case when step ->> 'session_id' is null then step -> 'index' end);
    if not active_traces ? scope then
      active_traces := active_traces || jsonb_build_object(scope, (
        select traces.id from public.traces
        where traces.tenant_id = choose_traces.tenant_id and traces.session_id = step ->> 'session_id'
          and traces.namespace_id = (step ->> 'namespace_id')::bigint and traces.is_active));
    end if;
    active := active_traces ->> scope;

    if step ->> 'trace_id' is not null or step ->> 'parent_trace_id' is not null then
      named := public.named_trace(tenant_id, step);
      trace := named ->> 'trace';
      if trace is null then
        next_step.error := public.refusal('invalid_payload', named ->> 'problem');
        chosen := array_append(chosen, next_step);
        said_before := null;
        continue;
      end if;
      active := coalesce(active, (
        select traces.id from public.traces where traces.id = trace and traces.session_id = step ->> 'session_id'));
    else
      if step ->> 'type' <> 'message' then -- a handoff is a step of the trace that it leaves
        trace := public.trace_of_step(tenant_id, step, step ->> 'agent', active);
        active := coalesce(active, trace);
      end if;
      for handoff in select jsonb_array_elements(step -> 'handoffs') loop
        from_trace := public.trace_of_step(tenant_id, step, handoff ->> 'from', active);
        active := public.hand_over(tenant_id, step, from_trace, handoff ->> 'to', coalesce(active, from_trace));
      end loop;
      if step ->> 'type' = 'message' then -- a record tells of what led to it
        trace := public.trace_of_step(tenant_id, step, step ->> 'agent', active);
        active := coalesce(active, trace);
      end if;
    end if;
    next_step.trace := trace;
    chosen := array_append(chosen, next_step);
    if active is distinct from (active_traces ->> scope)::bigint then
      active_traces := active_traces || jsonb_build_object(scope, active);
      moved_traces := moved_traces || jsonb_build_object(scope, active);
    end if;
  end loop;
  if moved_traces = '{}' then return chosen; end if;

  update public.traces set is_active = false
  from jsonb_each_text(moved_traces) as wanted (scope, trace)
  where traces.tenant_id = choose_traces.tenant_id and traces.is_active
    and traces.session_id = wanted.scope::jsonb ->> 1 and traces.namespace_id = (wanted.scope::jsonb ->> 0)::bigint
    and traces.id <> wanted.trace::bigint;
  update public.traces set is_active = true
  from jsonb_each_text(moved_traces) as wanted (scope, trace)
  where traces.id = wanted.trace::bigint and traces.session_id is not null and not traces.is_active;
  return chosen;
end $$;

-- Gives each step its number in its trace, and the trace's public id, and counts it there.
create function public.number_steps(steps public.step[]) returns public.step[]
language plpgsql set search_path = '' as $$
declare
  trace_ids bigint[] := array(
    select distinct step.trace from unnest(number_steps.steps) as step where step.error is null and step.trace is not null);
  placed public.step[];
begin
  with numbered as materialized (
    select step.*, case when step.error is null then step.trace end as chosen,
           row_number() over (partition by step.trace, step.error is null order by step.index) as number
    from unnest(number_steps.steps) as step
  ), counted as (
    update public.traces set step_count = traces.step_count + added.number
    from (
      select numbered.chosen, max(numbered.number) as number from numbered
      where numbered.chosen is not null group by numbered.chosen
    ) as added
    where traces.id = added.chosen and traces.id = any (trace_ids)
    returning traces.id, traces.public_id, traces.step_count - added.number as before
  )
  select array_agg((
    numbered.index, numbered.type, numbered.session_id, numbered.agent, numbered.occurred_at, numbered.trace_id,
    numbered.parent_trace_id, numbered.handoffs, numbered.namespace, numbered.namespace_id, numbered.chosen,
    counted.public_id, counted.before + numbered.number, numbered.error)::public.step order by numbered.index)
  into placed
  from numbered left join counted on counted.id = numbered.chosen;
  return placed;
end $$;

-- Gives the steps their traces, and opens those that are not there yet. All at once, unless some steps hand over or name
-- traces.
create function public.place_in_traces(tenant_id uuid, steps public.step[]) returns public.step[]
language plpgsql set search_path = '' as $$
declare
  placed public.step[] := steps;
  have_new_agents boolean;
  some_are_lone boolean;
  need_order boolean;
begin
  select bool_or(agents.id is null), bool_or(step.session_id is null and step.type = 'message'),
         bool_or(step.handoffs <> '[]' or step.trace_id is not null or step.parent_trace_id is not null)
  into have_new_agents, some_are_lone, need_order
  from unnest(steps) as step
  left join public.agents
    on agents.namespace_id = step.namespace_id and agents.name = coalesce(step.agent, step.namespace)
  where step.error is null
    and (step.session_id is not null or step.type = 'message' or step.trace_id is not null or step.parent_trace_id is not null);
  if need_order is null then return steps; end if;

  if have_new_agents or need_order then perform public.register_agents(tenant_id, steps); end if;
  perform public.hold_trees(steps);
  if some_are_lone then placed := public.open_lone_traces(tenant_id, placed); end if;
  if need_order then return public.number_steps(public.choose_traces(tenant_id, placed)); end if;

  placed := public.find_traces(tenant_id, placed);
  if exists (
    select from unnest(placed) as step
    where step.trace is null and step.session_id is not null and step.error is null) then
    perform public.open_traces(tenant_id, placed);
    placed := public.find_traces(tenant_id, placed);
  end if;
  return public.number_steps(placed);
end $$;

revoke execute on function
  public.hold_trees(public.step[]),
  public.register_agents(uuid, public.step[]),
  public.find_traces,
  public.open_traces,
  public.open_lone_traces(uuid, public.step[]),
  public.choose_traces(uuid, public.step[]),
  public.number_steps,
  public.place_in_traces
  from public, anon, authenticated;
grant execute on function
  public.hold_trees(public.step[]),
  public.register_agents(uuid, public.step[]),
  public.find_traces,
  public.open_traces,
  public.open_lone_traces(uuid, public.step[]),
  public.choose_traces(uuid, public.step[]),
  public.number_steps,
  public.place_in_traces
  to service_role;
