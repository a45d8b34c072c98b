-- How the traces of a session arise from its steps, in the order in which they happened (docs/api.md, "Trees"):
-- - The first step opens the root, for its agent. Who is not named is the namespace's own agent.
-- - A step that names an agent belongs to that agent's latest trace; where it has none, one is opened below the root. A step
--   that names none belongs to the active trace, which is the one that the last handoff led to.
-- - A handoff returns to the agent's trace on the way from the active one up to the root (the nearest 100), or opens one below
--   the agent that hands over. A handoff itself is a step of the trace that it leaves; a record tells of handoffs before it.
create function internal.derive_session(tree_key uuid) returns internal.tree
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  tree internal.tree;
  -- Arrays of their own, and not those of `tree`: only such grow in place.
  trace_ids text[] := '{}';
  agents text[] := '{}';
  agent_numbers integer[] := '{}';
  parents integer[] := '{}';
  opened_at timestamptz[] := '{}';
  step_ids uuid[] := '{}';
  step_times timestamptz[] := '{}';
  step_traces integer[] := '{}';
  step_to_traces text[] := array[null::text]; -- from 1 on: steps are numbered in the order in which they are placed
  latest integer[]; -- the latest trace of each agent, by the agent's number
  event record;
  here integer;
  place integer;
  height integer;
begin
  for event in
    select said.* from internal.events_of_session(derive_session.tree_key) as said order by said.number, said.part
  loop
    latest := coalesce(latest, array_fill(null::integer, array[event.agent_count]));
    here := case when event.agent_is_named then latest[event.agent_number] else tree.active end;
    if here is null then -- nobody has handed over to this agent: below the root, or as the root
      here := cardinality(trace_ids) + 1;
      trace_ids := array_append(trace_ids, internal.public_id('agt_trace_', case when here = 1
        then derive_session.tree_key::text else jsonb_build_array(derive_session.tree_key, event.agent)::text end));
      agents := array_append(agents, event.agent);
      agent_numbers := array_append(agent_numbers, event.agent_number);
      parents := array_append(parents, case when here > 1 then 1 end);
      opened_at := array_append(opened_at, event.happened_at);
      latest[event.agent_number] := here;
      tree.active := coalesce(tree.active, here);
      tree.last_event_at := event.happened_at;
    end if;
    if event.to_agent is null then
      step_ids := array_append(step_ids, event.step_id);
      step_times := array_append(step_times, event.happened_at);
      step_traces := array_append(step_traces, here);
      continue;
    end if;

    tree.last_event_at := event.happened_at;
    place := tree.active;
    height := 0;
    while place is not null and height < 100 and agent_numbers[place] <> event.to_number loop
      place := parents[place];
      height := height + 1;
    end loop;
    if place is null or height = 100 then -- not on the way up to the root
      place := cardinality(trace_ids) + 1;
      trace_ids := array_append(trace_ids, internal.public_id(
        'agt_trace_', jsonb_build_array(derive_session.tree_key, event.facts, event.part)::text));
      agents := array_append(agents, event.to_agent);
      agent_numbers := array_append(agent_numbers, event.to_number);
      parents := array_append(parents, here);
      opened_at := array_append(opened_at, event.happened_at);
      latest[event.to_number] := place;
    end if;
    tree.active := place;
    step_to_traces[event.number::integer] := trace_ids[place];
  end loop;

  tree.trace_ids := trace_ids;
  tree.agents := agents;
  tree.parents := parents;
  tree.opened_at := opened_at;
  tree.latest_of_agents := array(
    select trace.place = latest[trace.agent_number]
    from unnest(agent_numbers) with ordinality as trace (agent_number, place) order by trace.place);
  tree.step_ids := step_ids;
  tree.step_times := step_times;
  tree.step_traces := step_traces;
  tree.step_to_traces := step_to_traces;
  return tree;
end $$;

-- What the steps of a session say of its tree, in order: `number` orders the steps, `part` what is in one step. An event is
-- either a step that is to be placed, or a handoff (to_agent is not null), in which `agent` is the one that hands over. Steps
-- of one moment are ordered by what they say, never by their arrival: handoffs first. Those that say the same are repetitions
-- of each other. `facts` tell a step with handoffs from all others of its session: a trace that it opens is named by them.
-- Agents have numbers from 1 to agent_count.
create function internal.events_of_session(tree_key uuid)
returns table (
  number bigint, part bigint, step_id uuid, happened_at timestamptz, facts text, agent text, agent_is_named boolean,
  agent_number integer, to_agent text, to_number integer, agent_count integer)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_mergejoin = off as $$
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
    select step.*, row_number() over (
      order by step.happened_at, step.handoffs is null, step.kind, step.agent, step.agent_is_named, step.handoffs, step.id
    ) as number
    from step
  ), handing_over as materialized ( -- their facts are hashed once: a record may have a thousand handoffs
    select numbered.*, md5(jsonb_build_array(
        extract(epoch from numbered.happened_at), numbered.kind, numbered.agent, numbered.agent_is_named, numbered.handoffs,
        row_number() over (
          partition by numbered.happened_at, numbered.kind, numbered.agent, numbered.agent_is_named, numbered.handoffs
          order by numbered.id))::text) as facts
    from numbered where numbered.handoffs is not null
  ), event as materialized (
    select numbered.number, case when numbered.kind = 'message' then 1000000 else 0 end as part, numbered.id as step_id,
           numbered.happened_at, null as facts, numbered.agent, numbered.agent_is_named, null as to_agent
    from numbered
    union all
    select step.number, handoff.number, null, step.happened_at, step.facts, handoff.value ->> 'from', true,
           handoff.value ->> 'to'
    from handing_over as step
    cross join lateral jsonb_array_elements(step.handoffs) with ordinality as handoff (value, number)
  ), agent as materialized (
    select named.name, row_number() over ()::integer as number, count(*) over ()::integer as count
    from (select event.agent as name from event union select event.to_agent from event where event.to_agent is not null) as named
  )
  select event.number, event.part, event.step_id, event.happened_at, event.facts, event.agent, event.agent_is_named,
         agent.number, event.to_agent, receiver.number, agent.count
  from event
  join agent on agent.name = event.agent
  left join agent as receiver on receiver.name = event.to_agent;
end $$;
