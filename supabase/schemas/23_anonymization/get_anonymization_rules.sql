-- GET /anonymization-rules. data: {version, rules}.
create function public.get_anonymization_rules(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(get_anonymization_rules.payload);
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', internal.current_rules((admission ->> 'tenant_id')::uuid));
end $$;
