-- Which trace a step belongs to. Within a session (and a namespace): the first step opens the root; a handoff A -> B opens
-- a trace for B under A's, or returns to B's where B is on the active path; a step that names an agent goes to its latest
-- trace, or opens one under the root; one that names none goes to the active trace. A record without a session makes a
-- tree of its own. A session's row is locked by touch_sessions, so its steps are placed one request after the other.

-- What the lock on a namespace's trees is called.
create function public.trees_lock(namespace_id bigint) returns bigint
language sql immutable set search_path = ''
return hashtextextended('trees of ' || trees_lock.namespace_id, 0);

-- Held until the end of the transaction: the trees of the namespaces in which the steps are. Who names traces may move whole
-- trees, and has a namespace's trees alone; the others share them. After the sessions and agents, before any trace, and
-- in the order of their ids: so that two requests never wait for each other in a circle.
create function public.hold_trees(steps jsonb[]) returns void
language plpgsql set search_path = '' as $$
declare
  held record;
begin
  for held in
    select (step ->> 'namespace_id')::bigint as namespace_id,
           bool_or(step ->> 'trace_id' is not null or step ->> 'parent_trace_id' is not null) as alone
    from unnest(hold_trees.steps) as step group by 1 order by 1
  loop
    if held.alone then perform pg_advisory_xact_lock(public.trees_lock(held.namespace_id));
    else perform pg_advisory_xact_lock_shared(public.trees_lock(held.namespace_id));
    end if;
  end loop;
end $$;

-- Opens a trace under a parent, or a root. Returns its id, null when another one has the public id already.
create function public.open_trace(
  tenant_id uuid, namespace_id bigint, session_id text, agent text, parent bigint, began_at timestamptz,
  public_id text default null) returns bigint
language plpgsql set search_path = '' as $$
declare
  opened bigint := nextval('public.traces_id_seq');
begin
  insert into public.traces (id, tenant_id, namespace_id, agent_id, session_id, public_id, parent_id, tree_id, created_at)
  select opened, open_trace.tenant_id, open_trace.namespace_id, agents.id, open_trace.session_id,
         coalesce(open_trace.public_id, public.new_public_id('agt_trace_')), open_trace.parent,
         coalesce((select traces.tree_id from public.traces where traces.id = open_trace.parent), opened), open_trace.began_at
  from public.agents
  where agents.namespace_id = open_trace.namespace_id and agents.name = open_trace.agent
  on conflict on constraint trace_id_is_unique_within_its_tenant do nothing
  returning traces.id into opened;
  return opened;
end $$;

-- The latest trace of an agent in a session; where there is no session, in a tree.
create function public.latest_trace(namespace_id bigint, session_id text, tree bigint, agent text) returns bigint
language plpgsql stable set search_path = '' as $$
declare
  wanted_agent bigint;
  owner_id uuid;
begin
  select agents.id, agents.tenant_id into wanted_agent, owner_id from public.agents
  where agents.namespace_id = latest_trace.namespace_id and agents.name = latest_trace.agent;
  if latest_trace.session_id is null then
    return (select max(traces.id) from public.traces
            where traces.tree_id = latest_trace.tree and traces.agent_id = wanted_agent);
  end if;
  return (select traces.id from public.traces
          where traces.tenant_id = owner_id and traces.session_id = latest_trace.session_id
            and traces.agent_id = wanted_agent
          order by traces.id desc limit 1);
end $$;

-- The trace of an agent on the path from a trace up to its root, null when it is not there.
create function public.trace_on_path(trace bigint, session_id text, agent text) returns bigint
language sql stable set search_path = ''
return (
  with recursive path as (
    select traces.id, traces.parent_id, traces.agent_id, traces.session_id, 0 as height
    from public.traces where traces.id = trace_on_path.trace
    union all
    select traces.id, traces.parent_id, traces.agent_id, traces.session_id, path.height + 1
    from path join public.traces on traces.id = path.parent_id
  )
  select path.id from path join public.agents on agents.id = path.agent_id
  where agents.name = trace_on_path.agent and path.session_id is not distinct from trace_on_path.session_id
  order by path.height limit 1);

-- Where a step goes that names its agent (`agent`) or none (null): its trace is opened when it is not there yet. `active`: the
-- session's active trace, null before its first step.
create function public.trace_of_step(tenant_id uuid, step jsonb, agent text, active bigint) returns bigint
language plpgsql set search_path = '' as $$
declare
  namespace_id bigint := step ->> 'namespace_id';
  tree bigint;
