-- For `npm run keys`. payload: {tenant?}. All data keys, or one tenant's: [{tenant, tenant_id, number, wrapped, master_key,
-- created_at}].
create function public.list_data_keys(payload jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return to_jsonb(array(
    select jsonb_build_object(
      'tenant', tenants.name, 'tenant_id', tenants.id, 'number', data_keys.number, 'wrapped', data_keys.wrapped,
      'master_key', data_keys.master_key, 'created_at', internal.timestamp_text(data_keys.created_at))
    from public.data_keys join public.tenants on tenants.id = data_keys.tenant_id
    where list_data_keys.payload ->> 'tenant' is null or tenants.name = list_data_keys.payload ->> 'tenant'
    order by tenants.name, data_keys.number));
end $$;
