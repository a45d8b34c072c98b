-- Trees that are deep or large: each request takes a bounded time, whatever is there already.

-- The trace of an agent on the path from a trace up to its root, null when it is not there. Only the nearest 100 are looked at,
-- and nothing where the agent is new. One lookup a step: a recursive query on a generic plan reads the table whole.
create or replace function public.trace_on_path(trace bigint, session_id text, agent text) returns bigint
language plpgsql stable set search_path = '' as $$
declare
  wanted_agent bigint;
  place record;
  height integer := 0;
begin
  wanted_agent := (
    select agents.id from public.agents
    where agents.namespace_id = (select traces.namespace_id from public.traces where traces.id = trace_on_path.trace)
      and agents.name = trace_on_path.agent);
  if wanted_agent is null or (select traces.id from public.traces where traces.agent_id = wanted_agent limit 1) is null then
    return null;
  end if;

  select traces.id, traces.parent_id, traces.agent_id, traces.session_id into place
  from public.traces where traces.id = trace_on_path.trace;
  while place.id is not null and height < 100 loop
    if place.agent_id = wanted_agent and place.session_id is not distinct from trace_on_path.session_id then
      return place.id;
    end if;
    height := height + 1;
    select traces.id, traces.parent_id, traces.agent_id, traces.session_id into place
    from public.traces where traces.id = place.parent_id;
  end loop;
  return null;
end $$;

-- As before, but a request moves a bounded number of traces: each time that a parent comes later, all that is below its child
-- gets another tree. How many it has moved is kept in a setting that ends, and is taken back, with the transaction.
create or replace function public.adopt_trace(child bigint, parent bigint) returns text
language plpgsql set search_path = '' as $$
declare
  parents_tree bigint;
  moved_before integer := coalesce(nullif(current_setting('trace_api.moved_traces', true), '')::integer, 0);
  moved integer;
begin
  select traces.tree_id into parents_tree from public.traces where traces.id = adopt_trace.parent;
  if parents_tree = adopt_trace.child then return 'parent_trace_id: this would make a cycle'; end if;
  if (select count(*) from (
    select from public.traces where traces.tree_id = adopt_trace.child limit 20001 - moved_before) as moving
  ) > 20000 - moved_before then
    return 'parent_trace_id: the request would move too many traces. Send parents first, or fewer items at a time';
  end if;

  update public.traces
  set tree_id = parents_tree,
      parent_id = case when traces.id = adopt_trace.child then adopt_trace.parent else traces.parent_id end
  where traces.tree_id = adopt_trace.child;
  get diagnostics moved = row_count;
  perform set_config('trace_api.moved_traces', (moved_before + moved)::text, true);
  return null;
end $$;
