-- What `npm run token` calls. Tokens arrive as SHA-256 in hex; the plain token never leaves the command.

-- A token as the command shows it.
create function public.token_view(token public.tracer_tokens) returns jsonb
language sql stable set search_path = ''
return jsonb_build_object(
  'id', (token_view.token).id,
  'tenant', (select tenants.name from public.tenants where tenants.id = (token_view.token).tenant_id),
  'name', (token_view.token).name,
  'active', (token_view.token).active,
  'expires_at', public.timestamp_text((token_view.token).expires_at),
  'namespaces', (token_view.token).namespaces,
  'created_at', public.timestamp_text((token_view.token).created_at));

-- payload: {tenant, token_hash, name?, namespaces?, expires_at?}. The tenant is created on first use. A token that is
-- known stays as it is (revoked, too) and is returned; another tenant's is an error.
create function public.create_tracer_token(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := create_tracer_token.payload;
  owner_id uuid;
  token public.tracer_tokens;
begin
  insert into public.tenants (name) values (wanted ->> 'tenant') on conflict do nothing;
  select tenants.id into owner_id from public.tenants where tenants.name = wanted ->> 'tenant';

  insert into public.tracer_tokens (tenant_id, token_hash, name, namespaces, expires_at)
  values (owner_id, wanted ->> 'token_hash', wanted ->> 'name',
          (select array_agg(given.namespace) from jsonb_array_elements_text(
             case jsonb_typeof(wanted -> 'namespaces') when 'array' then wanted -> 'namespaces' else '[]' end
           ) as given (namespace)),
          (wanted ->> 'expires_at')::timestamptz)
  on conflict on constraint token_hash_belongs_to_one_token do nothing;

  select tracer_tokens.* into token from public.tracer_tokens
  where tracer_tokens.token_hash = wanted ->> 'token_hash' and tracer_tokens.tenant_id = owner_id;
  if not found then
    raise exception 'This token already belongs to another tenant. Choose another token.'
      using errcode = 'unique_violation';
  end if;
  return public.token_view(token);
end $$;

-- payload: {tenant?}. All tokens, or one tenant's, oldest first.
create function public.list_tracer_tokens(payload jsonb) returns jsonb
language sql stable set search_path = ''
return (
  select coalesce(jsonb_agg(public.token_view(token) order by token.created_at, token.id), '[]')
  from public.tracer_tokens token
  join public.tenants on tenants.id = token.tenant_id
  where list_tracer_tokens.payload ->> 'tenant' is null or tenants.name = list_tracer_tokens.payload ->> 'tenant');

-- payload: {id} or {token_hash}. Returns the token, null if there is none.
create function public.revoke_tracer_token(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  token public.tracer_tokens;
begin
  update public.tracer_tokens set active = false
  where tracer_tokens.id = (revoke_tracer_token.payload ->> 'id')::uuid
     or tracer_tokens.token_hash = revoke_tracer_token.payload ->> 'token_hash'
  returning * into token;
  return case when found then public.token_view(token) end;
end $$;

revoke execute on function
  public.token_view, public.create_tracer_token, public.list_tracer_tokens, public.revoke_tracer_token
  from public, anon, authenticated;
grant execute on function
  public.token_view, public.create_tracer_token, public.list_tracer_tokens, public.revoke_tracer_token
  to service_role;
