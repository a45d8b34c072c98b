-- PUT /anonymization-rules. payload.rules, payload.expected_version?. data: {version, rules}. Refuses forbidden for a token
-- that is bound to namespaces, since the rules are the whole tenant's, and with status 409 when they are not at
-- expected_version.
create function public.put_anonymization_rules(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(put_anonymization_rules.payload);
  owner_id uuid := admission ->> 'tenant_id';
  expected_version integer := put_anonymization_rules.payload ->> 'expected_version';
  current_version integer;
begin
  if admission ? 'error' then return admission; end if;
  if exists (
    select from public.tracer_tokens
    where tracer_tokens.id = (admission ->> 'token_id')::uuid and tracer_tokens.namespaces is not null) then
    return admission || internal.refusal('forbidden',
      'This tracer token is bound to namespaces: it may read the anonymization rules, but not change them.');
  end if;

  -- One change at a time: of two that expect the same version, the second finds the first. And once this has answered,
  -- nothing is stored by the rules of before: see identify_sender.
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  current_version := (internal.current_rules(owner_id) ->> 'version')::integer;
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
  return admission || jsonb_build_object('data', internal.current_rules(owner_id));
end $$;
