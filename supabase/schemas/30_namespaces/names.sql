-- The id of a tenant's namespace, null where there is none.
create function internal.namespace_id(tenant_id uuid, name text) returns bigint
language plpgsql stable set search_path = '' as $$
begin
  return (
    select namespaces.id from public.namespaces
    where namespaces.tenant_id = namespace_id.tenant_id and namespaces.name = namespace_id.name);
end $$;

-- The ids of the namespaces that the token may use; of these, where one is named, only that.
create function internal.namespaces_in_sight(admission jsonb, namespace text) returns bigint[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  usable text[] := internal.usable_namespaces(admission);
begin
  return array(
    select namespaces.id from public.namespaces
    where namespaces.tenant_id = (admission ->> 'tenant_id')::uuid
      and (usable is null or namespaces.name = any (usable))
      and (namespaces_in_sight.namespace is null or namespaces.name = namespaces_in_sight.namespace));
end $$;

-- A namespace as clients get it.
create function internal.namespace_view(namespace public.namespaces) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'namespace', (namespace_view.namespace).name,
    'created_at', internal.timestamp_text((namespace_view.namespace).created_at));
end $$;

-- Sessions: create, and get-or-create.

-- Makes sure that these namespaces of the tenant exist: first use registers.
-- Ordered, so that two requests registering the same names never wait for each other in a circle.
create function internal.register_namespaces(tenant_id uuid, names text[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.namespaces (tenant_id, name)
  select distinct register_namespaces.tenant_id, wanted.name
  from unnest(register_namespaces.names) as wanted (name)
  where not exists (
    select from public.namespaces known
    where known.tenant_id = register_namespaces.tenant_id and known.name = wanted.name)
  order by wanted.name
  on conflict do nothing;
end $$;
