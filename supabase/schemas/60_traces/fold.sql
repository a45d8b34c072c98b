-- Folding: turning what was written (public.changes) into the projections traces, placements, trees, counts and the activity of
-- sessions. Reading folds what it is about to read, so that a read has all that was acknowledged before it; a schedule folds
-- the rest (90_upkeep/fold_all.sql).

-- Folds the changes of a tenant: all of them, or those of so many trees. Returns whether that was all that there was; what
-- commits meanwhile does not count.
-- Never call it in a read-only transaction, nor in one that is repeatable read.
create function internal.fold(tenant_id uuid, most_trees integer default null) returns boolean
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  chosen uuid[];
  has_all boolean := true;
begin
  if not exists (select from public.changes where changes.tenant_id = fold.tenant_id) then return true; end if;
  -- One at a time. Waited for, and not skipped: what the other one folds may be what is about to be read. Who writes steps never
  -- takes this lock. A statement of its own, so that the next one sees all that was committed before the lock was had.
  perform pg_advisory_xact_lock(internal.fold_lock(fold.tenant_id));
  for times in 1..3 loop -- a tree that is gone may leave traces that clients named: they come with the next change
    if fold.most_trees is not null then
      chosen := array(
        select distinct changes.tree_key from public.changes
        where changes.tenant_id = fold.tenant_id and changes.tree_key is not null limit fold.most_trees);
      has_all := cardinality(chosen) < fold.most_trees;
    end if;
    if not internal.fold_changes(fold.tenant_id, chosen) then exit; end if;
  end loop;
  return has_all;
end $$;

create function internal.fold_lock(tenant_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended('fold ' || fold_lock.tenant_id, 0);
end $$;

-- Takes changes (those of the chosen trees and those of no tree; null: all), derives and writes. One statement takes and derives:
-- it sees a step exactly when it sees the step's change, whatever commits meanwhile. The projections themselves are
-- nobody else's to write while the lock is held. Returns whether there is more to fold now.
create function internal.fold_changes(owner_id uuid, chosen uuid[]) returns boolean
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  derivation internal.derivation;
  has_more boolean := false;
begin
  with taken as (
    delete from public.changes
    where changes.tenant_id = owner_id
      and (chosen is null or changes.tree_key is null or changes.tree_key = any (chosen))
    returning changes.*::public.changes as change
  ), gathered as materialized (
    select array_agg(taken.change) as changes from taken
  )
  select derived.* into derivation
  from gathered cross join lateral internal.derive_changes(owner_id, gathered.changes) as derived
  where gathered.changes is not null;
  if not found then return false; end if;

  perform internal.count_changes(derivation.changes);
  perform internal.touch_sessions(owner_id, derivation.changes);
  if derivation.told <> '{}' or derivation.remade <> '{}' then
    has_more := internal.write_traces(owner_id, derivation);
  end if;
  perform internal.place_steps(owner_id, derivation.placed);
  return has_more;
end $$;

-- Notes in the sessions when their last steps arrived. One that is just being deleted is not waited for.
create function internal.touch_sessions(owner_id uuid, changes public.changes[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  update public.sessions set last_activity_at = active.arrived_at
  from (
    select (
        select sessions.ctid from public.sessions
        where sessions.tenant_id = owner_id and sessions.id = change.session_id
          and sessions.last_activity_at < max(change.arrived_at)
        for no key update skip locked) as place,
      max(change.arrived_at) as arrived_at
    from unnest(touch_sessions.changes) as change
    where change.session_id is not null and change.steps > 0
    group by change.session_id
  ) as active
  where sessions.ctid = active.place;
end $$;

-- Writes the placements of steps, and counts the steps in their traces.
create function internal.place_steps(owner_id uuid, placed internal.placed_step[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  with moved as materialized (
    select step.step_id, step.happened_at, step.trace_id, (
      select placements.trace_id from public.placements where placements.step_id = step.step_id) as trace_before
    from unnest(place_steps.placed) as step
  ), written as (
    insert into public.placements (step_id, tenant_id, trace_id, happened_at)
    select moved.step_id, owner_id, moved.trace_id, moved.happened_at
    from moved where moved.trace_before is distinct from moved.trace_id
    on conflict on constraint step_has_one_placement do update set trace_id = excluded.trace_id
  )
  update public.traces set step_count = traces.step_count + growth.steps
  from (
    select change.trace_id, sum(change.steps) as steps
    from (
      select moved.trace_id, 1 as steps from moved where moved.trace_before is distinct from moved.trace_id
      union all
      select moved.trace_before, -1 from moved where moved.trace_before <> moved.trace_id
    ) as change
    group by change.trace_id
  ) as growth
  where traces.tenant_id = owner_id and traces.trace_id = growth.trace_id and growth.steps <> 0;
end $$;
