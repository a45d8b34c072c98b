-- Sessions as lists show them: a row for each namespace in which a session has steps. One without any stands in its own. A
-- projection, as public.usage is.
create table public.session_summaries (
  tenant_id uuid not null,
  session_id text not null,
  namespace_id bigint not null,
  step_count bigint not null,
  error_count bigint not null,
  last_activity_at timestamptz not null,
  began_at timestamptz,
  ended_at timestamptz,
  first_message_at timestamptz,
  first_message_id uuid,
  last_message_at timestamptz,
  last_message_id uuid,
  last_step_id uuid,
  constraint session_has_one_summary_in_a_namespace primary key (tenant_id, session_id, namespace_id)
);
comment on column public.session_summaries.last_activity_at is 
  'When the last of its steps was over, or arrived, if its sender''s clock runs ahead; without steps, when it was created.';
comment on column public.session_summaries.began_at is 'When its first step began. ended_at: when its last one was over.';
comment on column public.session_summaries.first_message_id is 'The step that begins first of those that say something: model calls and records.';
comment on column public.session_summaries.last_step_id is 'Of its steps, the one that arrived last.';
create index session_summaries_by_activity
  on public.session_summaries (tenant_id, last_activity_at desc, session_id desc, namespace_id desc);
create index session_summaries_of_a_namespace_by_activity
  on public.session_summaries (tenant_id, namespace_id, last_activity_at desc, session_id desc);
create index session_summaries_with_errors_by_activity
  on public.session_summaries (tenant_id, namespace_id, last_activity_at desc, session_id desc) where error_count > 0;
create index session_summaries_without_steps on public.session_summaries (tenant_id, namespace_id) where step_count = 0;
