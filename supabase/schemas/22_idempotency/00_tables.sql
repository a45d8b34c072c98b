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
