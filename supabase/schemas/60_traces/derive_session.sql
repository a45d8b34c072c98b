-- How the traces of a session arise from its steps, in the order in which they happened (README, "Trees"):
-- - The first step opens the root, for its agent. Who is not named is the namespace's own agent.
-- - A step that names an agent belongs to that agent's latest trace; where it has none, one is opened below the root. A step
--   that names none belongs to the active trace, which is the one that the last handoff led to.
-- - A handoff returns to the agent's trace on the way from the active one up to the root (the nearest 100), or opens one below
--   the agent that hands over. A handoff itself is a step of the trace that it leaves; a record tells of handoffs before it.
create function internal.derive_session(tree_key uuid) returns internal.tree
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  tree internal.tree;
  root_id text := internal.public_id('agt_trace_', derive_session.tree_key::text);
  trace_agents integer[] := '{}'; -- by number, as the events have them
  latest integer[]; -- of each agent, by its number
  event record;
  here integer;
  place integer;
  height integer;
begin
  tree.trace_ids := '{}';
  tree.agents := '{}';
  tree.parents := '{}';
  tree.opened_at := '{}';
  tree.latest_of_agents := '{}';
  tree.step_ids := '{}';
  tree.step_times := '{}';
  tree.step_traces := '{}';
  for event in
    select said.* from internal.events_of_session(derive_session.tree_key) as said order by said.number, said.part
  loop
    latest := coalesce(latest, array_fill(null::integer, array[event.agent_count]));
    here := case when event.agent_is_named then latest[event.agent_number] else tree.active end;
    if here is null then -- nobody has handed over to this agent: below the root, or as the root
      here := cardinality(tree.trace_ids) + 1;
      tree.trace_ids := array_append(tree.trace_ids, case when here = 1 then root_id
        else internal.public_id('agt_trace_', jsonb_build_array(derive_session.tree_key, event.agent)::text) end);
      tree.agents := array_append(tree.agents, event.agent);
      tree.parents := array_append(tree.parents, case when here > 1 then 1 end);
      tree.opened_at := array_append(tree.opened_at, event.happened_at);
      tree.latest_of_agents := array_append(tree.latest_of_agents, true);
      trace_agents := array_append(trace_agents, event.agent_number);
      latest[event.agent_number] := here;
      tree.active := coalesce(tree.active, here);
      tree.last_event_at := event.happened_at;
    end if;
    if event.to_agent is null then
      tree.step_ids := array_append(tree.step_ids, event.step_id);
      tree.step_times := array_append(tree.step_times, event.happened_at);
      tree.step_traces := array_append(tree.step_traces, here);
      continue;
    end if;

    tree.last_event_at := event.happened_at;
    place := tree.active;
    height := 0;
    while place is not null and height < 100 and trace_agents[place] <> event.to_number loop
      place := tree.parents[place];
      height := height + 1;
    end loop;
    if place is not null and height < 100 then
      tree.active := place;
      continue;
    end if;
    place := cardinality(tree.trace_ids) + 1;
    tree.trace_ids := array_append(tree.trace_ids, internal.public_id('agt_trace_', jsonb_build_array(
      derive_session.tree_key, event.happened_at, event.repetition, event.part, event.to_agent)::text));
    tree.agents := array_append(tree.agents, event.to_agent);
    tree.parents := array_append(tree.parents, here);
    tree.opened_at := array_append(tree.opened_at, event.happened_at);
    tree.latest_of_agents := array_append(tree.latest_of_agents, true);
    trace_agents := array_append(trace_agents, event.to_number);
    if latest[event.to_number] is not null then tree.latest_of_agents[latest[event.to_number]] := false; end if;
    latest[event.to_number] := place;
    tree.active := place;
  end loop;
  return tree;
end $$;

-- What the steps of a session say of its tree, in order: `number` orders the steps, `part` what is in one step. An event is
-- either a step that is to be placed, or a handoff (to_agent is not null), in which `agent` is the one that hands over. Steps
-- of one moment are ordered by what they say, never by their arrival: handoffs first. Those that say the same are repetitions
-- of each other. Agents have numbers from 1 to agent_count.
create function internal.events_of_session(tree_key uuid)
returns table (
  number bigint, part bigint, step_id uuid, happened_at timestamptz, repetition bigint, agent text, agent_is_named boolean,
  agent_number integer, to_agent text, to_number integer, agent_count integer)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  return query
  with step as materialized (
    select steps.id, steps.kind, steps.handoffs, coalesce(steps.started_at, steps.occurred_at) as happened_at,
           steps.agent_is_named,
           case when steps.kind = 'log' and steps.agent is null then (
             select namespaces.name from public.namespaces where namespaces.id = steps.namespace_id)
           else steps.agent end as agent
    from public.steps where steps.tree_key = events_of_session.tree_key
  ), numbered as materialized (
    select step.*,
      row_number() over (
        order by step.happened_at, step.handoffs is null, step.kind, step.agent, step.agent_is_named, step.handoffs, step.id
      ) as number,
      case when step.handoffs is null then 0 else row_number() over (
        partition by step.happened_at, step.kind, step.agent, step.agent_is_named, step.handoffs order by step.id) end as repetition
    from step
  ), event as materialized (
    select numbered.number, case when numbered.kind = 'message' then 1000000 else 0 end as part, numbered.id as step_id,
           numbered.happened_at, numbered.repetition, numbered.agent, numbered.agent_is_named, null as to_agent
    from numbered
    union all
    select numbered.number, handoff.number, null, numbered.happened_at, numbered.repetition, handoff.value ->> 'from', true,
           handoff.value ->> 'to'
    from numbered cross join lateral jsonb_array_elements(numbered.handoffs) with ordinality as handoff (value, number)
    where numbered.handoffs is not null
  ), agent as materialized (
    select named.name, row_number() over ()::integer as number, count(*) over ()::integer as count
    from (select event.agent as name from event union select event.to_agent from event where event.to_agent is not null) as named
  )
  select event.number, event.part, event.step_id, event.happened_at, event.repetition, event.agent, event.agent_is_named,
         agent.number, event.to_agent, receiver.number, agent.count
  from event
  join agent on agent.name = event.agent
  left join agent as receiver on receiver.name = event.to_agent;
end $$;
