-- For how many days a tenant keeps what was said, and everything.
create table public.retention (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  version integer not null default 1,
  rules jsonb not null,
  updated_at timestamptz not null default now(),
  constraint retention_version_is_positive check (version > 0),
  constraint retention_has_rules_of_namespaces check (jsonb_typeof(rules -> 'namespaces') = 'object')
);
comment on column public.retention.rules is
  '{content_days, days, namespaces: {name: {content_days, days}}}. Null: for ever. A namespace that is named has its own rule alone.';

-- How far that has been done.
create table public.retention_runs (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  version integer not null,
  ran_at timestamptz,
  enforced_on date
);
comment on column public.retention_runs.version is 'Of the rules that this is about.';
comment on column public.retention_runs.ran_at is 'When the schedule last found nothing that is due, or had just forgotten it all.';
comment on column public.retention_runs.enforced_on is
  'The last day on which nothing was left that is due. On other days reads leave it out (internal.kept). Null: since the rules were put, that was never so.';

create table public.forgotten_content (
  tenant_id uuid not null,
  namespace_id bigint not null,
  last_id uuid not null,
  constraint namespace_knows_what_content_was_forgotten primary key (tenant_id, namespace_id),
  constraint forgotten_content_is_of_a_namespace_of_its_tenant
    foreign key (tenant_id, namespace_id) references public.namespaces (tenant_id, id) on delete cascade
);
comment on column public.forgotten_content.last_id is 'Of the steps and scores up to this id, retention has taken away what was said.';
