-- Throws a tenant's projections away and derives them anew from its steps. For steps that came or went behind the API's back, as
-- by a restore without triggers: `select public.rebuild('{"tenant": "acme"}')`. Its writers and readers wait meanwhile.
create function public.rebuild(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := (select tenants.id from public.tenants where tenants.name = rebuild.payload ->> 'tenant');
begin
  if owner_id is null then raise exception 'There is no tenant "%".', rebuild.payload ->> 'tenant'; end if;
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  perform internal.forget_projections(owner_id);
  perform internal.count_past(owner_id);
  perform internal.note_rebuilds(array(
    select distinct tree from public.steps cross join lateral internal.trees_of_step(steps) as tree
    where steps.tenant_id = owner_id));
  perform internal.add_counts(array(
    select (owner_id, steps.list, steps.namespace_id, case steps.list when 'logs' then steps.level else steps.agent end,
            date_trunc('hour', steps.occurred_at, 'UTC'), count(*))::internal.count_change
    from public.steps where steps.tenant_id = owner_id and steps.list <> 'spans'
    group by steps.list, steps.namespace_id, case steps.list when 'logs' then steps.level else steps.agent end,
             date_trunc('hour', steps.occurred_at, 'UTC')));
  perform internal.list_session_without_steps(sessions.tenant_id, sessions.id, sessions.namespace_id)
  from public.sessions where sessions.tenant_id = owner_id and sessions.was_created;
  while not internal.fold(owner_id, 10000) loop null; end loop;
  return jsonb_build_object(
    'steps', (select count(*) from public.steps where steps.tenant_id = owner_id),
    'traces', (select count(*) from public.traces where traces.tenant_id = owner_id));
end $$;

create function internal.forget_projections(owner_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  delete from public.changes where changes.tenant_id = owner_id;
  delete from public.rebuilds where rebuilds.tenant_id = owner_id;
  delete from public.placements where placements.tenant_id = owner_id;
  delete from public.traces where traces.tenant_id = owner_id;
  delete from public.trees where trees.tenant_id = owner_id;
  delete from public.usage where usage.tenant_id = owner_id and usage.grain <> 'past';
  delete from public.session_summaries where session_summaries.tenant_id = owner_id;
  delete from public.counts where counts.tenant_id = owner_id;
end $$;
