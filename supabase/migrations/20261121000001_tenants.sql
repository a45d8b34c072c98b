-- Who owns data, and the tokens that speak for them.

create table public.tenants (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  registered_namespaces_only boolean not null default false,
  created_at timestamptz not null default now(),
  constraint tenant_name_is_unique unique (name),
  constraint tenant_name_is_not_empty check (name <> '')
);

comment on table public.tenants is 'Who owns data. Every other table carries tenant_id, and every query starts from it.';

comment on column public.tenants.registered_namespaces_only is
  'Whether namespaces must be registered before anything is stored in them. Else first use registers.';

create table public.tracer_tokens (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  token_hash text not null,
  name text,
  active boolean not null default true,
  expires_at timestamptz,
  namespaces text[],
  created_at timestamptz not null default now(),
  constraint token_hash_belongs_to_one_token unique (token_hash),
  constraint token_hash_is_sha256_in_hex check (token_hash ~ '^[0-9a-f]{64}$'),
  constraint token_namespaces_are_null_or_some check (cardinality(namespaces) > 0)
);

comment on column public.tracer_tokens.token_hash is 'SHA-256 of the token in lower-case hex. The token itself is never stored.';
comment on column public.tracer_tokens.namespaces is 'The only namespaces that this token may use; null: all of its tenant.';

create index tracer_tokens_of_a_tenant on public.tracer_tokens (tenant_id);

alter table public.tenants enable row level security;
alter table public.tracer_tokens enable row level security;
revoke all on table public.tenants, public.tracer_tokens from public, anon, authenticated;
grant select, insert, update, delete on table public.tenants, public.tracer_tokens to service_role;
