-- GET /namespaces. data: {namespaces: [{namespace, created_at}]}, those that the token may use, by name.
create function public.list_namespaces(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(list_namespaces.payload);
begin
  if admission ? 'error' then return admission; end if;

  return admission || jsonb_build_object('data', jsonb_build_object('namespaces', (
    select coalesce(jsonb_agg(internal.namespace_view(namespace) order by namespace.name), '[]')
    from public.namespaces namespace
    where namespace.tenant_id = (admission ->> 'tenant_id')::uuid
      and internal.may_use_namespace(admission, namespace.name))));
end $$;
