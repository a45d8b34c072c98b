-- Deletes what has expired: idempotency keys, counts of requests, fingerprints of records. Returns how many of each. A part that
-- fails is a warning, and the others are done.
create function public.delete_expired(payload jsonb default '{}') returns jsonb
language plpgsql set search_path = '' as $$
declare
  deleted jsonb := '{}';
  counted integer;
begin
  begin
    delete from public.monkai_idempotency_keys known
    where known.ctid in (
      select expired.ctid from public.monkai_idempotency_keys expired
      where expired.expires_at <= now() for update skip locked);
    get diagnostics counted = row_count;
    deleted := deleted || jsonb_build_object('idempotency_keys', counted);
  exception when others then raise warning 'Expired idempotency keys were not deleted: %', sqlerrm;
  end;

  begin
    -- Not the last minutes: a request that began in one may still hold its row.
    delete from public.monkai_rate_limits where monkai_rate_limits.minute < now() - interval '5 minutes';
    get diagnostics counted = row_count;
    deleted := deleted || jsonb_build_object('rate_limits', counted);
  exception when others then raise warning 'Old rate limit counts were not deleted: %', sqlerrm;
  end;

  delete from public.record_fingerprints known
  where known.ctid in (
    select old.ctid from public.record_fingerprints old
    where old.stored_at <= now() - interval '5 minutes' for update skip locked);
  get diagnostics counted = row_count;
  return deleted || jsonb_build_object('record_fingerprints', counted);
end $$;
