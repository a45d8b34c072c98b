-- Deleting, as who runs this may: a tenant, a namespace, a session or some steps, by plain `delete`. What follows from the steps
-- that are gone goes too, at the next fold.

-- With a namespace or a session its steps and scores are deleted. Alone with the tenant's content, so that none comes to it
-- meanwhile. Before the namespace goes, whose name is still needed to fold (its scores have a foreign key); after the session is
-- gone, whose activity folding would note.
create function internal.delete_steps_with_owner() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(internal.content_lock(old.tenant_id));
  perform pg_advisory_xact_lock(internal.fold_lock(old.tenant_id));
  if tg_table_name = 'sessions' then
    perform internal.delete_scores_of_session(old.tenant_id, old.id);
    delete from public.steps where steps.tenant_id = old.tenant_id and steps.session_id = old.id;
    delete from public.session_summaries
    where session_summaries.tenant_id = old.tenant_id and session_summaries.session_id = old.id
      and session_summaries.step_count = 0;
  else
    delete from public.steps where steps.tenant_id = old.tenant_id and steps.namespace_id = old.id;
    delete from public.usage where usage.tenant_id = old.tenant_id and usage.namespace_id = old.id; -- the past is left
  end if;
  return old;
end $$;
create trigger steps_go_with_their_session after delete on public.sessions
  for each row execute function internal.delete_steps_with_owner();
create trigger steps_go_with_their_namespace before delete on public.namespaces
  for each row execute function internal.delete_steps_with_owner();

-- Before a tenant is deleted: everything that it has and that no foreign key takes along.
create function internal.delete_all_of_tenant() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(internal.content_lock(old.id));
  perform pg_advisory_xact_lock(internal.fold_lock(old.id));
  delete from public.steps where steps.tenant_id = old.id;
  perform internal.forget_projections(old.id);
  delete from public.usage where usage.tenant_id = old.id;
  delete from public.folds where folds.tenant_id = old.id;
  return old;
end $$;
create trigger everything_goes_with_its_tenant before delete on public.tenants
  for each row execute function internal.delete_all_of_tenant();

-- After steps were deleted: they are not counted any more, and their trees are to be derived from the steps that are left. What
-- is not folded yet was not counted either. The lock first, in a statement of its own, so that this is known for sure.
create function internal.take_back_steps() returns trigger
language plpgsql set search_path = '' as $$
declare
  owner_id uuid;
  moved internal.moved_step[]; -- those that had a place
begin
  for owner_id in select distinct gone.tenant_id from gone order by 1 loop
    perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  end loop;
  perform internal.add_counts(array(
    select (gone.tenant_id, gone.list, gone.namespace_id, counted.label, date_trunc('hour', gone.occurred_at, 'UTC'),
            sum(counted.change))::internal.count_change
    from gone
    cross join lateral (
      select case gone.list when 'logs' then gone.level else gone.agent end as label, -1 as change
      where coalesce(gone.id > (
        select changes.last_step_id from public.changes
        where changes.tenant_id = gone.tenant_id and changes.first_step_id <= gone.id
        order by changes.first_step_id desc limit 1), true)
      union all -- the correction of what is counted otherwise than it says (internal.correct_counts)
      select correction.label, correction.change
      from public.placements
      cross join lateral (
        values (gone.agent, 1), (case when not placements.is_wrapper then placements.agent end, -1)
      ) as correction (label, change)
      where placements.step_id = gone.id and placements.agent is not null and gone.list = 'records'
        and correction.label is not null
    ) as counted
    where gone.list <> 'spans'
    group by gone.tenant_id, gone.list, gone.namespace_id, counted.label, date_trunc('hour', gone.occurred_at, 'UTC')));

  moved := array(
    select (
      (gone.id, gone.tenant_id, gone.namespace_id, gone.session_id, gone.list, gone.kind, gone.name, gone.agent, gone.status,
       gone.model, gone.started_at, gone.occurred_at, gone.latency_ms, gone.input_tokens, gone.cached_input_tokens,
       gone.output_tokens, gone.reasoning_tokens, gone.user_id)::internal.counted_step, placements, null)::internal.moved_step
    from gone join public.placements on placements.step_id = gone.id);
  delete from public.placements where placements.step_id in (select (move.before).step_id from unnest(moved) as move);
  perform internal.add_figures(array(
    select internal.figure_of(move.step, move.before, -1) from unnest(moved) as move));
  perform internal.leave_sessions(array(
    select internal.member_of_session(move.step, move.before) from unnest(moved) as move));
  update public.traces set step_count = traces.step_count - emptied.steps
  from (
    select (move.before).tenant_id, (move.before).trace_id, count(*) as steps from unnest(moved) as move group by 1, 2
  ) as emptied
  where traces.tenant_id = emptied.tenant_id and traces.trace_id = emptied.trace_id;

  perform internal.note_rebuilds(array(
    select distinct tree from gone cross join lateral internal.trees_of_step(gone::public.steps) as tree));
  return null;
end $$;
create trigger deleted_steps_are_taken_back after delete on public.steps
  referencing old table as gone for each statement execute function internal.take_back_steps();

-- Steps are never changed, but for taking away what was said.
create function internal.refuse_change_of_step() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'A step is never changed: what follows from it was derived already. Only what was said may be taken away.';
end $$;
create trigger steps_are_never_changed after update on public.steps for each row
  when ((to_jsonb(old) - array['content', 'error', 'name', 'bytes', 'preview'])
      is distinct from (to_jsonb(new) - array['content', 'error', 'name', 'bytes', 'preview'])
    or (old.name is distinct from new.name and new.name is not null))
  execute function internal.refuse_change_of_step();
