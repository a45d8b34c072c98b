-- payload: {tenant?}. All tokens, or one tenant's, oldest first.
create function public.list_tracer_tokens(payload jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(internal.token_view(token) order by token.created_at, token.id), '[]')
    from public.tracer_tokens token
    join public.tenants on tenants.id = token.tenant_id
    where list_tracer_tokens.payload ->> 'tenant' is null or tenants.name = list_tracer_tokens.payload ->> 'tenant');
end $$;
