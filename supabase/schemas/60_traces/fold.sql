-- Folding: turning what was written (public.changes) into the projections traces, placements, trees, counts and the activity of
-- sessions. Reading folds what it is about to read, so that a read has all that was acknowledged before it; a schedule folds
-- the rest (90_upkeep/fold_all.sql).

-- Folds the changes of a tenant: all of them, or the oldest with about so many steps. Returns whether that was all that there
-- was; what commits meanwhile does not count.
-- Never call it in a read-only transaction, nor in one that is repeatable read.
create function internal.fold(tenant_id uuid, most_steps integer default null) returns boolean
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  last_request uuid; -- null: all
begin
  if not internal.has_changes(fold.tenant_id) then return true; end if;
  -- One at a time. Waited for, and not skipped: what the other one folds may be what is about to be read. Who writes steps never
  -- takes this lock. A statement of its own, so that the next one sees all that was committed before the lock was had.
  perform pg_advisory_xact_lock(internal.fold_lock(fold.tenant_id));
  if fold.most_steps is not null then
    last_request := (
      select request.first_step_id
      from (
        select changes.first_step_id, sum(changes.steps) over (order by changes.first_step_id) as steps
        from public.changes where changes.tenant_id = fold.tenant_id order by changes.first_step_id limit fold.most_steps
      ) as request
      where request.steps >= fold.most_steps order by request.first_step_id limit 1);
  end if;
  while internal.fold_changes(fold.tenant_id, last_request, fold.most_steps) loop
    if fold.most_steps is not null then return false; end if;
  end loop;
  return last_request is null;
end $$;

create function internal.has_changes(tenant_id uuid) returns boolean
language plpgsql volatile set search_path = '' set enable_seqscan = off as $$
begin
  return exists (select from public.changes where changes.tenant_id = has_changes.tenant_id)
    or exists (select from public.rebuilds where rebuilds.tenant_id = has_changes.tenant_id);
end $$;

