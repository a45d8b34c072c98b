-- Feedback: how good a trace, a session or a step was, as people, models and programs say. As steps, scores have no foreign keys to
-- what they are about: it may come later, and a score that is kept until then is better than one that is lost.
create table public.scores (
  id uuid not null,
  tenant_id uuid not null,
  namespace_id bigint not null,
  trace_id text,
  session_id text,
  step_id uuid,
  name text not null,
  number_value double precision,
  boolean_value boolean,
  text_value text,
  comment text,
  source text,
  created_at timestamptz not null,
  sealed text,
  constraint score_id_is_unique primary key (id),
  constraint score_namespace_belongs_to_its_tenant
    foreign key (tenant_id, namespace_id) references public.namespaces (tenant_id, id) on delete cascade,
  constraint score_is_about_one_thing check (num_nonnulls(trace_id, session_id, step_id) = 1),
  constraint score_has_at_most_one_value check (num_nonnulls(number_value, boolean_value, text_value) <= 1),
  constraint score_number_is_finite check (number_value between '-1.7976931348623157e308' and '1.7976931348623157e308'),
  constraint score_name_is_not_empty check (name <> ''),
  constraint score_source_is_known check (source in ('human', 'llm', 'code'))
);
comment on table public.scores is
  'Three columns and no jsonb for the value: numbers and yes or no are added up, texts are content and can be taken away.';
comment on column public.scores.id is 'A UUID of version 7, made as those of steps (internal.new_step_ids).';
comment on column public.scores.namespace_id is
  'The one that its sender gave, else that of what it is about as it was known then, else `default`.';
comment on column public.scores.text_value is 'Content, as the comment. Of a score without any value it was taken away.';
comment on column public.scores.sealed is 'The text and the comment, encrypted by the API.';
comment on column public.scores.created_at is 'As its sender told, else when it arrived.';

-- Each filter finds its rows in the order of the list. And a namespace that is deleted takes its scores along.
create index scores_by_time on public.scores (tenant_id, created_at desc, id desc);
create index scores_of_a_namespace_by_time on public.scores (tenant_id, namespace_id, created_at desc, id desc);
create index scores_by_arrival on public.scores (tenant_id, namespace_id, id);
create index scores_of_a_name_by_time on public.scores (tenant_id, name, created_at desc, id desc);
create index scores_of_a_source_by_time on public.scores (tenant_id, source, created_at desc, id desc) where source is not null;
create index scores_of_a_trace_by_time on public.scores (tenant_id, trace_id, created_at desc, id desc) where trace_id is not null;
create index scores_of_a_session_by_time
  on public.scores (tenant_id, session_id, created_at desc, id desc) where session_id is not null;
create index scores_of_a_step_by_time on public.scores (tenant_id, step_id, created_at desc, id desc) where step_id is not null;
