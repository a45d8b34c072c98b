-- Makes a fresh cluster look like a hosted Supabase project, as far as this API can tell. Run by supabase_admin, the
-- superuser; running it again changes nothing. The passwords are set by database.ts.

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      ('authenticator', 'login noinherit'),
      ('postgres', 'login createrole createdb bypassrls')
    ) as roles (name, attributes)
  loop
    if not exists (select from pg_roles where rolname = wanted.name) then
      execute format('create role %I %s', wanted.name, wanted.attributes);
    end if;
  end loop;
end $$;

grant anon, authenticated to authenticator;
-- Inherited, unlike at Supabase: at its start @supabase/lite grants everything on all tables to anon and the others.
-- A role that sees the tables but owns none is only warned ("no privileges were granted"); one that cannot even see
-- them fails.
grant service_role to authenticator with inherit true, set true;
grant anon, authenticated, service_role to postgres;
-- As at Supabase, whose supautils allows it: a backup is loaded without triggers.
grant set on parameter session_replication_role to postgres;
-- As at Supabase: nothing that the API asks for takes longer.
alter role authenticator set statement_timeout = '8s';

alter database postgres owner to postgres;
