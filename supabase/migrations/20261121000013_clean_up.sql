-- What is deleted because its time is over.

-- Deletes expired idempotency keys, the rate limit counts of minutes gone by and old fingerprints of records. Returns
-- {idempotency_keys, rate_limits, record_fingerprints}: how many rows of each. Where there is no pg_cron, call it every few minutes.
create function public.delete_expired(payload jsonb default '{}') returns jsonb
language plpgsql set search_path = '' as $$
declare
  fingerprints integer;
  keys integer;
  counts integer;
begin
  delete from public.record_fingerprints where record_fingerprints.stored_at <= now() - interval '5 minutes';
  get diagnostics fingerprints = row_count;
  delete from public.monkai_idempotency_keys where monkai_idempotency_keys.expires_at <= now();
  get diagnostics keys = row_count;
  -- Not the last minutes: a request that began in one may still hold its row.
  delete from public.monkai_rate_limits where monkai_rate_limits.minute < now() - interval '5 minutes';
  get diagnostics counts = row_count;
  return jsonb_build_object(
    'record_fingerprints', fingerprints, 'idempotency_keys', keys, 'rate_limits', counts);
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
