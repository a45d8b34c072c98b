-- GET /retention. data: see retention_view, of the namespaces that the token may use.
create function public.get_retention(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(get_retention.payload);
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', internal.retention_view(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission)));
end $$;

-- A tenant's retention as clients get it: {version, content_days, days, content_since, since, namespaces: [{namespace, content_days,
-- days, content_since, since}], last_run_at, catching_up}. `since`: when what is shown arrived, at the earliest.
create function internal.retention_view(owner_id uuid, usable text[]) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  own public.retention := (select retention from public.retention where retention.tenant_id = owner_id);
  runs public.retention_runs := (select retention_runs from public.retention_runs where retention_runs.tenant_id = owner_id);
begin
  return jsonb_build_object('version', coalesce(own.version, 0)) || internal.rule_view(coalesce(own.rules, '{}'))
    || jsonb_build_object(
      'namespaces', to_jsonb(array(
        select jsonb_build_object('namespace', named.key) || internal.rule_view(named.value)
        from jsonb_each(own.rules -> 'namespaces') as named
        where usable is null or named.key = any (usable)
        order by named.key)),
      'last_run_at', internal.timestamp_text(runs.ran_at),
      'catching_up', own.version is not null and runs.enforced_on is null);
end $$;

create function internal.rule_view(rule jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'content_days', rule -> 'content_days',
    'days', rule -> 'days',
    'content_since', internal.timestamp_text(internal.shown_since() - (rule ->> 'content_days')::integer * interval '24 hours'),
    'since', internal.timestamp_text(internal.shown_since() - (rule ->> 'days')::integer * interval '24 hours'));
end $$;
