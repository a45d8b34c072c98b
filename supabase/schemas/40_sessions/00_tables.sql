create table public.sessions (
  tenant_id uuid not null,
  id text not null,
  namespace_id bigint not null,
  user_id text,
  inactivity_timeout integer not null default 120,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  last_activity_at timestamptz not null default now(),
  was_created boolean not null default false,
  constraint session_id_is_unique_within_its_tenant primary key (tenant_id, id),
  constraint session_namespace_belongs_to_its_tenant
    foreign key (tenant_id, namespace_id) references public.namespaces (tenant_id, id) on delete cascade,
  constraint session_id_is_not_empty check (id <> ''),
  constraint session_inactivity_timeout_is_at_least_a_second check (inactivity_timeout >= 1)
);
comment on table public.sessions is 'Conversations.';
comment on column public.sessions.id is 'The tenant''s own key: made by the API, or offline by a client.';
comment on column public.sessions.inactivity_timeout is 'Seconds.';
comment on column public.sessions.last_activity_at is
  'When its last step arrived, or get-or-create found it. A projection: steps count from when they are folded.';
comment on column public.sessions.was_created is 'Whether a client has created it. Else its first step has brought it.';
-- get-or-create: the most recently active session of a user. And a namespace that is deleted takes its sessions along.
create index sessions_of_a_user_by_activity
  on public.sessions (tenant_id, namespace_id, user_id, last_activity_at desc);
