-- PUT /anonymization-rules. payload.rules, payload.expected_version?. data: {version, rules}. Refuses as admit_to_change and
-- at_version do.
create function public.put_anonymization_rules(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_to_change(put_anonymization_rules.payload, 'the anonymization rules');
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then return admission; end if;
  -- Once this has answered, nothing is stored by the rules of before: see identify_sender.
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  admission := internal.at_version(
    admission, 'the anonymization rules', (internal.current_rules(owner_id) ->> 'version')::integer,
    put_anonymization_rules.payload ->> 'expected_version');
  if admission ? 'error' then return admission; end if;

  insert into public.anonymization_rules as known (tenant_id, rules)
  values (owner_id, put_anonymization_rules.payload -> 'rules')
  on conflict on constraint anonymization_rules_pkey
    do update set rules = excluded.rules, version = known.version + 1, updated_at = now();
  return admission || jsonb_build_object('data', internal.current_rules(owner_id));
end $$;
