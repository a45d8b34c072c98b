-- GET /token. What the token of the request may do. data: {tenant, name, namespaces, scope, expires_at}; namespaces null: all of
-- the tenant's. payload.known: see unless_known.
create function public.get_token(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(get_token.payload);
begin
  if admission ? 'error' then return admission; end if;
  return internal.unless_known(admission, (
    select internal.token_view(tracer_tokens) - array['id', 'active', 'created_at']
    from public.tracer_tokens where tracer_tokens.id = (admission ->> 'token_id')::uuid), get_token.payload);
end $$;
