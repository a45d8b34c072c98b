-- Anonymization: each tenant's rules, and the guard that nothing is stored that was not redacted by the current ones. The
-- redaction itself is the API's: its regular expressions (RE2) take linear time, those of Postgres may not.

create table public.anonymization_rules (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  version integer not null default 1,
  rules jsonb not null,
  updated_at timestamptz not null default now(),
  constraint anonymization_version_is_positive check (version > 0),
  constraint anonymization_rules_have_toggles_and_custom_ones
    check (jsonb_typeof(rules -> 'toggles') = 'object' and jsonb_typeof(rules -> 'custom') = 'array')
);

comment on column public.anonymization_rules.rules is '{toggles: {class: boolean}, custom: [{name, pattern, replacement}]}';

alter table public.anonymization_rules enable row level security;
revoke all on table public.anonymization_rules from public, anon, authenticated;
grant select, insert, update, delete on table public.anonymization_rules to service_role;

-- A tenant's rules as clients get them: {version, rules}, version 0 where there are none.
create function public.current_rules(tenant_id uuid) returns jsonb
language sql stable set search_path = ''
return coalesce(
  (select jsonb_build_object('version', known.version, 'rules', known.rules)
   from public.anonymization_rules known where known.tenant_id = current_rules.tenant_id),
  '{"version": 0, "rules": {"toggles": {}, "custom": []}}');

-- GET /anonymization-rules. data: {version, rules}.
create function public.get_anonymization_rules(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(get_anonymization_rules.payload);
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', public.current_rules((admission ->> 'tenant_id')::uuid));
end $$;

-- PUT /anonymization-rules. payload.rules, payload.expected_version?. data: {version, rules}. Refuses forbidden for a token
-- that is bound to namespaces, since the rules are the whole tenant's, and with status 409 when they are not at
-- expected_version.
create function public.put_anonymization_rules(payload jsonb) returns jsonb
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

  -- One change at a time: of two that expect the same version, the second finds the first.
  perform pg_advisory_xact_lock(hashtextextended('anonymization_rules' || owner_id, 0));
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

-- identify, for a request that brings content. Where that was not redacted by the tenant's current rules (payload.
-- anonymization_version), adds them as {anonymization: {version, rules}}: then the request must stop here, and the API
-- redacts by them and asks again. record_traces and upload_items begin with it: see the step functions.
create function public.identify_sender(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.identify(identify_sender.payload);
  rules jsonb;
begin
  if admission ? 'error' then return admission; end if;
  rules := public.current_rules((admission ->> 'tenant_id')::uuid);
  if rules -> 'version' = coalesce(identify_sender.payload -> 'anonymization_version', '0') then return admission; end if;
  return admission || jsonb_build_object('anonymization', rules);
end $$;

revoke execute on function
  public.current_rules, public.get_anonymization_rules, public.put_anonymization_rules, public.identify_sender
  from public, anon, authenticated;
grant execute on function
  public.current_rules, public.get_anonymization_rules, public.put_anonymization_rules, public.identify_sender
  to service_role;
