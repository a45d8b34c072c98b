-- Replays, again: a token that is bound to namespaces is kept out of the others by them, too, since keys are the tenant's and
-- the first request may have been another token's. And who meets a first request that is still running is told to come back.

-- Why a token may not be shown a remembered response: it tells of an item in a namespace that the token may not use. Null: it
-- may. Items that were refused then say nothing, and their sender must get the same answer again.
create function public.replay_refusal(admission jsonb, items jsonb, response jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  usable text[] := public.usable_namespaces(replay_refusal.admission);
begin
  if usable is null then return null; end if;

  perform from jsonb_to_recordset(replay_refusal.items) as item (index integer, session_id text, namespace text)
  join jsonb_to_recordset(replay_refusal.response -> 'results') as result (index integer, status text)
    on result.index = item.index and result.status = 'ok'
  left join public.sessions
    on sessions.tenant_id = (replay_refusal.admission ->> 'tenant_id')::uuid and sessions.id = item.session_id
  left join public.namespaces on namespaces.id = sessions.namespace_id
  where item.namespace <> all (usable) or namespaces.name <> all (usable);
  if not found then return null; end if;
  return public.refusal('forbidden',
    'This tracer token may not use every namespace of the request that was first sent with this Idempotency-Key.');
end $$;

-- The step before the work. payload.idempotency: {key, hash}, or nothing. Adds {claimed: true} for a first request, {data,
-- replay: {request_id}} for a repetition; refuses idempotency_key_conflict, and forbidden (see replay_refusal). Fails open
-- with a warning, but for a first request that is still running (status 503): to go on beside it would do its work twice.
create or replace function public.replay_or_claim(admission jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := replay_or_claim.payload -> 'idempotency';
  known jsonb;
  refusal jsonb;
begin
  if wanted is null then return admission; end if;

  known := public.claim_idempotency_key((admission ->> 'tenant_id')::uuid, wanted ->> 'key', wanted ->> 'hash',
                                        replay_or_claim.payload ->> 'request_id');
  if known is null then return admission || '{"claimed": true}'; end if;
  if known ->> 'request_hash' <> wanted ->> 'hash' then
    return admission || public.refusal('idempotency_key_conflict',
      'This Idempotency-Key was used for another request. Use a new key, or send what was sent first.');
  end if;
  if jsonb_typeof(known -> 'response') is distinct from 'object' then
    raise exception 'the key has no response';
  end if;
  refusal := public.replay_refusal(admission, replay_or_claim.payload -> 'items', known -> 'response');
  if refusal is not null then return admission || refusal; end if;
  return admission || jsonb_build_object(
    'data', known -> 'response', 'replay', jsonb_build_object('request_id', known -> 'request_id'));
exception
  when lock_not_available or deadlock_detected then
    return admission || jsonb_build_object('error', jsonb_build_object('code', 'internal_error', 'status', 503,
      'message', 'The first request with this Idempotency-Key is still running. Please try again.'));
  when others then
    return public.with_warning(admission, 'Idempotency is off for this request: ' || sqlerrm);
end $$;

revoke execute on function
  public.replay_refusal
  from public, anon, authenticated;
grant execute on function
  public.replay_refusal
  to service_role;
