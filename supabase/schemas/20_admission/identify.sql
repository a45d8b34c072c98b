-- Who is asking. Returns {tenant_id, token_id, scope, namespaces, limit}, `namespaces` being the only ones that the token may use
-- (null: any) and `limit` the limit that is set for the token, or else for its tenant (null: neither has one, and the bucket's
-- own counts); or a refusal: invalid_token, token_inactive, token_expired. For an API that encrypts, with_data_keys.
create function internal.identify(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  token record;
  usable text[];
  admission jsonb;
begin
  select tracer_tokens.id, tracer_tokens.tenant_id, tracer_tokens.active, tracer_tokens.expires_at, tracer_tokens.namespaces,
         tracer_tokens.scope,
         tenants.registered_namespaces_only,
         coalesce(tracer_tokens.rate_limits -> (identify.payload ->> 'bucket'),
                  tenants.rate_limits -> (identify.payload ->> 'bucket')) as rate_limit
  into token
  from public.tracer_tokens join public.tenants on tenants.id = tracer_tokens.tenant_id
  where tracer_tokens.token_hash = identify.payload ->> 'token_hash';

  if not found then
    return internal.refusal('invalid_token', 'This tracer token is not known here. Check it for missing characters.');
  end if;
  if not token.active then
    return internal.refusal('token_inactive', 'This tracer token was revoked. Use another one.');
  end if;
  if token.expires_at <= now() then
    return internal.refusal('token_expired',
      format('This tracer token expired at %s. Use another one.', internal.timestamp_text(token.expires_at)));
  end if;

  usable := token.namespaces;
  if token.registered_namespaces_only then
    usable := array(
      select namespaces.name from public.namespaces
      where namespaces.tenant_id = token.tenant_id
        and (token.namespaces is null or namespaces.name = any (token.namespaces)));
  end if;
  admission := jsonb_build_object(
    'tenant_id', token.tenant_id, 'token_id', token.id, 'scope', token.scope, 'namespaces', to_jsonb(usable), 'limit', token.rate_limit);
  if identify.payload ? 'known_data_key' then return internal.with_data_keys(admission, identify.payload); end if;
  return admission;
end $$;

-- The namespaces that an admitted token may use, null for any.
create function internal.usable_namespaces(admission jsonb) returns text[]
language plpgsql immutable set search_path = '' as $$
begin
  if coalesce(jsonb_typeof(admission -> 'namespaces'), 'null') = 'null' then return null; end if;
  return array(select jsonb_array_elements_text(admission -> 'namespaces'));
end $$;

-- Whether an admitted token may use the namespace.
create function internal.may_use_namespace(admission jsonb, namespace text) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(jsonb_typeof(may_use_namespace.admission -> 'namespaces'), 'null') = 'null'
    or may_use_namespace.admission -> 'namespaces' ? may_use_namespace.namespace;
end $$;

-- The refusal forbidden, naming the namespace.
create function internal.namespace_refusal(namespace text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return internal.refusal('forbidden',
    format('This tracer token may not use the namespace "%s".', namespace_refusal.namespace));
end $$;

-- An admission, and the refusal `forbidden` where its token may not use the namespace.
create function internal.in_namespace(admission jsonb, namespace text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if in_namespace.admission ? 'error' or internal.may_use_namespace(in_namespace.admission, in_namespace.namespace) then
    return in_namespace.admission;
  end if;
  return in_namespace.admission || internal.namespace_refusal(in_namespace.namespace);
end $$;

-- An admission, and the refusal `forbidden` where its token may only read: for what writes, takes away or changes rules.
create function internal.as_writer(admission jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if as_writer.admission ->> 'scope' is distinct from 'read' or as_writer.admission ? 'error' then return as_writer.admission; end if;
  return as_writer.admission || internal.refusal('forbidden', 'This tracer token may only read (scope "read").');
end $$;
