-- PUT /retention. payload.rules: as the table has them, payload.expected_version?. data: see retention_view. Forgets what the rules
-- make due, as much as it can in a second; the schedule does the rest. Refuses as admit_to_change and at_version do.
create function public.put_retention(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_to_change(put_retention.payload, 'the rules of retention');
  owner_id uuid := admission ->> 'tenant_id';
  ends timestamptz := clock_timestamp() + interval '1 second';
  is_done boolean := false;
  put public.retention;
begin
  if admission ? 'error' then return admission; end if;
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  admission := internal.at_version(
    admission, 'the rules of retention', (select retention.version from public.retention where retention.tenant_id = owner_id),
    put_retention.payload ->> 'expected_version');
  if admission ? 'error' then return admission; end if;

  insert into public.retention as own (tenant_id, rules)
  values (owner_id, put_retention.payload -> 'rules')
  on conflict on constraint retention_pkey
    do update set rules = excluded.rules, version = own.version + 1, updated_at = now()
  returning own.* into put;
  while not is_done and clock_timestamp() < ends loop
    is_done := internal.forget_due_piece(owner_id, internal.shown_since(), 500) = 0;
  end loop;
  insert into public.retention_runs as known (tenant_id, version, enforced_on)
  values (owner_id, put.version, case when is_done then internal.shown_day() end)
  on conflict on constraint retention_runs_pkey do update set version = excluded.version, enforced_on = excluded.enforced_on;
  return admission || jsonb_build_object('data', internal.retention_view(owner_id, null));
end $$;
