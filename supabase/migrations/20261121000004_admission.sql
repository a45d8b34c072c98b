-- Admission begins every request. A request function takes one `payload jsonb`, always with {request_id, token_hash,
-- bucket, limit}, and returns one envelope: what admission found out, and {data} or {error: {code, message}}. Refusals are
-- returned, never raised, so that what admission counted commits.

-- An expected refusal, with a code of the API's error table.
create function public.refusal(code text, message text) returns jsonb
language sql immutable set search_path = ''
return jsonb_build_object('error', jsonb_build_object('code', refusal.code, 'message', refusal.message));

-- The envelope with one more thing that went wrong without stopping the request. The API logs them.
create function public.with_warning(envelope jsonb, message text) returns jsonb
language sql immutable set search_path = ''
return with_warning.envelope || jsonb_build_object(
  'warnings', coalesce(with_warning.envelope -> 'warnings', '[]') || to_jsonb(with_warning.message));

-- Who is asking. Returns {tenant_id, token_id, namespaces}, `namespaces` being the only ones that the token may use
-- (null: any), or a refusal: invalid_token, token_inactive, token_expired.
create function public.identify(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  token public.tracer_tokens;
  usable text[];
begin
  select tracer_tokens.* into token from public.tracer_tokens
  where tracer_tokens.token_hash = identify.payload ->> 'token_hash';

  if not found then
    return public.refusal('invalid_token', 'This tracer token is not known here. Check it for missing characters.');
  end if;
  if not token.active then
    return public.refusal('token_inactive', 'This tracer token was revoked. Use another one.');
  end if;
  if token.expires_at <= now() then
    return public.refusal('token_expired',
      format('This tracer token expired at %s. Use another one.', public.timestamp_text(token.expires_at)));
  end if;

  usable := token.namespaces;
  if (select tenants.registered_namespaces_only from public.tenants where tenants.id = token.tenant_id) then
    usable := array(
      select namespaces.name from public.namespaces
      where namespaces.tenant_id = token.tenant_id
        and (token.namespaces is null or namespaces.name = any (token.namespaces)));
  end if;
  return jsonb_build_object(
    'tenant_id', token.tenant_id, 'token_id', token.id, 'namespaces', to_jsonb(usable));
end $$;

-- Who is asking, and may they pass: identify, then count_request.
create function public.admit(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.identify(admit.payload);
begin
  if admission ? 'error' then return admission; end if;
  return public.count_request(admission, admit.payload);
end $$;

-- Whether the admitted token may use a namespace: any of its tenant's, unless it is bound to some.
create function public.may_use_namespace(admission jsonb, namespace text) returns boolean
language sql immutable set search_path = ''
return coalesce(jsonb_typeof(may_use_namespace.admission -> 'namespaces'), 'null') = 'null'
  or may_use_namespace.admission -> 'namespaces' ? may_use_namespace.namespace;

-- The refusal for a namespace that the token may not use. It says nothing of whether the namespace exists.
create function public.namespace_refusal(namespace text) returns jsonb
language sql immutable set search_path = ''
return public.refusal('forbidden',
  format('This tracer token may not use the namespace "%s".', namespace_refusal.namespace));

-- admit, for a request about one namespace: also refuses `forbidden` when the token may not use it.
create function public.admit_to_namespace(payload jsonb, namespace text) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(admit_to_namespace.payload);
begin
  if admission ? 'error' or public.may_use_namespace(admission, admit_to_namespace.namespace) then
    return admission;
  end if;
  return admission || public.namespace_refusal(admit_to_namespace.namespace);
end $$;

-- A tenant's namespace by its name, null when it is not there.
create function public.namespace_id(tenant_id uuid, name text) returns bigint
language sql stable set search_path = ''
return (
  select namespaces.id from public.namespaces
  where namespaces.tenant_id = namespace_id.tenant_id and namespaces.name = namespace_id.name);

-- A moment as clients get it: RFC 3339 in UTC, with milliseconds, or microseconds where there are any.
create function public.timestamp_text(moment timestamptz) returns text
language sql stable set search_path = ''
return regexp_replace(
  to_char(timestamp_text.moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '000$', '') || 'Z';

revoke execute on function
  public.refusal, public.with_warning, public.identify, public.admit, public.admit_to_namespace,
  public.may_use_namespace, public.namespace_refusal, public.namespace_id, public.timestamp_text
  from public, anon, authenticated;
grant execute on function
  public.refusal, public.with_warning, public.identify, public.admit, public.admit_to_namespace,
  public.may_use_namespace, public.namespace_refusal, public.namespace_id, public.timestamp_text
  to service_role;
