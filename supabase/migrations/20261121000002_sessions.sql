-- Namespaces of a tenant, and the sessions (conversations) within them.

create table public.namespaces (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  name text not null,
  created_at timestamptz not null default now(),
  constraint namespace_name_is_unique_within_its_tenant unique (tenant_id, name),
  constraint namespace_id_names_its_tenant unique (tenant_id, id),
  constraint namespace_name_is_not_empty check (name <> '')
);

create table public.sessions (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  id text not null,
  namespace_id bigint not null,
  user_id text,
  inactivity_timeout integer not null default 120,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  last_activity_at timestamptz not null default now(),
  constraint session_id_is_unique_within_its_tenant primary key (tenant_id, id),
  constraint session_namespace_belongs_to_its_tenant
    foreign key (tenant_id, namespace_id) references public.namespaces (tenant_id, id) on delete cascade,
  constraint session_id_is_not_empty check (id <> ''),
  constraint session_inactivity_timeout_is_at_least_a_second check (inactivity_timeout >= 1)
);

comment on column public.sessions.id is 'The tenant''s own key: made by the API, or offline by a client.';
comment on column public.sessions.inactivity_timeout is 'Seconds.';
comment on column public.sessions.last_activity_at is 'When the last trace, log or record of the session arrived.';

-- get-or-create: the most recently active session of a user.
create index sessions_of_a_user_by_activity
  on public.sessions (tenant_id, namespace_id, user_id, last_activity_at desc);

alter table public.namespaces enable row level security;
alter table public.sessions enable row level security;
revoke all on table public.namespaces, public.sessions from public, anon, authenticated;
grant select, insert, update, delete on table public.namespaces, public.sessions to service_role;
