-- PUT /retention. payload.rules: as the table has them, payload.expected_version?. data: see retention_view. Forgets what is due by
-- the new rules, as far as it comes within a second. Refuses forbidden for
-- a token that is bound to namespaces, since the rules are the whole tenant's, and with status 409 when they are not at
-- expected_version.
create function public.put_retention(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(put_retention.payload);
  owner_id uuid := admission ->> 'tenant_id';
  expected_version integer := put_retention.payload ->> 'expected_version';
  current_version integer;
  put public.retention;
  ends timestamptz := clock_timestamp() + interval '1 second';
  is_done boolean := false;
begin
  if admission ? 'error' then return admission; end if;
  if exists (
    select from public.tracer_tokens
    where tracer_tokens.id = (admission ->> 'token_id')::uuid and tracer_tokens.namespaces is not null) then
    return admission || internal.refusal('forbidden',
      'This tracer token is bound to namespaces: it may read how long things are kept, but not change it.');
  end if;

  -- One change at a time, and none while something is being forgotten.
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  current_version := coalesce((select retention.version from public.retention where retention.tenant_id = owner_id), 0);
  if expected_version <> current_version then
    return admission || jsonb_build_object('error', jsonb_build_object(
      'code', 'bad_request', 'status', 409, 'version', current_version,
      'message', format('The retention is at version %s by now, not at the expected_version %s. Read it and try again.',
                        current_version, expected_version)));
  end if;

  insert into public.retention as own (tenant_id, rules)
  values (owner_id, put_retention.payload -> 'rules')
  on conflict on constraint retention_pkey
    do update set rules = excluded.rules, version = own.version + 1, updated_at = now()
  returning own.* into put;
  while not is_done and clock_timestamp() < ends loop -- the schedule does the rest
    is_done := internal.forget_due_piece(owner_id, internal.shown_since(), 500) = 0;
  end loop;
  insert into public.retention_runs as known (tenant_id, version, enforced_on)
  values (owner_id, put.version, case when is_done then internal.shown_day() end)
  on conflict on constraint retention_runs_pkey do update set version = excluded.version, enforced_on = excluded.enforced_on;
  return admission || jsonb_build_object('data', internal.retention_view(owner_id, null));
end $$;
