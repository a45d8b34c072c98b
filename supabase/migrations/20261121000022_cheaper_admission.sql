-- Admission in fewer and cheaper statements, and fewer foreign keys to check.

-- Each of these rows names its tenant by its namespace, too: that one foreign key ensures both, and is checked for every row.
alter table public.records drop constraint records_tenant_id_fkey;
alter table public.logs drop constraint logs_tenant_id_fkey;
alter table public.traces drop constraint traces_tenant_id_fkey;
alter table public.agents drop constraint agents_tenant_id_fkey;
alter table public.sessions drop constraint sessions_tenant_id_fkey;

-- Small functions again, now in PL/pgSQL: one in SQL that has a search_path of its own is planned anew in every statement
-- that calls it, which takes longer than all that it does.
create or replace function public.refusal(code text, message text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return jsonb_build_object('error', jsonb_build_object('code', refusal.code, 'message', refusal.message));
end $$;

create or replace function public.with_warning(envelope jsonb, message text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return with_warning.envelope || jsonb_build_object(
    'warnings', coalesce(with_warning.envelope -> 'warnings', '[]') || to_jsonb(with_warning.message));
end $$;

create or replace function public.may_use_namespace(admission jsonb, namespace text) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(jsonb_typeof(may_use_namespace.admission -> 'namespaces'), 'null') = 'null'
    or may_use_namespace.admission -> 'namespaces' ? may_use_namespace.namespace;
end $$;

create or replace function public.namespace_refusal(namespace text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return public.refusal('forbidden',
    format('This tracer token may not use the namespace "%s".', namespace_refusal.namespace));
end $$;

create or replace function public.namespace_id(tenant_id uuid, name text) returns bigint
language plpgsql stable set search_path = '' as $$
begin
  return (
    select namespaces.id from public.namespaces
    where namespaces.tenant_id = namespace_id.tenant_id and namespaces.name = namespace_id.name);
end $$;

create or replace function public.timestamp_text(moment timestamptz) returns text
language plpgsql stable set search_path = '' as $$
begin
  return regexp_replace(
    to_char(timestamp_text.moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '000$', '') || 'Z';
end $$;

create or replace function public.new_public_id(prefix text) returns text
language plpgsql volatile set search_path = '' as $$
begin
  return new_public_id.prefix || left(translate(
    encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'), E'+/=\n', ''), 16);
end $$;

create or replace function public.trees_lock(namespace_id bigint) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended('trees of ' || trees_lock.namespace_id, 0);
end $$;

-- Who is asking. Returns {tenant_id, token_id, namespaces, limit}, `namespaces` being the only ones that the token may use
-- (null: any) and `limit` what the token or its tenant has instead of the bucket's own (null: that one); or a refusal:
-- invalid_token, token_inactive, token_expired.
create or replace function public.identify(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  token record;
  usable text[];
begin
  select tracer_tokens.id, tracer_tokens.tenant_id, tracer_tokens.active, tracer_tokens.expires_at, tracer_tokens.namespaces,
         tenants.registered_namespaces_only,
         coalesce(tracer_tokens.rate_limits -> (identify.payload ->> 'bucket'),
                  tenants.rate_limits -> (identify.payload ->> 'bucket')) as rate_limit
  into token
  from public.tracer_tokens join public.tenants on tenants.id = tracer_tokens.tenant_id
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
  if token.registered_namespaces_only then
    usable := array(
      select namespaces.name from public.namespaces
      where namespaces.tenant_id = token.tenant_id
        and (token.namespaces is null or namespaces.name = any (token.namespaces)));
  end if;
  return jsonb_build_object(
    'tenant_id', token.tenant_id, 'token_id', token.id, 'namespaces', to_jsonb(usable), 'limit', token.rate_limit);
end $$;

-- The namespaces that an admitted token may use, null for any.
create function public.usable_namespaces(admission jsonb) returns text[]
language plpgsql immutable set search_path = '' as $$
begin
  if coalesce(jsonb_typeof(admission -> 'namespaces'), 'null') = 'null' then return null; end if;
  return array(select jsonb_array_elements_text(admission -> 'namespaces'));
end $$;

-- The step of admission that counts. The limit is the token's own, else its tenant's, else payload.limit, the bucket's
-- default. Adds {rate_limit: {bucket, limit, remaining, reset}}, reset in seconds, and refuses rate_limit_exceeded. Fails
-- open: whatever breaks here becomes a warning, and the request goes on without a limit.
create or replace function public.count_request(admission jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  bucket text := count_request.payload ->> 'bucket';
  allowed integer := coalesce(nullif(admission -> 'limit', 'null'), count_request.payload -> 'limit');
  counted integer;
  reset integer;
  counted_admission jsonb;
begin
  counted := public.monkai_increment_rate_limit((admission ->> 'token_id')::uuid, bucket);
  if counted is null or allowed is null then raise exception 'there is no count or no limit'; end if;
  reset := ceil(60 - extract(second from clock_timestamp()));
  counted_admission := admission || jsonb_build_object('rate_limit', jsonb_build_object(
    'bucket', bucket, 'limit', allowed, 'remaining', greatest(allowed - counted, 0), 'reset', reset));
  if counted <= allowed then return counted_admission; end if;

  return (counted_admission - array['data', 'replay']) || public.refusal('rate_limit_exceeded', format(
    'The limit of %s requests per minute in the bucket "%s" is used up. Wait %s seconds.', allowed, bucket, reset));
exception when others then
  return public.with_warning(admission, 'Rate limiting is off for this request: ' || sqlerrm);
end $$;

-- identify, for a request that brings content. Where that was not redacted by the tenant's current rules (payload.
-- anonymization_version), adds them as {anonymization: {version, rules}}: then the request must stop here, and the API
-- redacts by them and asks again. record_traces and upload_items begin with it.
create or replace function public.identify_sender(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.identify(identify_sender.payload);
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then return admission; end if;
  if coalesce((identify_sender.payload ->> 'anonymization_version')::integer, 0) = coalesce((
    select known.version from public.anonymization_rules known where known.tenant_id = owner_id), 0) then
    return admission;
  end if;
  return admission || jsonb_build_object('anonymization', public.current_rules(owner_id));
end $$;

revoke execute on function
  public.usable_namespaces
  from public, anon, authenticated;
grant execute on function
  public.usable_namespaces
  to service_role;
