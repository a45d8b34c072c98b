-- The prices that a tenant has put in the place of the known ones (internal.known_model_prices). One row a tenant: a list is
-- always read and replaced whole.
create table public.model_prices (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  version integer not null default 1,
  prices jsonb not null,
  updated_at timestamptz not null default now(),
  constraint model_prices_version_is_positive check (version > 0),
  constraint model_prices_are_a_list check (jsonb_typeof(prices) = 'array')
);
comment on column public.model_prices.prices is
  '[{model, valid_from, input, cached_input, output, currency}]: money per million tokens as text, null where there is none.';