begin
  if active is not null and agent is null then return active; end if;

  select traces.tree_id into tree from public.traces where traces.id = active;
  return coalesce(
    public.latest_trace(namespace_id, step ->> 'session_id', tree, agent),
    public.open_trace(tenant_id, namespace_id, step ->> 'session_id', coalesce(agent, step ->> 'namespace'),
                      tree, (step ->> 'occurred_at')::timestamptz));
end $$;

-- A handoff: the trace that is active after it.
create function public.hand_over(tenant_id uuid, step jsonb, from_trace bigint, to_agent text, active bigint)
returns bigint
language plpgsql set search_path = '' as $$
begin
  return coalesce(
    public.trace_on_path(active, step ->> 'session_id', to_agent),
    public.open_trace(tenant_id, (step ->> 'namespace_id')::bigint, step ->> 'session_id', to_agent,
                      from_trace, (step ->> 'occurred_at')::timestamptz));
end $$;

-- Makes a root, with all that is below it, a child. Returns why that cannot be, null when it is done. For named_trace, which
-- has the namespace's trees alone and has seen that the child has no parent.
create function public.adopt_trace(child bigint, parent bigint) returns text
language plpgsql set search_path = '' as $$
declare
  parents_tree bigint;
begin
  select traces.tree_id into parents_tree from public.traces where traces.id = adopt_trace.parent;
  if parents_tree = adopt_trace.child then return 'parent_trace_id: this would make a cycle'; end if;

  update public.traces
  set tree_id = parents_tree,
      parent_id = case when traces.id = adopt_trace.child then adopt_trace.parent else traces.parent_id end
  where traces.tree_id = adopt_trace.child;
  return null;
end $$;

