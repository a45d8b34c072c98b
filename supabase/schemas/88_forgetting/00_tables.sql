-- That somebody had a session or a user erased. Whose data it was is not said, or it would still be known here.
create table public.erasures (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  token_id uuid references public.tracer_tokens (id) on delete set null,
  erased_at timestamptz not null default now(),
  subject text not null,
  steps bigint not null,
  sessions bigint not null,
  scores bigint not null,
  is_complete boolean not null,
  constraint erased_subject_is_known check (subject in ('session', 'user'))
);
comment on table public.erasures is 'One row a request, also where there was nothing to erase.';
comment on column public.erasures.is_complete is 'False: there was more than one request erases. The next one goes on.';
create index erasures_of_a_tenant_by_time on public.erasures (tenant_id, erased_at desc);
create index erasures_by_a_token on public.erasures (token_id);
