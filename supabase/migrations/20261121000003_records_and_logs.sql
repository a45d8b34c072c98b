-- What was traced. Records are conversation records: LLM calls, tool calls, handoffs and uploaded messages. The columns
-- are the skeleton that is filtered, counted and linked; `content` holds what was said, under the API's own field names:
-- it can be encrypted or taken away without touching the skeleton.

create table public.records (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  namespace_id bigint not null,
  session_id text,
  type text not null,
  agent text not null,
  occurred_at timestamptz not null default now(),
  latency_ms bigint,
  model text,
  input_tokens bigint,
  output_tokens bigint,
  process_tokens bigint,
  memory_tokens bigint,
  total_tokens bigint,
  content jsonb,
  constraint record_namespace_belongs_to_its_tenant
    foreign key (tenant_id, namespace_id) references public.namespaces (tenant_id, id) on delete cascade,
  constraint record_session_belongs_to_its_tenant
    foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade,
  constraint record_type_is_known check (type in ('llm', 'tool', 'handoff', 'message')),
  constraint record_figures_are_not_negative
    check (latency_ms >= 0 and input_tokens >= 0 and output_tokens >= 0 and process_tokens >= 0 and memory_tokens >= 0
      and total_tokens >= 0)
);

comment on column public.records.occurred_at is 'When it happened: the client''s timestamp when it gave one, else its arrival.';

create index records_by_time on public.records (tenant_id, namespace_id, occurred_at desc, id desc);
create index records_of_an_agent_by_time on public.records (tenant_id, namespace_id, agent, occurred_at desc, id desc);
create index records_of_a_session_by_time on public.records (tenant_id, session_id, occurred_at desc, id desc);

create table public.logs (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  namespace_id bigint not null,
  session_id text,
  agent text,
  level text not null,
  resource_id text,
  occurred_at timestamptz not null default now(),
  content jsonb,
  constraint log_namespace_belongs_to_its_tenant
    foreign key (tenant_id, namespace_id) references public.namespaces (tenant_id, id) on delete cascade,
  constraint log_session_belongs_to_its_tenant
    foreign key (tenant_id, session_id) references public.sessions (tenant_id, id) on delete cascade,
  constraint log_level_is_known check (level in ('debug', 'info', 'warn', 'error'))
);

comment on column public.logs.content is '{message, custom_object}';

create index logs_by_time on public.logs (tenant_id, namespace_id, occurred_at desc, id desc);
create index logs_of_a_level_by_time on public.logs (tenant_id, namespace_id, level, occurred_at desc, id desc);
create index logs_of_a_resource_by_time on public.logs (tenant_id, namespace_id, resource_id, occurred_at desc, id desc);
create index logs_of_a_session_by_time on public.logs (tenant_id, session_id, occurred_at desc, id desc);

alter table public.records enable row level security;
alter table public.logs enable row level security;
revoke all on table public.records, public.logs from public, anon, authenticated;
grant select, insert, update, delete on table public.records, public.logs to service_role;
revoke all on sequence public.namespaces_id_seq, public.records_id_seq, public.logs_id_seq
  from public, anon, authenticated;
grant usage, select on sequence public.namespaces_id_seq, public.records_id_seq, public.logs_id_seq
  to service_role;
