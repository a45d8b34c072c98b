-- A tenant's rules as clients get them: {version, rules}, version 0 where there are none.
create function internal.current_rules(tenant_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(
    (select jsonb_build_object('version', known.version, 'rules', known.rules)
     from public.anonymization_rules known where known.tenant_id = current_rules.tenant_id),
    '{"version": 0, "rules": {"toggles": {}, "custom": []}}');
end $$;

-- The tenant's content lock. Who stores content holds it together with others (shared) until the end of the transaction. Who
-- has it alone waits for them, and is waited for: a change of the rules, a purge, the deletion of a namespace or a session.
create function internal.content_lock(tenant_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended('content ' || content_lock.tenant_id, 0);
end $$;

-- identify, for a request that brings content. Where that was not redacted by the tenant's current rules (payload.
-- anonymization_version), adds them as {anonymization: {version, rules}}, and where it was not encrypted with the newest key, the
-- keys as {data_keys} (with_key_of_content): then the request must stop here, and the API redacts and encrypts by them and asks
-- again. record_steps, upload_steps and record_scores begin with it.
create function internal.identify_sender(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.as_writer(internal.identify(identify_sender.payload));
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then
    return case when admission ? 'token_id' then internal.count_request(admission, identify_sender.payload) else admission end;
  end if;
  perform pg_advisory_xact_lock_shared(internal.content_lock(owner_id));
  if identify_sender.payload ? 'known_data_key' then
    admission := internal.with_key_of_content(admission, identify_sender.payload);
  end if;
  if coalesce((identify_sender.payload ->> 'anonymization_version')::integer, 0) = coalesce((
    select known.version from public.anonymization_rules known where known.tenant_id = owner_id), 0) then
    return admission;
  end if;
  return admission || jsonb_build_object('anonymization', internal.current_rules(owner_id));
end $$;
