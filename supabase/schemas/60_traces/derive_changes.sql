-- Derives what the requests and the rebuilds ask for. Stable: it sees the steps as the statement does that takes them.
create function internal.derive_changes(owner_id uuid, requests public.changes[], rebuilds public.rebuilds[])
returns internal.derivation
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  changes internal.change[] := internal.changes_of(owner_id, requests) || internal.changes_of_rebuilds(rebuilds);
  result internal.derivation;
  settled uuid[] := internal.settled_trees(changes);
  trees internal.tree[];
  appended internal.appended_step[];
begin
  result.changes := changes;
  result.remade := array(
    select distinct change.tree_key from unnest(changes) as change
    where change.tree_key not in (select unnest(settled)) and (change.tree_kind <> 'claimed' or change.is_rebuild));
  trees := array(
    select internal.derive_tree(change) from (
      select distinct on (change.tree_key) change
      from unnest(changes) as change
      where change.tree_kind <> 'claimed' and change.tree_key not in (select unnest(settled))
      order by change.tree_key
    ) as changed);
  appended := internal.appended_steps(changes, settled, result.remade);

  result.placed := array(
    select (
      step.id, step.happened_at, trace.id, step.session_id, step.user_id, step.agent, coalesce(step.is_wrapper, false),
      step.input_tokens, step.output_tokens, step.cached_input_tokens, step.reasoning_tokens,
      step.to_trace_id)::internal.placed_step
    from unnest(trees) as tree
    cross join lateral unnest(
      tree.step_ids, tree.step_times, tree.step_traces, tree.step_sessions, tree.step_users, tree.step_agents,
      tree.step_wrappers, tree.step_input_tokens, tree.step_output_tokens, tree.step_cached_input_tokens,
      tree.step_reasoning_tokens, tree.step_to_traces
    ) as step (id, happened_at, trace, session_id, user_id, agent, is_wrapper, input_tokens, output_tokens, cached_input_tokens,
      reasoning_tokens, to_trace_id)
    join lateral unnest(tree.trace_ids) with ordinality as trace (id, place) on trace.place = step.trace
    union all
    select (step.step_id, step.happened_at, step.trace_id, null, null, null, false, null, null, null, null,
      null)::internal.placed_step
    from unnest(appended) as step);
  result.told := array(
    select (
      trace.id, 0, tree.tree_key, trace.namespace_id, trace.session_id, trace.agent, trace.opened_at, parent.id,
      trace.is_latest, null, null, tree.last_step_id)::internal.told_trace
    from unnest(trees) as tree
    cross join lateral unnest(
      tree.trace_ids, tree.agents, tree.namespace_ids, tree.session_ids, tree.parents, tree.opened_at, tree.latest_of_agents
    ) with ordinality as trace (id, agent, namespace_id, session_id, parent, opened_at, is_latest, place)
    left join lateral unnest(tree.trace_ids) with ordinality as parent (id, place) on parent.place = trace.parent
    union all
    select internal.told_by_step(step) from unnest(appended) as step where step.is_claimed
    union all
    select internal.told_by_child(owner_id, step.parent_trace_id, step.namespace_id, step.happened_at, step.step_id)
    from unnest(appended) as step where step.is_claimed and step.parent_trace_id is not null
    union all
    select internal.told_by_child(
      owner_id, steps.parent_trace_id, steps.namespace_id, coalesce(steps.started_at, steps.occurred_at), steps.id)
    from unnest(changes) as change
    join public.steps on steps.tenant_id = owner_id and steps.parent_trace_id = change.trace_id
    where change.is_rebuild and change.tree_kind = 'claimed');
  result.trees := array(
    select (tree.tree_key, owner_id, tree.trace_ids[tree.active], tree.last_event_at)::public.trees
    from unnest(trees) as tree where tree.active is not null);
  return result;
end $$;

-- What the steps of these requests change.
create function internal.changes_of(owner_id uuid, requests public.changes[]) returns internal.change[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select (
      request.first_step_id, request.last_step_id, request.arrived_at, step.tree_kind, step.tree_key,
      case step.tree_kind when 'claimed' then step.trace_id end, bool_or(step.hands_over), false, min(step.happened_at),
      step.namespace_id, step.session_id, step.list, step.agent, step.agent_is_named, step.level, step.hour, count(*)
      )::internal.change
    from unnest(changes_of.requests) as request
    cross join lateral (
      select steps.tenant_id, steps.tree_kind, steps.tree_key, steps.trace_id, steps.handoffs is not null as hands_over,
             coalesce(steps.started_at, steps.occurred_at) as happened_at, steps.namespace_id, steps.session_id, steps.list,
             steps.agent, steps.agent_is_named, steps.level, date_trunc('hour', steps.occurred_at, 'UTC') as hour
      from public.steps
      where steps.id between request.first_step_id and request.last_step_id
      offset 0 -- by the ids, whatever the index of the tenant promises
    ) as step
    where step.tenant_id = owner_id
    group by request.first_step_id, request.last_step_id, request.arrived_at, step.tree_kind, step.tree_key,
             case step.tree_kind when 'claimed' then step.trace_id end, step.namespace_id, step.session_id, step.list,
             step.agent, step.agent_is_named, step.level, step.hour);
end $$;

