-- Safe retries: an idempotency key's first request does the work, its repetitions get the same response.

create table public.monkai_idempotency_keys (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  key text not null,
  request_hash text not null,
  request_id text not null,
  response jsonb,
  expires_at timestamptz not null default now() + interval '24 hours',
  constraint idempotency_key_is_unique_within_its_tenant primary key (tenant_id, key)
);

comment on column public.monkai_idempotency_keys.request_hash is 'SHA-256 of the route and the body''s bytes, in hex.';
comment on column public.monkai_idempotency_keys.request_id is 'The X-Request-ID of the first request.';
comment on column public.monkai_idempotency_keys.response is
  'What the first request was answered with; null when that was an error or could not be kept: the key is free again.';

create index idempotency_keys_by_expiry on public.monkai_idempotency_keys (expires_at);

-- Claims a free key for this request and returns null, or returns the known one {request_hash, request_id, response}.
-- Two at once: the second waits at the primary key until the first has committed (and is then known) or failed (and
-- then the key is free). It does not wait for ever: lock_not_available after 5 seconds.
create function public.claim_idempotency_key(tenant_id uuid, key text, request_hash text, request_id text)
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

-- The step before the work. payload.idempotency: {key, hash}, or nothing. Adds {claimed: true} for a first request, {data,
-- replay: {request_id}} for a repetition; refuses idempotency_key_conflict. Fails open with a warning, but for a first
-- request that is still running: to go on beside it would do its work twice.
create function public.replay_or_claim(admission jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := replay_or_claim.payload -> 'idempotency';
  known jsonb;
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
  return admission || jsonb_build_object(
    'data', known -> 'response', 'replay', jsonb_build_object('request_id', known -> 'request_id'));
exception
  when lock_not_available or deadlock_detected then
    return admission || public.refusal('internal_error',
      'The first request with this Idempotency-Key is still running. Please try again.');
  when others then
    return public.with_warning(admission, 'Idempotency is off for this request: ' || sqlerrm);
end $$;

-- The step after the work: its data is remembered under the key. An error is not: a key without a response is free.
-- Fails open with a warning.
create function public.settle_idempotency_key(answer jsonb, payload jsonb) returns jsonb
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
  return public.with_warning(answer, 'The response was not remembered for its Idempotency-Key: ' || sqlerrm);
end $$;

alter table public.monkai_idempotency_keys enable row level security;
revoke all on table public.monkai_idempotency_keys from public, anon, authenticated;
grant select, insert, update, delete on table public.monkai_idempotency_keys to service_role;
revoke execute on function
  public.claim_idempotency_key, public.replay_or_claim, public.settle_idempotency_key
  from public, anon, authenticated;
grant execute on function
  public.claim_idempotency_key, public.replay_or_claim, public.settle_idempotency_key
  to service_role;
