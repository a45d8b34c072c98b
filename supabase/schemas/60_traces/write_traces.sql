-- Makes the traces what is told of them, and takes away those that nothing tells of any more. Only fold calls it.
create function internal.write_traces(owner_id uuid, derivation internal.derivation, fold_number bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  standing public.traces[] := internal.standing_traces(owner_id, derivation);
  facts internal.told_trace[] := internal.settled_facts(derivation.told, standing);
  vanished text[];
begin
  with gone as (
    delete from public.traces
    where traces.tree_key = any (derivation.remade) and traces.tenant_id = owner_id
      and traces.trace_id not in (select fact.trace_id from unnest(facts) as fact)
    returning traces.trace_id
  )
  select array_agg(gone.trace_id) into vanished from gone;

  insert into public.traces as known (
    tenant_id, trace_id, tree_key, is_claimed, is_named_only, takes_steps_of_its_agent, namespace_id, session_id, agent,
    parent_trace_id, claimed_parent_id, parent_claimed_at, step_count, fold_number, created_at, last_step_id)
  select owner_id, fact.trace_id, fact.tree_key, fact.rank > 0, fact.rank = 2, fact.is_latest, fact.namespace_id,
         fact.session_id, fact.agent, fact.parent_trace_id, fact.claimed_parent_id, fact.parent_claimed_at, (
           select count(*) from public.placements
           where placements.tenant_id = owner_id and placements.trace_id = fact.trace_id),
         write_traces.fold_number, fact.opened_at, fact.last_step_id
  from unnest(facts) as fact
  order by fact.trace_id
  on conflict on constraint trace_id_is_unique_within_its_tenant do update set
    tree_key = excluded.tree_key, is_claimed = excluded.is_claimed, is_named_only = excluded.is_named_only,
    takes_steps_of_its_agent = excluded.takes_steps_of_its_agent, namespace_id = excluded.namespace_id,
    session_id = excluded.session_id, agent = excluded.agent, parent_trace_id = excluded.parent_trace_id,
    claimed_parent_id = excluded.claimed_parent_id, parent_claimed_at = excluded.parent_claimed_at,
    fold_number = case when (known.parent_trace_id, known.agent, known.namespace_id)
      is distinct from (excluded.parent_trace_id, excluded.agent, excluded.namespace_id)
      then excluded.fold_number else known.fold_number end,
    created_at = excluded.created_at,
    last_step_id = case when known.step_count > 0 then known.last_step_id
      else greatest(known.last_step_id, excluded.last_step_id) end
  where (known.tree_key, known.is_claimed, known.is_named_only, known.takes_steps_of_its_agent, known.namespace_id,
         known.session_id, known.agent, known.parent_trace_id, known.claimed_parent_id, known.parent_claimed_at,
         known.created_at)
    is distinct from
        (excluded.tree_key, excluded.is_claimed, excluded.is_named_only, excluded.takes_steps_of_its_agent,
         excluded.namespace_id, excluded.session_id, excluded.agent, excluded.parent_trace_id, excluded.claimed_parent_id,
         excluded.parent_claimed_at, excluded.created_at)
    or known.step_count = 0 and known.last_step_id < excluded.last_step_id;

  delete from public.trees
  where trees.tree_key = any (derivation.remade)
    and trees.tree_key not in (select tree.tree_key from unnest(derivation.trees) as tree);
  insert into public.trees as known (tree_key, tenant_id, active_trace_id, last_event_at)
  select tree.tree_key, tree.tenant_id, tree.active_trace_id, tree.last_event_at from unnest(derivation.trees) as tree
  on conflict on constraint tree_key_is_unique do update
    set active_trace_id = excluded.active_trace_id, last_event_at = excluded.last_event_at;

  perform internal.break_cycles(owner_id, facts, standing, fold_number);
  perform internal.note_named_traces(owner_id, vanished);
end $$;

-- The rows that are there already of the traces that are told of, but those which are remade. Planned anew: while the table was
-- empty, all of its indexes looked as good as the primary key.
create function internal.standing_traces(owner_id uuid, derivation internal.derivation) returns public.traces[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
begin
  return array(
    select known from (select distinct told.trace_id from unnest(derivation.told) as told) as wanted
    cross join lateral (
      select traces as known from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = wanted.trace_id offset 0
    ) as row
    where (known).tree_key not in (select unnest(derivation.remade)));
end $$;

-- What each trace is: of all that is told of it, and was told before, the lowest rank counts, then the earliest; and of the
-- parents that were claimed for it, the one that was claimed first is its parent, unless break_cycles takes it back.
create function internal.settled_facts(told internal.told_trace[], standing public.traces[]) returns internal.told_trace[]
language plpgsql immutable set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  return array(
    with every as materialized (
      select told.* from unnest(settled_facts.told) as told
      union all
      select known.trace_id, case when not known.is_claimed then 0 when known.is_named_only then 2 else 1 end, known.tree_key,
             known.namespace_id, known.session_id, known.agent, known.created_at, known.parent_trace_id,
             known.takes_steps_of_its_agent, known.claimed_parent_id, known.parent_claimed_at, known.last_step_id
      from unnest(settled_facts.standing) as known
    ), first as (
      select distinct on (every.trace_id) every.*,
             max(every.last_step_id::text) over (partition by every.trace_id)::uuid as last_of_all
      from every
      order by every.trace_id, every.rank, every.opened_at, every.agent, every.namespace_id, every.session_id
    ), claim as (
      select distinct on (every.trace_id) every.trace_id, every.claimed_parent_id, every.parent_claimed_at
      from every where every.claimed_parent_id is not null
      order by every.trace_id, every.parent_claimed_at, every.claimed_parent_id
    )
    select (
      first.trace_id, first.rank, first.tree_key, first.namespace_id, first.session_id, first.agent, first.opened_at,
      case when first.rank = 0 then first.parent_trace_id else claim.claimed_parent_id end, first.is_latest,
      case when first.rank > 0 then claim.claimed_parent_id end, case when first.rank > 0 then claim.parent_claimed_at end,
      first.last_of_all)::internal.told_trace
    from first left join claim on claim.trace_id = first.trace_id);
end $$;

-- In a cycle of claimed parents, the claim that was made latest is ignored. No cycle can come about without a new claim, and
-- those that were ignored before are tried anew: the cycle may be gone.
create function internal.break_cycles(
  owner_id uuid, facts internal.told_trace[], standing public.traces[], fold_number bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tried text[];
begin
  tried := array(
    select fact.trace_id from unnest(facts) as fact
    where fact.claimed_parent_id is not null and not exists (
      select from unnest(standing) as known
      where known.trace_id = fact.trace_id and known.claimed_parent_id = fact.claimed_parent_id
        and known.parent_trace_id is not null));
  if tried = '{}' then return; end if;
  with again as (
    update public.traces set parent_trace_id = traces.claimed_parent_id, fold_number = break_cycles.fold_number
    where traces.tenant_id = owner_id and traces.parent_trace_id is null and traces.claimed_parent_id is not null
    returning traces.trace_id
  )
  select tried || coalesce(array_agg(again.trace_id), '{}') into tried from again;

  update public.traces set parent_trace_id = null, fold_number = break_cycles.fold_number
  where traces.tenant_id = owner_id and traces.trace_id = any (
    internal.latest_of_cycles(owner_id, internal.traces_above_without_root(owner_id, tried)));
end $$;

-- Of traces that are in cycles or below them, with all above them: of each cycle the one whose parent was claimed latest.
create function internal.latest_of_cycles(owner_id uuid, trace_ids text[]) returns text[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  known record; -- the traces by number: their parents' numbers, and the order in which the parents were claimed
  seen integer[]; -- from which trace each was come by first
  latest text[] := '{}';
  place integer;
  start integer;
  last integer;
begin
  if trace_ids = '{}' then return trace_ids; end if;
  select array_agg(parent.number order by wanted.number) as parents,
         array_agg(claim.turn order by wanted.number) as turns
  into known
  from unnest(trace_ids) with ordinality as wanted (trace_id, number)
  join (
    select traces.trace_id, traces.parent_trace_id,
           row_number() over (order by traces.parent_claimed_at, traces.trace_id) as turn
    from public.traces where traces.tenant_id = owner_id and traces.trace_id = any (trace_ids)
  ) as claim on claim.trace_id = wanted.trace_id
  join unnest(trace_ids) with ordinality as parent (trace_id, number) on parent.trace_id = claim.parent_trace_id;

  seen := array_fill(null::integer, array[cardinality(trace_ids)]);
  for number in 1 .. cardinality(trace_ids) loop
    place := number;
    while seen[place] is null loop
      seen[place] := number;
      place := known.parents[place];
    end loop;
    continue when seen[place] <> number; -- it leads to where an earlier one has led
    start := place;
    last := place;
    loop
      place := known.parents[place];
      exit when place = start;
      if known.turns[place] > known.turns[last] then last := place; end if;
    end loop;
    latest := array_append(latest, trace_ids[last]);
  end loop;
  return latest;
end $$;

-- Of these traces and all above them, those from which no root is reached: they are in a cycle, or below one.
create function internal.traces_above_without_root(owner_id uuid, trace_ids text[]) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  found_traces record;
begin
  with recursive above as (
    select known.* from unnest(traces_above_without_root.trace_ids) as wanted (trace_id)
    cross join lateral (
      select traces.trace_id, traces.parent_trace_id from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = wanted.trace_id offset 0
    ) as known
    union
    select known.* from above
    cross join lateral (
      select traces.trace_id, traces.parent_trace_id from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = above.parent_trace_id offset 0
    ) as known
    where above.parent_trace_id is not null
  )
  select array_agg(above.trace_id) as ids, array_agg(above.parent_trace_id) as parent_ids
  into found_traces from above;
  return array(
    select rooted.trace_id from internal.roots_of_traces(found_traces.ids, found_traces.parent_ids) as rooted
    where rooted.root_trace_id is null order by rooted.trace_id);
end $$;

-- The root of each of these traces, null where a cycle is in the way. With each trace all above it must be there. It looks at
-- each trace once: a trace may be ten thousand below its root.
create function internal.roots_of_traces(ids text[], parent_ids text[])
returns table (trace_id text, root_trace_id text)
language plpgsql immutable set search_path = '' set enable_nestloop = off as $$
declare
  parents integer[]; -- by number, null for a root
  roots integer[]; -- the root of each trace; 0 while it is being looked for, and for good where a cycle is in the way
  path integer[];
  place integer;
  root integer;
begin
  select array_agg(parent.number order by child.number) into parents
  from unnest(ids, parent_ids) with ordinality as child (id, parent_id, number)
  left join unnest(ids) with ordinality as parent (id, number) on parent.id = child.parent_id;
  roots := array_fill(null::integer, array[coalesce(cardinality(ids), 0)]);
  for number in 1 .. coalesce(cardinality(ids), 0) loop
    path := '{}';
    place := number;
    while place is not null and roots[place] is null loop
      roots[place] := 0;
      path := array_append(path, place);
      place := parents[place];
    end loop;
    root := case when place is null then path[cardinality(path)] else roots[place] end;
    foreach place in array path loop
      roots[place] := root;
    end loop;
  end loop;
  return query
  select ids[number], ids[nullif(roots[number], 0)] from generate_subscripts(ids, 1) as number;
end $$;

-- Of traces that a tree does not have any more, those that steps name stay there, for the steps' sake: notes them to be made
-- anew of what the steps say.
create function internal.note_named_traces(owner_id uuid, trace_ids text[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  perform internal.note_rebuilds(array(
    select (owner_id, claimed.tree_key, 'claimed', gone.trace_id, 0, null)::public.rebuilds
    from unnest(note_named_traces.trace_ids) as gone (trace_id)
    cross join lateral (select internal.tree_key(owner_id, 'claimed', gone.trace_id) as tree_key offset 0) as claimed
    where exists (select from public.steps where steps.tree_key = claimed.tree_key)
      or exists (select from public.steps where steps.tenant_id = owner_id and steps.parent_trace_id = gone.trace_id)));
end $$;
