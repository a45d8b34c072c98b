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

-- Writes the placements of steps, and what follows from them: the steps of traces, counts, usage, the figures of sessions.
create function internal.place_steps(owner_id uuid, placed internal.placed_step[], fold_number bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  moved internal.moved_step[] := internal.moved_steps(owner_id, place_steps.placed, place_steps.fold_number);
begin
  if moved = '{}' then return; end if;
  insert into public.placements as known
  select (move.after).* from unnest(moved) as move
  on conflict on constraint step_has_one_placement do update set
    trace_id = excluded.trace_id, session_id = excluded.session_id, user_id = excluded.user_id, agent = excluded.agent,
    is_wrapper = excluded.is_wrapper, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cached_input_tokens = excluded.cached_input_tokens, reasoning_tokens = excluded.reasoning_tokens,
    to_trace_id = excluded.to_trace_id, fold_number = excluded.fold_number;

  update public.traces set
    step_count = traces.step_count + growth.steps,
    last_step_id = case when traces.step_count = 0 then growth.last_step_id -- its first ones
      else greatest(traces.last_step_id, growth.last_step_id) end
  from (
    select change.trace_id, sum(change.steps) as steps, max(change.step_id::text)::uuid as last_step_id
    from unnest(moved) as move
    cross join lateral (
      values ((move.after).trace_id, 1, (move.after).step_id), ((move.before).trace_id, -1, null)
    ) as change (trace_id, steps, step_id)
    where change.trace_id is not null
    group by change.trace_id
  ) as growth
  where traces.tenant_id = owner_id and traces.trace_id = growth.trace_id
    and (growth.steps <> 0 or growth.last_step_id > traces.last_step_id);

  perform internal.correct_counts(owner_id, moved);
  perform internal.add_figures(array(
    select internal.figure_of(move.step, side.placed, side.change)
    from unnest(moved) as move
    cross join lateral (values (move.before, -1), (move.after, 1)) as side (placed, change)
    where (side.placed).step_id is not null and internal.counts_otherwise(move.before, move.after)));
  perform internal.join_sessions(array(
    select internal.member_of_session(move.step, move.after) from unnest(moved) as move
    where (move.before).step_id is null or (move.before).session_id is distinct from (move.after).session_id));
  perform internal.leave_sessions(array(
    select internal.member_of_session(move.step, move.before) from unnest(moved) as move
    where (move.before).step_id is not null and (move.before).session_id is distinct from (move.after).session_id));
end $$;

-- Those of the steps that had no place, or get another one than they had. Whose they are is settled here: the user that they tell,
-- else the one of the spans around them, else their session's.
create function internal.moved_steps(owner_id uuid, placed internal.placed_step[], fold_number bigint)
returns internal.moved_step[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select (said.step, known.placed, settled.placed)::internal.moved_step
    from unnest(moved_steps.placed) as told
    cross join lateral (
      select (select placements from public.placements where placements.step_id = told.step_id) as placed offset 0
    ) as known
    cross join lateral (select internal.counted_step(told.step_id) as step offset 0) as said
    cross join lateral (
      select (
        told.step_id, owner_id, told.trace_id, told.happened_at, told.session_id,
        coalesce((said.step).user_id, told.user_id, (
          select sessions.user_id from public.sessions
          where sessions.tenant_id = owner_id and sessions.id = coalesce((said.step).session_id, told.session_id))),
        told.agent, told.is_wrapper, told.input_tokens, told.output_tokens, told.cached_input_tokens, told.reasoning_tokens,
        told.to_trace_id, moved_steps.fold_number)::public.placements as placed
      offset 0
    ) as settled
    where ( -- but for spans, where they belong is all that can have changed: then the step is not even read
        (known.placed).step_id is null or told.agent is not null
        or ((known.placed).trace_id, (known.placed).to_trace_id) is distinct from (told.trace_id, told.to_trace_id))
      and ((known.placed).step_id is null
        or ((known.placed).trace_id, (known.placed).to_trace_id) is distinct from (told.trace_id, told.to_trace_id)
        or internal.counts_otherwise(known.placed, settled.placed)));
end $$;

-- Whether a step adds something else to the figures in one place than in the other.
create function internal.counts_otherwise(before public.placements, after public.placements) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return before.step_id is null
    or (before.session_id, before.user_id, before.agent, before.is_wrapper, before.input_tokens, before.output_tokens,
        before.cached_input_tokens, before.reasoning_tokens)
      is distinct from
       (after.session_id, after.user_id, after.agent, after.is_wrapper, after.input_tokens, after.output_tokens,
        after.cached_input_tokens, after.reasoning_tokens);
end $$;

-- Steps are counted under the agent that they say, and model calls as such. Where the tree tells otherwise, or tells otherwise
-- than before, the counts are corrected by the difference.
create function internal.correct_counts(owner_id uuid, moved internal.moved_step[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  perform internal.add_counts(array(
    select (
      owner_id, (move.step).list, (move.step).namespace_id, correction.label,
      date_trunc('hour', (move.step).occurred_at, 'UTC'), correction.change)::internal.count_change
    from unnest(correct_counts.moved) as move
    cross join lateral (
      values
        (case when not coalesce((move.before).is_wrapper, false)
           then coalesce((move.before).agent, (move.step).agent) end, -1),
        (case when not (move.after).is_wrapper then coalesce((move.after).agent, (move.step).agent) end, 1)
    ) as correction (label, change)
    where ((move.after).agent is not null or (move.after).is_wrapper)
      and ((move.before).step_id is null
        or ((move.before).agent, (move.before).is_wrapper) is distinct from ((move.after).agent, (move.after).is_wrapper))
      and (move.step).list = 'records' and correction.label is not null));
end $$;
