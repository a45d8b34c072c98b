-- Makes a new database look like that of a hosted Supabase project. Run by its owner, `postgres`; running it again changes
-- nothing. The roles are made by roles.sql.

alter schema public owner to postgres;
grant usage on schema public to anon, authenticated, service_role;

-- As at Supabase: whatever the migrations create is open to these roles until a migration revokes it.
alter default privileges for role postgres in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on sequences to anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on functions to anon, authenticated, service_role;
