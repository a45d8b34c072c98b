-- What is deleted because its time is over.

-- Deletes expired idempotency keys, the rate limit counts of minutes gone by and old fingerprints of records. Returns
-- {idempotency_keys, rate_limits, record_fingerprints}: how many rows of each. Where there is no pg_cron, call it every few
-- minutes. One table that fails does not keep the others from being cleaned; a row that a request holds is left for later.
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

revoke execute on function public.delete_expired from public, anon, authenticated;
grant execute on function public.delete_expired to service_role;

-- Every five minutes where the database has pg_cron, as hosted Supabase does.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron with schema pg_catalog;
    perform cron.schedule('agent-trace-delete-expired', '*/5 * * * *', 'select public.delete_expired()');
  end if;
exception when others then
  raise warning 'delete_expired() is not scheduled (%). Call it every few minutes.', sqlerrm;
end $$;
