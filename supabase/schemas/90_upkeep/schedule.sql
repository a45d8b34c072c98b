-- Where the database has pg_cron, as hosted Supabase does: changes are folded and what is kept no longer is forgotten every ten
-- seconds, and what has expired is deleted every five minutes. Elsewhere, call fold_all(), forget_due() and delete_expired() from a
-- scheduler of your own.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron with schema pg_catalog;
    perform cron.schedule('agent-trace-delete-expired', '*/5 * * * *', 'select public.delete_expired()');
    perform cron.schedule('agent-trace-fold', '10 seconds', 'select public.fold_all()');
    perform cron.schedule('agent-trace-forget', '10 seconds', 'select public.forget_due()');
  end if;
exception when others then
  raise warning 'fold_all(), forget_due() and delete_expired() are not scheduled (%). Call them every minute.', sqlerrm;
end $$;
