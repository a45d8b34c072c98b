-- Where the database has pg_cron, as hosted Supabase does: changes are folded and what is kept no longer is forgotten every ten
-- seconds, and what has expired is deleted every five minutes. Elsewhere, call fold_all(), forget_due() and delete_expired() from a
-- scheduler of your own.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron with schema pg_catalog;
    perform cron.schedule('agent-trace-delete-expired', '*/5 * * * *', 'select public.delete_expired()');
    perform cron.schedule('agent-trace-fold', '10 seconds', 'select public.fold_all()');
    -- As long as there is something: a short piece, and a pause four times as long for those who wait.
    perform cron.schedule('agent-trace-forget', '10 seconds', 'do $do$ begin while (public.forget_due() ->> ''forgotten'')::integer > 0 and clock_timestamp() < statement_timestamp() + interval ''9 seconds'' loop commit; perform pg_sleep(0.2); end loop; end $do$');
  end if;
exception when others then
  raise warning 'fold_all(), forget_due() and delete_expired() are not scheduled (%). Call them every minute.', sqlerrm;
end $$;
