-- Whether an instance of the API knows the data keys that a tenant has now. payload.known_data_key, which only an API that encrypts
-- sends: the number of the newest one that it knows, 0 for none.

-- An admission, and all data keys of the tenant as {data_keys: [{number, wrapped, master_key}]} where they are not known there.
create function internal.with_data_keys(admission jsonb, payload jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
begin
  if coalesce((select max(data_keys.number) from public.data_keys where data_keys.tenant_id = owner_id), 0)
    = (with_data_keys.payload ->> 'known_data_key')::integer then
    return admission;
  end if;
  return admission || jsonb_build_object('data_keys', internal.data_keys_of(owner_id));
end $$;

-- The same for a request that brings content, under the tenant's content lock: where that was not encrypted with the newest key, the
-- request must stop here, and the API encrypts anew. payload.new_data_key: one that the API has made, taken where there is none.
create function internal.with_key_of_content(admission jsonb, payload jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
  made jsonb := with_key_of_content.payload -> 'new_data_key';
  newest public.data_keys;
begin
  if made is not null then
    insert into public.data_keys (tenant_id, number, wrapped, master_key)
    select owner_id, (made ->> 'number')::integer, made ->> 'wrapped', made ->> 'master_key'
    where not exists (select from public.data_keys where data_keys.tenant_id = owner_id and data_keys.wrapped is not null)
    on conflict do nothing; -- another request was first
  end if;
  select data_keys.* into newest from public.data_keys
  where data_keys.tenant_id = owner_id order by data_keys.number desc limit 1;
  if newest.wrapped = coalesce(made ->> 'wrapped', newest.wrapped)
    and newest.number = (with_key_of_content.payload ->> 'known_data_key')::integer then
    return admission - 'data_keys';
  end if;
  return admission || jsonb_build_object('data_keys', internal.data_keys_of(owner_id));
end $$;

-- The same for a request that brings a session's metadata, which is counted when it is let in: what to answer, null where it goes on.
-- Encrypted metadata is a text, which no client can send.
create function internal.stopped_for_data_keys(payload jsonb, metadata jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  admission jsonb;
begin
  if jsonb_typeof(stopped_for_data_keys.metadata) is distinct from 'string' then return null; end if;
  admission := internal.as_writer(internal.identify(stopped_for_data_keys.payload));
  if admission ? 'error' then return null; end if; -- it is told when the request is counted
  perform pg_advisory_xact_lock_shared(internal.content_lock((admission ->> 'tenant_id')::uuid));
  admission := internal.with_key_of_content(admission, stopped_for_data_keys.payload);
  return case when admission ? 'data_keys' then admission end;
end $$;

create function internal.data_keys_of(owner_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return to_jsonb(array(
    select jsonb_build_object('number', data_keys.number, 'wrapped', data_keys.wrapped, 'master_key', data_keys.master_key)
    from public.data_keys where data_keys.tenant_id = owner_id order by data_keys.number));
end $$;
