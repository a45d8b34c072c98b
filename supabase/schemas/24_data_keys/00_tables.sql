-- With which keys the API encrypts what a tenant's steps say, where it does (docs/encryption.md). A data key is here as a master key
-- has wrapped it, and nobody who has the database alone can open it. The encryption itself is the API's.
create table public.data_keys (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  number integer not null,
  wrapped text,
  master_key text,
  created_at timestamptz not null default now(),
  constraint data_key_number_is_unique_within_its_tenant primary key (tenant_id, number),
  constraint data_key_number_is_positive check (number > 0),
  constraint data_key_is_wrapped_by_a_master_key check ((wrapped is null) = (master_key is null))
);
comment on column public.data_keys.number is 'The highest one writes. No number is used twice: what was encrypted names it.';
comment on column public.data_keys.wrapped is
  'The key, encrypted by the master key and bound to its tenant and number. Null: it was forgotten, and what it encrypted with it.';
comment on column public.data_keys.master_key is 'The id of the master key (CONTENT_KEYS).';
