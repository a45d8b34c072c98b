-- Anonymization while it is in use: the rules do not change under a request that stores by them, and messages that only became
-- equal by it are not duplicates.

-- What the lock on a tenant's rules is called.
create function public.anonymization_lock(tenant_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended('anonymization_rules' || anonymization_lock.tenant_id, 0);
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
  -- Until the end of the transaction: a change of the rules waits for those that store by the old ones.
  perform pg_advisory_xact_lock_shared(public.anonymization_lock(owner_id));
  if coalesce((identify_sender.payload ->> 'anonymization_version')::integer, 0) = coalesce((
    select known.version from public.anonymization_rules known where known.tenant_id = owner_id), 0) then
    return admission;
  end if;
  return admission || jsonb_build_object('anonymization', public.current_rules(owner_id));
end $$;

-- PUT /anonymization-rules. payload.rules, payload.expected_version?. data: {version, rules}. Refuses forbidden for a token
-- that is bound to namespaces, since the rules are the whole tenant's, and with status 409 when they are not at
-- expected_version.
create or replace function public.put_anonymization_rules(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(put_anonymization_rules.payload);
  owner_id uuid := admission ->> 'tenant_id';
  expected_version integer := put_anonymization_rules.payload ->> 'expected_version';
  current_version integer;
begin
  if admission ? 'error' then return admission; end if;
  if exists (
    select from public.tracer_tokens
    where tracer_tokens.id = (admission ->> 'token_id')::uuid and tracer_tokens.namespaces is not null) then
    return admission || public.refusal('forbidden',
      'This tracer token is bound to namespaces: it may read the anonymization rules, but not change them.');
  end if;

  -- One change at a time: of two that expect the same version, the second finds the first. And once this has answered,
  -- nothing is stored by the rules of before: see identify_sender.
  perform pg_advisory_xact_lock(public.anonymization_lock(owner_id));
  current_version := (public.current_rules(owner_id) ->> 'version')::integer;
  if expected_version <> current_version then
    return admission || jsonb_build_object('error', jsonb_build_object(
      'code', 'bad_request', 'status', 409, 'version', current_version,
      'message', format('The rules are at version %s by now, not at the expected_version %s. Read them and try again.',
                        current_version, expected_version)));
  end if;

  insert into public.anonymization_rules as known (tenant_id, rules)
  values (owner_id, put_anonymization_rules.payload -> 'rules')
  on conflict on constraint anonymization_rules_pkey
    do update set rules = excluded.rules, version = known.version + 1, updated_at = now();
  return admission || jsonb_build_object('data', public.current_rules(owner_id));
end $$;

comment on column public.record_fingerprints.fingerprint is
  'SHA-256 of namespace, session, agent, message (as it was sent, hashed by the API) and, when the client gave one, inserted_at.';

-- Which of the messages were stored within the last 60 seconds, or stand in this request already: their indexes. The
-- others are noted. The primary key settles it: of two uploads at once, the second waits for the first. In the order of
-- the fingerprints, so that two uploads of the same records never wait for each other in a circle.
create or replace function public.duplicate_records(tenant_id uuid, items jsonb) returns integer[]
language plpgsql set search_path = '' as $$
declare
  fresh integer[];
begin
  with item as (
    select item.index, sha256(convert_to(jsonb_build_array(
             item.namespace, item.session_id, item.agent, coalesce(to_jsonb(item.message_hash), item.content -> 'msg'),
             item.occurred_at)::text, 'UTF8'
           )) as fingerprint
    from jsonb_to_recordset(duplicate_records.items)
      as item (
        index integer, type text, namespace text, session_id text, agent text, occurred_at text, message_hash text,
        content jsonb)
    where item.type = 'message'
  ), first as (
    select distinct on (item.fingerprint) item.fingerprint, item.index from item order by item.fingerprint, item.index
  ), noted as (
    insert into public.record_fingerprints as known (tenant_id, fingerprint)
    select duplicate_records.tenant_id, first.fingerprint from first order by first.fingerprint
    on conflict on constraint record_fingerprint_is_unique_within_its_tenant
      do update set stored_at = excluded.stored_at where known.stored_at <= now() - interval '60 seconds'
    returning known.fingerprint
  )
  select array_agg(first.index) into fresh from noted join first using (fingerprint);

  return array(
    select item.index from jsonb_to_recordset(duplicate_records.items) as item (index integer, type text)
    where item.type = 'message' and item.index <> all (coalesce(fresh, '{}')) order by item.index);
end $$;

revoke execute on function
  public.anonymization_lock
  from public, anon, authenticated;
grant execute on function
  public.anonymization_lock
  to service_role;
