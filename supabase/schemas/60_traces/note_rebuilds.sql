-- Noting trees that are to be derived anew from all of their steps.

-- The trees that a step has to do with: its own, and that of the trace which it names as a parent.
create function internal.trees_of_step(step public.steps) returns setof public.rebuilds
language plpgsql immutable set search_path = '' as $$
begin
  if step.tree_key is not null then
    return next (
      step.tenant_id, step.tree_key, step.tree_kind, case step.tree_kind when 'claimed' then step.trace_id end,
      step.namespace_id, step.session_id)::public.rebuilds;
  end if;
  if step.parent_trace_id is not null then
    return next (
      step.tenant_id, internal.tree_key(step.tenant_id, 'claimed', step.parent_trace_id), 'claimed', step.parent_trace_id,
      step.namespace_id, null)::public.rebuilds;
  end if;
end $$;

-- Notes the trees, each of them once.
create function internal.note_rebuilds(trees public.rebuilds[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.rebuilds
  select distinct on (tree.tenant_id, tree.tree_key) tree.* from unnest(note_rebuilds.trees) as tree
  order by tree.tenant_id, tree.tree_key
  on conflict on constraint tree_is_noted_once_to_be_rebuilt do nothing;
end $$;