create function internal.fold_lock(tenant_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended('fold ' || fold_lock.tenant_id, 0);
end $$;

-- Takes changes (of the requests up to the last one given, and so many rebuilds; null: all), derives and writes. One statement
-- takes and derives: it sees a step exactly when it sees the change of its request, whatever commits meanwhile. The projections
-- themselves are nobody else's to write while the lock is held. Returns whether it left rebuilds to be done.
create function internal.fold_changes(owner_id uuid, last_request uuid, most_rebuilds integer) returns boolean
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  derivation internal.derivation;
  fold_number bigint;
begin
  with requests as (
    delete from public.changes
    where changes.tenant_id = owner_id and (last_request is null or changes.first_step_id <= last_request)
    returning changes.*::public.changes as request
  ), rebuilds as (
    delete from public.rebuilds
    where rebuilds.tenant_id = owner_id and rebuilds.tree_key = any (array(
      select chosen.tree_key from public.rebuilds as chosen
      where chosen.tenant_id = owner_id order by chosen.tree_key limit most_rebuilds))
    returning rebuilds.*::public.rebuilds as tree
  ), taken as materialized (
    select array(select requests.request from requests) as requests, array(select rebuilds.tree from rebuilds) as rebuilds
  )
  select derived.* into derivation
  from taken cross join lateral internal.derive_changes(owner_id, taken.requests, taken.rebuilds) as derived;

  perform internal.count_changes(owner_id, derivation.changes);
  perform internal.touch_sessions(owner_id, derivation.changes);
  if derivation.told <> '{}' or derivation.remade <> '{}' then
    fold_number := internal.next_fold_number(owner_id);
    perform internal.write_traces(owner_id, derivation, fold_number);
  end if;
  if derivation.placed <> '{}' then
    fold_number := coalesce(fold_number, internal.next_fold_number(owner_id));
    perform internal.place_steps(owner_id, derivation.placed, fold_number);
  end if;
  return exists (select from public.rebuilds where rebuilds.tenant_id = owner_id);
end $$;

-- The number of what the tenant's projections become now. Only for who holds the lock of its folds: see public.folds.
create function internal.next_fold_number(owner_id uuid) returns bigint
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  counted bigint;
begin
  insert into public.folds as known (tenant_id, number) values (owner_id, 1)
  on conflict on constraint folds_are_numbered_within_their_tenant do update set number = known.number + 1
  returning known.number into counted;
  return counted;
end $$;

-- Notes in the sessions when their last steps arrived. One that is just being deleted is not waited for.
create function internal.touch_sessions(owner_id uuid, changes internal.change[]) returns void
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
create function internal.place_steps(owner_id uuid, placed internal.placed_step[], fold_number bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  before public.placements[] := array(
    select (
      select placements from public.placements where placements.step_id = step.step_id)
    from unnest(place_steps.placed) as step
    where step.agent is not null or step.is_wrapper);
begin
  if before <> '{}' then perform internal.correct_counts(owner_id, place_steps.placed, before); end if;
  with moved as materialized (
    select step.*, (
      select placements.trace_id from public.placements where placements.step_id = step.step_id) as trace_before
    from unnest(place_steps.placed) as step
  ), written as (
    insert into public.placements as known (
      step_id, tenant_id, trace_id, happened_at, session_id, user_id, agent, is_wrapper, input_tokens, output_tokens,
      cached_input_tokens, reasoning_tokens, to_trace_id, fold_number)
    select moved.step_id, owner_id, moved.trace_id, moved.happened_at, moved.session_id, moved.user_id, moved.agent,
           moved.is_wrapper, moved.input_tokens, moved.output_tokens, moved.cached_input_tokens, moved.reasoning_tokens,
           moved.to_trace_id, place_steps.fold_number
    from moved
    where moved.trace_before is distinct from moved.trace_id or moved.agent is not null or moved.to_trace_id is not null
    on conflict on constraint step_has_one_placement do update set
      trace_id = excluded.trace_id, session_id = excluded.session_id, user_id = excluded.user_id, agent = excluded.agent,
      is_wrapper = excluded.is_wrapper, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
      cached_input_tokens = excluded.cached_input_tokens, reasoning_tokens = excluded.reasoning_tokens,
      to_trace_id = excluded.to_trace_id, fold_number = excluded.fold_number
    where (known.trace_id, known.session_id, known.user_id, known.agent, known.is_wrapper, known.input_tokens,
           known.output_tokens, known.cached_input_tokens, known.reasoning_tokens, known.to_trace_id)
      is distinct from
          (excluded.trace_id, excluded.session_id, excluded.user_id, excluded.agent, excluded.is_wrapper,
           excluded.input_tokens, excluded.output_tokens, excluded.cached_input_tokens,
           excluded.reasoning_tokens, excluded.to_trace_id)
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

-- Steps are counted under the agent that they say, and model calls as such. Where the tree tells otherwise, or tells otherwise
-- than before, the counts are corrected by the difference.
create function internal.correct_counts(owner_id uuid, placed internal.placed_step[], before public.placements[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  perform internal.add_counts(array(
    select (
      owner_id, said.list, said.namespace_id, correction.label, date_trunc('hour', said.occurred_at, 'UTC'), correction.change
      )::internal.count_change
    from unnest(correct_counts.placed) as step
    left join unnest(correct_counts.before) as known on known.step_id = step.step_id
    cross join lateral (
      select steps.list, steps.namespace_id, steps.agent, steps.occurred_at from public.steps
      where steps.id = step.step_id offset 0
    ) as said
    cross join lateral (
      values
        (case when not coalesce(known.is_wrapper, false) then coalesce(known.agent, said.agent) end, -1),
        (case when not step.is_wrapper then coalesce(step.agent, said.agent) end, 1)
    ) as correction (label, change)
    where (step.agent is not null or step.is_wrapper)
      and (known.step_id is null or (known.agent, known.is_wrapper) is distinct from (step.agent, step.is_wrapper))
      and said.list = 'records' and correction.label is not null));
end $$;
