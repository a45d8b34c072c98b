-- Whether the API can work here: GET /health/ready. It answers when the REST layer reaches Postgres, knows this schema as
-- the newest migration left it, and takes the API's key. Raises when the tables that every request needs are not there.
create function public.check_ready() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform from public.tenants join public.tracer_tokens on tracer_tokens.tenant_id = tenants.id limit 1;
  return '{"ready": true}';
end $$;

revoke execute on function public.check_ready from public, anon, authenticated;
grant execute on function public.check_ready to service_role;
