-- A page of GET /files/{file_id}/download. payload.query: {file_id, limit, bytes, after?}. data: {rows, next}: the steps of the
-- trace in the order in which they happened, each a step_view with `step_number`, its number in the order of arrival. A token
-- sees those in the namespaces that it may use.
create function public.export_file(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  query jsonb := export_file.payload -> 'query';
  admission jsonb := internal.folded(internal.admit_page(export_file.payload));
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(admission);
  wanted integer := (query ->> 'limit')::integer + 1;
  after_time timestamptz := query #>> '{after,occurred_at}';
  after_id uuid := query #>> '{after,id}';
  kept jsonb := internal.kept(owner_id);
  source refcursor;
begin
  admission := internal.with_file(admission, query ->> 'file_id');
  if admission ? 'error' then return admission; end if;
  open source for -- with a limit, so that each view is made when it is fetched
    select internal.step_view(steps, namespaces.name, kept) || jsonb_build_object('step_number', placed.number) as view,
           placed.happened_at as moment, placed.step_id as id
    from (
      select numbered.* from (
        select placements.step_id, placements.happened_at, row_number() over (order by placements.step_id) as number
        from public.placements
        where placements.tenant_id = owner_id and placements.trace_id = admission ->> 'trace_id'
      ) as numbered
      where after_time is null or (numbered.happened_at, numbered.step_id) > (after_time, after_id)
      order by numbered.happened_at, numbered.step_id limit wanted * case when usable is null and kept is null then 1 else 1000000 end
    ) as placed
    join public.steps on steps.id = placed.step_id
    join public.namespaces on namespaces.id = steps.namespace_id
    where (usable is null or namespaces.name = any (usable))
      and (kept is null or internal.is_kept(kept, steps.namespace_id, steps.id))
    order by placed.happened_at, placed.step_id
    limit wanted;
  return admission || jsonb_build_object(
    'data', internal.page_of(source, (query ->> 'limit')::integer, (query ->> 'bytes')::integer));
end $$;
