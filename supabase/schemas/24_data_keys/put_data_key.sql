-- For `npm run keys`. payload: {tenant_id, number, wrapped, master_key, instead_of?}. A new data key; or, with `instead_of`, what the
-- one of that number was wrapped as, the same key wrapped by another master key. Answers {done}: not done where somebody else was
-- first.
create function public.put_data_key(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := put_data_key.payload ->> 'tenant_id';
  key_number integer := put_data_key.payload ->> 'number';
begin
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  if put_data_key.payload ? 'instead_of' then
    update public.data_keys
    set wrapped = put_data_key.payload ->> 'wrapped', master_key = put_data_key.payload ->> 'master_key'
    where data_keys.tenant_id = owner_id and data_keys.number = key_number
      and data_keys.wrapped = put_data_key.payload ->> 'instead_of';
  else
    insert into public.data_keys (tenant_id, number, wrapped, master_key)
    values (owner_id, key_number, put_data_key.payload ->> 'wrapped', put_data_key.payload ->> 'master_key')
    on conflict do nothing;
  end if;
  return jsonb_build_object('done', found);
end $$;
