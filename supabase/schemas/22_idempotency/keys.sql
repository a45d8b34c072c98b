-- Claims a free key for this request and returns null, or returns the known one {request_hash, request_id, response}.
-- Two at once: the second waits at the primary key until the first has committed (and is then known) or failed (and
-- then the key is free). It does not wait for ever: lock_not_available after 5 seconds.
create function internal.claim_idempotency_key(tenant_id uuid, key text, request_hash text, request_id text)
returns jsonb
language plpgsql set search_path = '' set lock_timeout = '5s' as $$
begin
  insert into public.monkai_idempotency_keys as known (tenant_id, key, request_hash, request_id)
  values (claim_idempotency_key.tenant_id, claim_idempotency_key.key, claim_idempotency_key.request_hash,
          claim_idempotency_key.request_id)
  on conflict on constraint idempotency_key_is_unique_within_its_tenant do update
    set request_hash = excluded.request_hash, request_id = excluded.request_id, response = null,
        expires_at = excluded.expires_at
    where known.expires_at <= now() or known.response is null;
  if found then return null; end if;

  return (select to_jsonb(known) from public.monkai_idempotency_keys known
          where known.tenant_id = claim_idempotency_key.tenant_id and known.key = claim_idempotency_key.key);
end $$;

-- Replays, again: a token that is bound to namespaces is kept out of the others by them, too, since keys are the tenant's and
-- the first request may have been another token's. And who meets a first request that is still running is told to come back.

-- Why a token may not be shown a remembered response: it tells of an item in a namespace that the token may not use. Null: it
-- may. Items that were refused then say nothing, and their sender must get the same answer again.
create function internal.replay_refusal(admission jsonb, items jsonb, response jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  usable text[] := internal.usable_namespaces(replay_refusal.admission);
begin
  if usable is null then return null; end if;

  perform
  from jsonb_to_recordset(internal.not_refused(replay_refusal.items, replay_refusal.response -> 'refused'))
    as item (session_id text, namespace text)
  left join public.sessions
    on sessions.tenant_id = (replay_refusal.admission ->> 'tenant_id')::uuid and sessions.id = item.session_id
  left join public.namespaces on namespaces.id = sessions.namespace_id
  where item.namespace <> all (usable) or namespaces.name <> all (usable);
  if not found then -- scores are remembered with the namespaces that they have got
    perform from jsonb_to_recordset(replay_refusal.response -> 'scores') as score (namespace text)
    where score.namespace <> all (usable);
  end if;
  if not found then return null; end if;
  return internal.refusal('forbidden',
    'This tracer token may not use every namespace of the request that was first sent with this Idempotency-Key.');
end $$;

-- The step before the work. payload.idempotency: {key, hash}, or nothing. Adds {claimed: true} for a first request, {data,
-- replay: {request_id}} for a repetition; refuses idempotency_key_conflict, and forbidden (see replay_refusal). Fails open
-- with a warning, but for a first request that is still running (status 503): to go on beside it would do its work twice.
create function internal.replay_or_claim(admission jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := replay_or_claim.payload -> 'idempotency';
  known jsonb;
  refusal jsonb;
begin
  if wanted is null then return admission; end if;

  known := internal.claim_idempotency_key((admission ->> 'tenant_id')::uuid, wanted ->> 'key', wanted ->> 'hash',
                                        replay_or_claim.payload ->> 'request_id');
  if known is null then return admission || '{"claimed": true}'; end if;
  if known ->> 'request_hash' <> wanted ->> 'hash' then
    return admission || internal.refusal('idempotency_key_conflict',
      'This Idempotency-Key was used for another request. Use a new key, or send what was sent first.');
  end if;
  if jsonb_typeof(known -> 'response') is distinct from 'object' then
    raise exception 'the key has no response';
  end if;
  refusal := internal.replay_refusal(admission, replay_or_claim.payload -> 'items', known -> 'response');
  if refusal is not null then return admission || refusal; end if;
  return admission || jsonb_build_object(
    'data', known -> 'response', 'replay', jsonb_build_object('request_id', known -> 'request_id'));
exception
  when lock_not_available or deadlock_detected then
    return admission || jsonb_build_object('error', jsonb_build_object('code', 'internal_error', 'status', 503,
      'message', 'The first request with this Idempotency-Key is still running. Please try again.'));
  when others then
    return internal.with_warning(admission, 'Idempotency is off for this request: ' || sqlerrm);
end $$;

-- The step after the work: its data is remembered under the key. An error is not: a key without a response is free.
-- Fails open with a warning.
create function internal.settle_idempotency_key(answer jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := settle_idempotency_key.payload -> 'idempotency';
begin
  if not answer ? 'claimed' or answer ? 'error' then return answer; end if;

  update public.monkai_idempotency_keys known set response = answer -> 'data'
  where known.tenant_id = (answer ->> 'tenant_id')::uuid and known.key = wanted ->> 'key'
    and known.request_hash = wanted ->> 'hash' and known.response is null;
  return answer;
exception when others then
  return internal.with_warning(answer, 'The response was not remembered for its Idempotency-Key: ' || sqlerrm);
end $$;
