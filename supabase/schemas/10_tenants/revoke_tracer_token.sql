-- payload: {id} or {token_hash}. Returns the token, null if there is none.
create function public.revoke_tracer_token(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  token public.tracer_tokens;
begin
  update public.tracer_tokens set active = false
  where tracer_tokens.id = (revoke_tracer_token.payload ->> 'id')::uuid
     or tracer_tokens.token_hash = revoke_tracer_token.payload ->> 'token_hash'
  returning * into token;
  return case when found then internal.token_view(token) end;
end $$;
