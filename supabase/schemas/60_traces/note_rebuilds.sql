-- Noting trees that must be derived anew from all of their steps, because steps are gone or projections were thrown away.

create type internal.noted_tree as (tree_kind text, tree_key uuid, trace_id text, namespace_id bigint, session_id text);

-- The trees that a step has to do with: its own, and that of the trace which it names as a parent.
create function internal.trees_of_step(step public.steps) returns internal.noted_tree[]
language plpgsql immutable set search_path = '' as $$
declare
  own internal.noted_tree := (
    step.tree_kind, step.tree_key, case step.tree_kind when 'claimed' then step.trace_id end, step.namespace_id, step.session_id);
begin
  if step.parent_trace_id is null then return array[own]; end if;
  return array[own, (
    'claimed', internal.tree_key(step.tenant_id, 'claimed', step.parent_trace_id), step.parent_trace_id, step.namespace_id,
    null)::internal.noted_tree];
end $$;

-- Notes the trees, each of them once. They bring no steps: what is counted stays as it is.
create function internal.note_rebuilds(owner_id uuid, trees internal.noted_tree[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.changes (
    tenant_id, first_step_id, last_step_id, arrived_at, tree_kind, tree_key, trace_id, is_structural, is_rebuild,
    first_happened_at, namespace_id, session_id, list, agent_is_named, hour, steps)
  select distinct on (tree.tree_key)
         owner_id, '00000000-0000-0000-0000-000000000000'::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, now(),
         tree.tree_kind, tree.tree_key, tree.trace_id, true, true, now(), tree.namespace_id, tree.session_id,
         'records', false, date_trunc('hour', now(), 'UTC'), 0
  from unnest(note_rebuilds.trees) as tree
  where tree.tree_key is not null
  order by tree.tree_key;
end $$;