-- The trace that a client names for a step by `trace_id`, `parent_trace_id` or both. What is not there yet is opened: the
-- parent as a placeholder, which its own first step fills. Returns {trace} or {problem}.
create function public.named_trace(tenant_id uuid, step jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted_id text := step ->> 'trace_id';
  wanted_parent text := step ->> 'parent_trace_id';
  session_id text := step ->> 'session_id';
  agent text := coalesce(step ->> 'agent', step ->> 'namespace');
  namespace_id bigint := step ->> 'namespace_id';
  began_at timestamptz := step ->> 'occurred_at';
  trace public.traces;
  parent public.traces;
  problem text;
begin
  select traces.* into trace from public.traces
  where traces.tenant_id = named_trace.tenant_id and traces.public_id = wanted_id;
  if trace.namespace_id <> namespace_id then
    return jsonb_build_object('problem', 'trace_id: this trace belongs to another namespace');
  end if;

  if wanted_parent is not null then
    if wanted_parent = wanted_id then
      return jsonb_build_object('problem', 'parent_trace_id: a trace cannot be its own parent');
    end if;
    if wanted_parent <> (select traces.public_id from public.traces where traces.id = trace.parent_id) then
      return jsonb_build_object('problem', 'parent_trace_id: the trace has another parent already');
    end if;
    if public.open_trace(tenant_id, namespace_id, null, step ->> 'namespace', null, began_at, wanted_parent) is not null then
      update public.traces set is_placeholder = true
      where traces.tenant_id = named_trace.tenant_id and traces.public_id = wanted_parent;
    end if;
    select traces.* into parent from public.traces
    where traces.tenant_id = named_trace.tenant_id and traces.public_id = wanted_parent;
    if parent.namespace_id <> namespace_id then
      return jsonb_build_object('problem', 'parent_trace_id: this trace belongs to another namespace');
    end if;
  end if;

  if wanted_id is null then -- the agent's latest under this parent
    return jsonb_build_object('trace', coalesce(
      (select max(traces.id) from public.traces join public.agents on agents.id = traces.agent_id
       where traces.parent_id = parent.id and agents.name = agent
         and traces.session_id is not distinct from named_trace.step ->> 'session_id'),
      public.open_trace(tenant_id, namespace_id, session_id, agent, parent.id, began_at)));
  end if;

  if trace.id is null then
    perform public.open_trace(tenant_id, namespace_id, session_id, agent, parent.id, began_at, wanted_id);
    select traces.* into trace from public.traces
    where traces.tenant_id = named_trace.tenant_id and traces.public_id = wanted_id;
    if trace.namespace_id <> namespace_id then -- opened by another request in the meantime
      return jsonb_build_object('problem', 'trace_id: this trace belongs to another namespace');
    end if;
  end if;
  if parent.id is not null and trace.parent_id is distinct from parent.id then
    problem := public.adopt_trace(trace.id, parent.id);
    if problem is not null then return jsonb_build_object('problem', problem); end if;
  end if;
  if trace.is_placeholder then
    update public.traces
    set is_placeholder = false, session_id = named_trace.step ->> 'session_id', created_at = began_at,
        agent_id = agents.id
    from public.agents
    where traces.id = trace.id and traces.is_placeholder
      and agents.namespace_id = traces.namespace_id and agents.name = agent;
  end if;
  return jsonb_build_object('trace', trace.id);
end $$;

-- The placed items that belong to a trace, in order: {index, type, session_id, namespace, namespace_id, agent, occurred_at,
-- trace_id, parent_trace_id, handoffs: [{from, to}]}. Log entries without a session or a trace do not.
create function public.steps_of(tenant_id uuid, items jsonb, placements jsonb) returns jsonb[]
language plpgsql stable set search_path = '' as $$
begin
  return array(
    select jsonb_build_object(
      'index', item.index, 'type', item.type, 'session_id', item.session_id, 'namespace', placement.namespace,
      'namespace_id', namespaces.id, 'agent', item.agent, 'occurred_at', coalesce(item.occurred_at, now()),
      'trace_id', item.trace_id, 'parent_trace_id', item.parent_trace_id,
      'handoffs', case item.type
        when 'handoff' then jsonb_build_array(
          jsonb_build_object('from', item.content -> 'from_agent', 'to', item.content -> 'to_agent'))
        when 'message' then coalesce(nullif(item.content -> 'transfers', 'null'), '[]')
        else '[]' end)
    from jsonb_to_recordset(steps_of.items) as item (
      index integer, type text, session_id text, agent text, occurred_at timestamptz, trace_id text,
      parent_trace_id text, content jsonb)
    join jsonb_to_recordset(steps_of.placements) as placement (index integer, namespace text)
      on placement.index = item.index
    join public.namespaces
      on namespaces.tenant_id = steps_of.tenant_id and namespaces.name = placement.namespace
    where item.session_id is not null or item.type = 'message'
      or item.trace_id is not null or item.parent_trace_id is not null
    order by item.index);
end $$;

-- Makes sure that all agents exist that the steps name. In the order of their names, so that two requests with the same ones
-- never wait for each other in a circle.
create function public.register_agents(tenant_id uuid, steps jsonb[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.agents (tenant_id, namespace_id, name)
  select distinct register_agents.tenant_id, (step ->> 'namespace_id')::bigint, wanted.name
  from unnest(register_agents.steps) as step
  cross join lateral (
    select coalesce(step ->> 'agent', step ->> 'namespace')
    union select step ->> 'namespace' where step ->> 'parent_trace_id' is not null
    union select handoff ->> 'from' from jsonb_array_elements(step -> 'handoffs') as handoff
    union select handoff ->> 'to' from jsonb_array_elements(step -> 'handoffs') as handoff
  ) as wanted (name)
  where not exists (
    select from public.agents known
    where known.namespace_id = (step ->> 'namespace_id')::bigint and known.name = wanted.name)
  order by 2, 3
  on conflict on constraint agent_name_is_unique_within_its_namespace do nothing;
end $$;

-- Opens a tree for each record that has neither session nor transfers, all at once. Returns {index: trace}.
create function public.open_lone_traces(tenant_id uuid, steps jsonb[]) returns jsonb
language plpgsql set search_path = '' as $$
declare
  opened jsonb;
begin
  with lone as (
    select step, nextval('public.traces_id_seq') as id from unnest(open_lone_traces.steps) as step
    where step ->> 'type' = 'message' and step ->> 'session_id' is null and step -> 'handoffs' = '[]'
  ), inserted as (
    insert into public.traces (id, tenant_id, namespace_id, agent_id, tree_id, created_at)
    select lone.id, open_lone_traces.tenant_id, agents.namespace_id, agents.id, lone.id,
           (lone.step ->> 'occurred_at')::timestamptz
    from lone join public.agents
      on agents.namespace_id = (lone.step ->> 'namespace_id')::bigint and agents.name = lone.step ->> 'agent'
  )
  select coalesce(jsonb_object_agg(lone.step ->> 'index', lone.id), '{}') into opened from lone;
  return opened;
end $$;

-- One step after the other: which trace each of them goes to. Returns {chosen: {index: trace}, problems: {index: text}}.
create function public.choose_traces(tenant_id uuid, steps jsonb[]) returns jsonb
language plpgsql set search_path = '' as $$
declare
  chosen jsonb := public.open_lone_traces(tenant_id, steps);
  problems jsonb := '{}';
  active_traces jsonb := '{}'; -- by [namespace_id, session_id, without one: index]
  moved_traces jsonb := '{}'; -- of them, those that have changed
  scope text;
  step jsonb;
  said jsonb;
  said_before jsonb;
  handoff jsonb;
  named jsonb;
  active bigint;
  from_trace bigint;
  trace bigint;
begin
  foreach step in array steps loop
    continue when chosen ? (step ->> 'index');
    -- A run of steps that say the same goes to the same trace.
    said := step - array['index', 'occurred_at', 'type'];
    if said = said_before and step -> 'handoffs' = '[]' then
      chosen := chosen || jsonb_build_object(step ->> 'index', trace);
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
        problems := problems || jsonb_build_object(step ->> 'index', named -> 'problem');
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
    chosen := chosen || jsonb_build_object(step ->> 'index', trace);
    if active is distinct from (active_traces ->> scope)::bigint then
      active_traces := active_traces || jsonb_build_object(scope, active);
      moved_traces := moved_traces || jsonb_build_object(scope, active);
    end if;
  end loop;
  if moved_traces = '{}' then return jsonb_build_object('chosen', chosen, 'problems', problems); end if;

  update public.traces set is_active = false
  from jsonb_each_text(moved_traces) as wanted (scope, trace)
  where traces.tenant_id = choose_traces.tenant_id and traces.is_active
    and traces.session_id = wanted.scope::jsonb ->> 1 and traces.namespace_id = (wanted.scope::jsonb ->> 0)::bigint
    and traces.id <> wanted.trace::bigint;
  update public.traces set is_active = true
  from jsonb_each_text(moved_traces) as wanted (scope, trace)
  where traces.id = wanted.trace::bigint and traces.session_id is not null and not traces.is_active;
  return jsonb_build_object('chosen', chosen, 'problems', problems);
end $$;

-- The placements with the trace of each step, and its number in it: {index, namespace, trace, trace_id, step_number}. Those
-- that cannot be, because of what their client says of its tree, become {index, error}.
create function public.place_steps(tenant_id uuid, items jsonb, placements jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  steps jsonb[] := public.steps_of(tenant_id, items, placements);
  places jsonb;
  traced jsonb;
begin
  perform public.register_agents(tenant_id, steps);
  perform public.hold_trees(steps);
  places := public.choose_traces(tenant_id, steps);

  with step as (
    select place.index::integer as index, place.trace::bigint as trace,
           row_number() over (partition by place.trace order by place.index::integer) as number
    from jsonb_each_text(places -> 'chosen') as place (index, trace)
  ), counted as (
    update public.traces set step_count = traces.step_count + added.number
    from (select step.trace, max(step.number) as number from step group by step.trace) as added
    where traces.id = added.trace
    returning traces.id, traces.public_id, traces.step_count - added.number as before
  )
  select jsonb_object_agg(step.index, jsonb_build_object(
    'trace', step.trace, 'trace_id', counted.public_id, 'step_number', counted.before + step.number))
  into traced from step join counted on counted.id = step.trace;

  return (
    select coalesce(jsonb_agg(case
      when places -> 'problems' ? (placement.value ->> 'index') then
        jsonb_build_object('index', placement.value -> 'index')
          || public.refusal('invalid_payload', places -> 'problems' ->> (placement.value ->> 'index'))
      else placement.value || coalesce(traced -> (placement.value ->> 'index'), '{}') end), '[]')
    from jsonb_array_elements(place_steps.placements) as placement);
end $$;

revoke execute on function
  public.trees_lock, public.hold_trees, public.open_trace, public.latest_trace, public.trace_on_path, public.trace_of_step, public.hand_over,
  public.adopt_trace, public.named_trace, public.steps_of, public.register_agents, public.open_lone_traces,
  public.choose_traces, public.place_steps
  from public, anon, authenticated;
grant execute on function
  public.trees_lock, public.hold_trees, public.open_trace, public.latest_trace, public.trace_on_path, public.trace_of_step, public.hand_over,
  public.adopt_trace, public.named_trace, public.steps_of, public.register_agents, public.open_lone_traces,
  public.choose_traces, public.place_steps
  to service_role;
