-- One rule for everything in the two schemas: row level security is on and no policy opens a table; the API's service role may
-- do its work, and nobody else anything. It may be run again at any time.
do $$
declare
  object record;
begin
  for object in
    select pg_class.oid::regclass as name from pg_class
    where pg_class.relnamespace = 'public'::regnamespace and pg_class.relkind in ('r', 'p')
  loop
    execute format('alter table %s enable row level security', object.name);
  end loop;
  for object in
    select pg_proc.oid::regprocedure as name from pg_proc
    where pg_proc.pronamespace in ('public'::regnamespace, 'internal'::regnamespace)
  loop
    execute format('revoke all on function %s from public, anon, authenticated', object.name);
    execute format('grant execute on function %s to service_role', object.name);
  end loop;
  for object in
    select pg_type.oid::regtype as name from pg_type
    where pg_type.typnamespace = 'internal'::regnamespace and pg_type.typtype = 'c'
      and (select pg_class.relkind from pg_class where pg_class.oid = pg_type.typrelid) = 'c'
  loop
    execute format('revoke all on type %s from public, anon, authenticated', object.name);
    execute format('grant usage on type %s to service_role', object.name);
  end loop;
end $$;
revoke all on all tables in schema public from public, anon, authenticated;
revoke all on all sequences in schema public from public, anon, authenticated;
revoke all on schema internal from public, anon, authenticated;
grant usage on schema internal to service_role;
grant select, insert, update, delete on all tables in schema public to service_role;
grant usage, select on all sequences in schema public to service_role;