create function internal.changes_of_rebuilds(rebuilds public.rebuilds[]) returns internal.change[]
language plpgsql immutable set search_path = '' as $$
begin
  return array(
    select (
      null, null, null, tree.tree_kind, tree.tree_key, tree.trace_id, false, true, null, tree.namespace_id, tree.session_id,
      null, null, false, null, null, 0)::internal.change
    from unnest(changes_of_rebuilds.rebuilds) as tree);
end $$;

-- The trees of sessions to which these changes only add steps: nothing is handed over, nothing happened before the last event of
-- the tree, and each agent has a trace already. They need not be derived anew.
create function internal.settled_trees(changes internal.change[]) returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select change.tree_key
    from unnest(settled_trees.changes) as change
    where change.tree_key is not null
    group by change.tree_key
    having bool_and(
      change.tree_kind = 'session' and not change.hands_over and not change.is_rebuild
      and coalesce(change.first_happened_at > (
        select trees.last_event_at from public.trees where trees.tree_key = change.tree_key), false)
      and internal.trace_of_agent(change.tree_key, change.agent, change.agent_is_named) is not null));
end $$;

-- Where the next step of an agent belongs in a session's tree, or the next step that names none. Null: there is no such trace.
create function internal.trace_of_agent(tree_key uuid, agent text, agent_is_named boolean) returns text
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if not trace_of_agent.agent_is_named then
    return (select trees.active_trace_id from public.trees where trees.tree_key = trace_of_agent.tree_key);
  end if;
  return (
    select traces.trace_id from public.traces
    where traces.tree_key = trace_of_agent.tree_key and traces.agent = trace_of_agent.agent
      and traces.takes_steps_of_its_agent);
end $$;

-- The tree of a change, derived from all of its steps. Those of sessions are in one namespace and session: the change's.
create function internal.derive_tree(change internal.change) returns internal.tree
language plpgsql stable set search_path = '' as $$
declare
  tree internal.tree;
begin
  if change.tree_kind = 'otel' then
    tree := internal.derive_spans(change.tree_key);
  else
    tree := internal.derive_session(change.tree_key);
    tree.namespace_ids := array_fill(change.namespace_id, array[cardinality(tree.trace_ids)]);
    tree.session_ids := array_fill(change.session_id, array[cardinality(tree.trace_ids)]);
    if change.tree_kind <> 'session' then tree.active := null; end if; -- no more steps come to it
  end if;
  tree.tree_key := change.tree_key;
  tree.last_step_id := (select step.id from unnest(tree.step_ids) as step (id) order by step.id desc limit 1);
  return tree;
end $$;

-- The new steps of settled trees and of traces that clients named; of those that are remade, all steps.
create function internal.appended_steps(changes internal.change[], settled uuid[], remade uuid[])
returns internal.appended_step[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select (
      step.id, coalesce(step.started_at, step.occurred_at),
      case when range.tree_kind = 'claimed' then step.trace_id
        else internal.trace_of_agent(step.tree_key, step.agent, step.agent_is_named) end,
      range.tree_kind = 'claimed', step.tree_key, step.namespace_id, step.session_id, step.agent, step.parent_trace_id
      )::internal.appended_step
    from (
      select distinct change.tree_key, change.tree_kind,
        case when change.tree_key in (select unnest(remade)) then '00000000-0000-0000-0000-000000000000'
          else change.first_step_id end as first_id,
        case when change.tree_key in (select unnest(remade)) then 'ffffffff-ffff-ffff-ffff-ffffffffffff'
          else change.last_step_id end as last_id
      from unnest(appended_steps.changes) as change
      where change.tree_kind = 'claimed' or change.tree_key in (select unnest(settled))
    ) as range
    cross join lateral (
      select steps.id, steps.started_at, steps.occurred_at, steps.trace_id, steps.tree_key, steps.agent, steps.agent_is_named,
             steps.namespace_id, steps.session_id, steps.parent_trace_id
      from public.steps
      where steps.tree_key = range.tree_key and steps.id between range.first_id::uuid and range.last_id::uuid
      offset 0
    ) as step);
end $$;

-- What a step tells of the trace that it names as its own.
create function internal.told_by_step(step internal.appended_step) returns internal.told_trace
language plpgsql stable set search_path = '' as $$
begin
  return (
    step.trace_id, 1, step.tree_key, step.namespace_id, step.session_id,
    coalesce(step.agent, (select namespaces.name from public.namespaces where namespaces.id = step.namespace_id)),
    step.happened_at, null, false, step.parent_trace_id,
    case when step.parent_trace_id is not null then step.happened_at end, step.step_id)::internal.told_trace;
end $$;

-- What a step tells of the trace that it names as a parent: that there is one.
create function internal.told_by_child(
  owner_id uuid, trace_id text, namespace_id bigint, happened_at timestamptz, step_id uuid) returns internal.told_trace
language plpgsql stable set search_path = '' as $$
begin
  return (
    told_by_child.trace_id, 2, internal.tree_key(owner_id, 'claimed', told_by_child.trace_id), told_by_child.namespace_id,
    null, (select namespaces.name from public.namespaces where namespaces.id = told_by_child.namespace_id),
    told_by_child.happened_at, null, false, null, null, told_by_child.step_id)::internal.told_trace;
end $$;
