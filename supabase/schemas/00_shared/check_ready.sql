-- GET /health/ready. Whether the API can work here: it answers when the REST layer reaches Postgres and takes the API's key,
-- with {schema_version}, for the API to compare. Raises when the tables that every request needs are not there.
create function public.check_ready() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform from public.tenants join public.tracer_tokens on tracer_tokens.tenant_id = tenants.id limit 1;
  return jsonb_build_object('schema_version', public.schema_version());
end $$;
