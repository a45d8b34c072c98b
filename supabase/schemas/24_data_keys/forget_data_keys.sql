-- For `npm run keys`. payload: {tenant}. Forgets all data keys of a tenant, for good: nothing that they encrypted can be read any more.
-- One more number is used up, by which every instance of the API that knows them learns of it. Answers {forgotten}, how many.
create function public.forget_data_keys(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := (select tenants.id from public.tenants where tenants.name = forget_data_keys.payload ->> 'tenant');
  forgotten integer;
begin
  perform pg_advisory_xact_lock(internal.content_lock(owner_id)); -- what is being stored is forgotten, too
  update public.data_keys set wrapped = null, master_key = null
  where data_keys.tenant_id = owner_id and data_keys.wrapped is not null;
  get diagnostics forgotten = row_count;
  if forgotten > 0 then
    insert into public.data_keys (tenant_id, number)
    select owner_id, max(data_keys.number) + 1 from public.data_keys where data_keys.tenant_id = owner_id;
  end if;
  return jsonb_build_object('forgotten', forgotten);
end $$;

-- Whether a session's metadata (`"NUMBER.BASE64"`) was encrypted with a data key that was forgotten.
create function internal.is_forgotten(owner_id uuid, metadata jsonb) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_typeof(is_forgotten.metadata) = 'string' and exists (
    select from public.data_keys
    where data_keys.tenant_id = owner_id and data_keys.wrapped is null
      and data_keys.number = split_part(is_forgotten.metadata #>> '{}', '.', 1)::integer);
end $$;
