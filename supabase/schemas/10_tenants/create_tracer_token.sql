-- payload: {tenant, token_hash, name?, namespaces?, scope?, expires_at?, refuse_similar?}. The tenant is created on first use; with
-- refuse_similar not beside one of nearly its name: tenant_too_similar. A token that is known stays as it is (revoked, too) and is
-- returned; another tenant's is token_taken.
create function public.create_tracer_token(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := create_tracer_token.payload;
  owner_id uuid;
  similar_name text;
  token public.tracer_tokens;
begin
  if (wanted ->> 'refuse_similar')::boolean then
    similar_name := internal.similar_tenant(wanted ->> 'tenant');
    if similar_name is not null then
      return internal.refusal('tenant_too_similar',
        format('There is no tenant "%s", but one called "%s".', wanted ->> 'tenant', similar_name));
    end if;
  end if;

  insert into public.tenants (name) values (wanted ->> 'tenant') on conflict do nothing;
  select tenants.id into owner_id from public.tenants where tenants.name = wanted ->> 'tenant';

  insert into public.tracer_tokens (tenant_id, token_hash, name, namespaces, scope, expires_at)
  values (owner_id, wanted ->> 'token_hash', wanted ->> 'name',
          (select array_agg(given.namespace) from jsonb_array_elements_text(
             case jsonb_typeof(wanted -> 'namespaces') when 'array' then wanted -> 'namespaces' else '[]' end
           ) as given (namespace)),
          coalesce(wanted ->> 'scope', 'all'),
          (wanted ->> 'expires_at')::timestamptz)
  on conflict on constraint token_hash_belongs_to_one_token do nothing;

  select tracer_tokens.* into token from public.tracer_tokens
  where tracer_tokens.token_hash = wanted ->> 'token_hash' and tracer_tokens.tenant_id = owner_id;
  if not found then
    return internal.refusal('token_taken', 'This token already belongs to another tenant. Choose another token.');
  end if;
  return internal.token_view(token);
end $$;

-- The name of a tenant that is easily taken for this one, which is not there; else null.
create function internal.similar_tenant(name text) returns text
language plpgsql stable set search_path = '' as $$
begin
  if exists (select from public.tenants where tenants.name = similar_tenant.name) then return null; end if;
  return (
    select min(tenants.name) from public.tenants
    where internal.names_are_similar(tenants.name, similar_tenant.name));
end $$;

-- A token as `npm run token` shows it.
create function internal.token_view(token public.tracer_tokens) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', (token_view.token).id,
    'tenant', (select tenants.name from public.tenants where tenants.id = (token_view.token).tenant_id),
    'name', (token_view.token).name,
    'active', (token_view.token).active,
    'expires_at', internal.timestamp_text((token_view.token).expires_at),
    'namespaces', (token_view.token).namespaces,
    'scope', (token_view.token).scope,
    'created_at', internal.timestamp_text((token_view.token).created_at));
end $$;
