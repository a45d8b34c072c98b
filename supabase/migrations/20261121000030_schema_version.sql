-- GET /health/ready knows whether this schema is the one that the API was written for.

-- The number of the newest migration, which replaces this function.
create function public.schema_version() returns integer
language sql immutable set search_path = ''
return 30;

-- Whether the API can work here. It answers when the REST layer reaches Postgres and takes the API's key: {schema_version},
-- for the API to compare. Raises when the tables that every request needs are not there.
create or replace function public.check_ready() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform from public.tenants join public.tracer_tokens on tracer_tokens.tenant_id = tenants.id limit 1;
  return jsonb_build_object('schema_version', public.schema_version());
end $$;

revoke execute on function public.schema_version from public, anon, authenticated;
grant execute on function public.schema_version to service_role;
