-- Who owns data, and the tokens that speak for them.

-- Whether limits are of the form {"traces": 6000}: whole numbers from 0 up.
create function internal.rate_limits_are_valid(rate_limits jsonb) returns boolean
language sql immutable set search_path = ''
return jsonb_typeof(rate_limits_are_valid.rate_limits) = 'object' and not exists (
  select from jsonb_each(rate_limits_are_valid.rate_limits) as override
  where case jsonb_typeof(override.value)
    when 'number' then override.value::numeric <> trunc(override.value::numeric)
      or override.value::numeric not between 0 and 2147483647
    else true end);

create table public.tenants (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  registered_namespaces_only boolean not null default false,
  rate_limits jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint tenant_name_is_unique unique (name),
  constraint tenant_name_is_not_empty check (name <> ''),
  constraint tenant_rate_limits_are_whole_numbers check (internal.rate_limits_are_valid(rate_limits))
);
comment on table public.tenants is 'Who owns data. Every other table carries tenant_id, and every query starts from it.';
comment on column public.tenants.registered_namespaces_only is
  'Whether namespaces must be registered before anything is stored in them. Else first use registers.';
comment on column public.tenants.rate_limits is
  'Requests per minute that each token of the tenant may make, where not the default: {"traces": 6000}.';

create table public.tracer_tokens (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  token_hash text not null,
  name text,
  active boolean not null default true,
  expires_at timestamptz,
  namespaces text[],
  scope text not null default 'all',
  rate_limits jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint token_scope_is_known check (scope in ('all', 'read')),
  constraint token_hash_belongs_to_one_token unique (token_hash),
  constraint token_hash_is_sha256_in_hex check (token_hash ~ '^[0-9a-f]{64}$'),
  constraint token_namespaces_are_null_or_some check (cardinality(namespaces) > 0),
  constraint token_rate_limits_are_whole_numbers check (internal.rate_limits_are_valid(rate_limits))
);
comment on column public.tracer_tokens.token_hash is 'SHA-256 of the token in lower-case hex. The token itself is never stored.';
comment on column public.tracer_tokens.namespaces is 'The only namespaces that this token may use; null: all of its tenant.';
comment on column public.tracer_tokens.scope is
  'read: it may look at everything, and can neither write, nor take content away, nor change rules.';
comment on column public.tracer_tokens.rate_limits is
  'Requests per minute that this token may make, where not its tenant''s: {"traces": 6000}.';
create index tracer_tokens_of_a_tenant on public.tracer_tokens (tenant_id);
