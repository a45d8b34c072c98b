-- DELETE /traces/{trace_id}/content. payload.trace_id. Takes away for good what was said in the trace and in all below it, and in
-- the scores of these, and leaves the skeleton: ids, times, counts. Again it changes nothing, but for steps and scores that have
-- come since. data: the trace, as in get_trace.
create function public.purge_trace_content(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  admission jsonb := internal.admit_writer(purge_trace_content.payload);
  owner_id uuid := admission ->> 'tenant_id';
  usable text[];
  purged text[];
begin
  if admission ? 'error' then return admission; end if;
  -- Alone with the tenant's content: steps that are being stored are waited for, and are taken too.
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  -- And with its projections: who has read the steps before is to read them again, in the order of its folds.
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  admission := internal.folded(admission);
  admission := internal.with_trace(admission, purge_trace_content.payload ->> 'trace_id');
  if admission ? 'error' then return admission; end if;
  usable := internal.usable_namespaces(admission);
  purged := internal.traces_below(owner_id, usable, null, admission ->> 'trace_id');

  perform internal.take_content(owner_id, array(
    select placements.step_id
    from unnest(purged) as wanted (trace_id)
    join public.placements on placements.tenant_id = owner_id and placements.trace_id = wanted.trace_id
    where usable is null or internal.namespace_of(placements.step_id) = any (usable)));
  insert into public.purges (tenant_id, trace_id, purged_at)
  select owner_id, wanted.trace_id, now() from unnest(purged) as wanted (trace_id)
  on conflict on constraint trace_knows_its_last_purge do nothing;
  perform internal.purge_scores(owner_id, usable, purged);
  return internal.trace_answer(admission);
end $$;

-- Takes away what was said in these steps, and notes when in their traces. Who has read them before is to read them again: the
-- caller holds the tenant's fold lock.
create function internal.take_content(owner_id uuid, ids uuid[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  emptied uuid[];
  purge_number bigint;
begin
  with taken as (
    update public.steps set
      content = null, error = null,
      name = case when steps.kind in ('llm', 'span') then null else steps.name end -- whatever a program has made of it
    where steps.id = any (take_content.ids) and steps.tenant_id = owner_id
      and (steps.content is not null or steps.error is not null or steps.kind in ('llm', 'span') and steps.name is not null)
    returning steps.id
  )
  select array_agg(taken.id) into emptied from taken;
  if emptied is null then return; end if;
  purge_number := internal.next_fold_number(owner_id);
  with renumbered as (
    update public.placements set fold_number = purge_number where placements.step_id = any (emptied)
    returning placements.trace_id
  )
  insert into public.purges (tenant_id, trace_id, purged_at)
  select distinct owner_id, renumbered.trace_id, now() from renumbered
  on conflict on constraint trace_knows_its_last_purge do update set purged_at = excluded.purged_at;
end $$;
