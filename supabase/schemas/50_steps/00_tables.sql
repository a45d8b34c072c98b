-- What is derived together: all steps of an OpenTelemetry trace, of a trace that clients named (claimed), of a session (and
-- namespace); or a record that belongs to none of them, by itself (lone). Null: a log entry that belongs to no trace.
create function internal.tree_kind(kind text, session_id text, trace_id text, otel_trace_id text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return case
    when tree_kind.otel_trace_id is not null then 'otel'
    when tree_kind.trace_id is not null then 'claimed'
    when tree_kind.session_id is not null then 'session'
    when tree_kind.kind <> 'log' then 'lone'
  end;
end $$;

-- The key of a tree of that kind, which is made of an id.
create function internal.tree_key(tenant_id uuid, tree_kind text, made_of text) returns uuid
language plpgsql immutable set search_path = '' as $$
begin
  return encode(substring(sha256(convert_to(
    tree_key.tenant_id || ' ' || tree_key.tree_kind || ' ' || tree_key.made_of, 'UTF8')) for 16), 'hex')::uuid;
end $$;

-- The key of the tree that a step belongs to.
create function internal.tree_key_of_step(
  id uuid, tenant_id uuid, namespace_id bigint, kind text, session_id text, trace_id text, otel_trace_id text) returns uuid
language plpgsql immutable set search_path = '' as $$
declare
  tree_kind text := internal.tree_kind(kind, session_id, trace_id, otel_trace_id);
begin
  return internal.tree_key(tenant_id, tree_kind, case tree_kind
    when 'otel' then otel_trace_id
    when 'claimed' then trace_id
    when 'session' then namespace_id || ' ' || session_id
    when 'lone' then id::text
  end);
end $$;

-- Everything that happened, one row a step. Rows are only ever inserted; what was said can be taken away from them. The
-- columns are the skeleton that is filtered, counted and linked; `content` and `error` hold what was said, under the API's own
-- field names. Which trace a step belongs to is not written here: it is derived (60_traces).
-- Steps have no foreign keys, which would cost more than a quarter of a large request. Instead, who writes steps holds the
-- tenant's content lock, and who deletes a namespace or a session waits for it and deletes the steps (90_upkeep).
create table public.steps (
  id uuid not null,
  tenant_id uuid not null,
  namespace_id bigint not null,
  session_id text,
  kind text not null,
  list text not null generated always as (
    case kind when 'log' then 'logs' when 'agent' then 'spans' when 'span' then 'spans' else 'records' end) stored,
  name text,
  agent text,
  agent_is_named boolean not null,
  status text,
  started_at timestamptz,
  occurred_at timestamptz not null,
  latency_ms bigint,
  model text,
  input_tokens bigint,
  output_tokens bigint,
  process_tokens bigint,
  memory_tokens bigint,
  total_tokens bigint,
  cached_input_tokens bigint,
  reasoning_tokens bigint,
  level text,
  resource_id text,
  trace_id text,
  parent_trace_id text,
  otel_trace_id text,
  span_id text,
  parent_span_id text,
  user_id text,
  role text,
  fingerprint uuid,
  handoffs jsonb,
  tree_kind text generated always as (internal.tree_kind(kind, session_id, trace_id, otel_trace_id)) stored,
  tree_key uuid generated always as (
    internal.tree_key_of_step(id, tenant_id, namespace_id, kind, session_id, trace_id, otel_trace_id)) stored,
  error jsonb,
  content jsonb,
  bytes integer not null generated always as (coalesce(octet_length(content::text), 0)) stored,
  preview text generated always as (internal.step_preview(kind, name, content)) stored,
  constraint step_id_is_unique primary key (id),
  constraint step_kind_is_known check (kind in ('llm', 'tool', 'handoff', 'message', 'log', 'agent', 'span')),
  constraint step_role_is_known check (role in ('turn', 'task')),
  constraint step_status_is_known check (status in ('ok', 'error')),
  constraint step_level_is_known check (level in ('debug', 'info', 'warn', 'error')),
  constraint step_figures_are_not_negative
    check (latency_ms >= 0 and input_tokens >= 0 and output_tokens >= 0 and process_tokens >= 0 and memory_tokens >= 0
      and total_tokens >= 0 and cached_input_tokens >= 0 and reasoning_tokens >= 0)
);
comment on column public.steps.id is
  'A UUID of version 7: it begins with the time of arrival. The ids of one request differ in their last five digits alone.';
comment on column public.steps.list is 'In which list clients read it back: records, logs, or (spans) in none of the two.';
comment on column public.steps.name is 'Of a tool call, the tool''s; of a handoff, the agent''s who takes over; of other spans, their own.';
comment on column public.steps.agent is
  'Whom it is filed under: the agent that its sender named, else, but for log entries, the namespace''s own.';
comment on column public.steps.status is 'ok or error. Null: its sender did not tell.';
comment on column public.steps.started_at is
  'When it began, as far as its sender told a time: this one, or its end and how long it took. Null: no time was told.';
comment on column public.steps.occurred_at is
  'When it was over: the sender''s timestamp, else when it arrived. A span is listed by when it began.';
comment on column public.steps.trace_id is
  'The trace that the sender named for it. Where only a parent was named: the one of its agent and session below that parent.';
comment on column public.steps.parent_trace_id is 'What the sender claimed to be the parent of that trace.';
comment on column public.steps.cached_input_tokens is
  'Input tokens that came from a cache, as its sender told. By the conventions of OpenTelemetry and OpenAI they are part of input_tokens; by Anthropic''s (and Claude Code''s) beside them, and may be more. Null: not told.';
comment on column public.steps.reasoning_tokens is 'Those of output_tokens that were spent on thinking. Null: not told.';
comment on column public.steps.user_id is
  'The user whom its sender tells: external_user_id; of an uploaded record without one, user_id. It stays when content is taken away, but is read back of spans alone.';
comment on column public.steps.role is
  'Of a span of OpenAI Agents: turn, whose tokens are those of the model call in it and of the tasks in it; or task.';
comment on column public.steps.fingerprint is 'A hash of a log record that has no id of its own: what is equal is stored once.';
comment on column public.steps.content is
  'Encrypted, it is {sealed} and what the database looks at: from_agent, to_agent, transfers'' from and to, an empty messages_of_call.';
comment on column public.steps.error is 'Encrypted, a text: what lists show of the step, sealed by itself.';
comment on column public.steps.handoffs is 'Who handed over to whom, in order: [{from, to}]. Null: nobody.';
comment on column public.steps.tree_key is
  'What is derived together with it (internal.tree_key). Null: it belongs to no trace, as a log entry without a session.';
comment on column public.steps.bytes is 'The size of its content, as the text of its JSON. 0: it was taken away.';
comment on column public.steps.preview is 'The beginning of what it says: internal.step_preview.';

create index steps_by_time on public.steps (tenant_id, namespace_id, list, occurred_at desc, id desc);
create index steps_of_an_agent_by_time
  on public.steps (tenant_id, namespace_id, list, agent, occurred_at desc, id desc) where agent is not null;
create index steps_of_a_level_by_time
  on public.steps (tenant_id, namespace_id, list, level, occurred_at desc, id desc) where level is not null;
create index steps_of_a_resource_by_time
  on public.steps (tenant_id, namespace_id, list, resource_id, occurred_at desc, id desc) where resource_id is not null;
create index steps_of_a_session_by_time
  on public.steps (tenant_id, session_id, occurred_at desc, id desc) where session_id is not null;
create index steps_of_a_tree on public.steps (tree_key, id) where tree_key is not null;
create index steps_by_arrival on public.steps (tenant_id, namespace_id, id);
-- A user's other steps are known by their sessions. Hashed, as a user's name may be longer than an index holds.
create index steps_of_a_user_without_a_session on public.steps (tenant_id, md5(user_id))
  where user_id is not null and session_id is null and otel_trace_id is null;
create index steps_naming_a_parent on public.steps (tenant_id, parent_trace_id) where parent_trace_id is not null;
-- The same span or log record may come twice: the first one counts.
create unique index span_is_stored_once on public.steps (tenant_id, otel_trace_id, span_id) where span_id is not null;
create unique index log_record_is_stored_once on public.steps (tenant_id, fingerprint) where fingerprint is not null;
create index log_entries_of_a_span on public.steps (tree_key, parent_span_id) where kind = 'log' and parent_span_id is not null;

-- Steps that are not folded into the projections yet (60_traces/fold.sql): a row for each thousand of a request's. Only inserted
-- into, so that no request waits for another.
create table public.changes (
  tenant_id uuid not null,
  first_step_id uuid not null,
  last_step_id uuid not null,
  steps integer not null,
  arrived_at timestamptz not null default now(),
  constraint change_is_noted_once primary key (tenant_id, first_step_id)
);
comment on column public.changes.first_step_id is 'The lowest id that one of these steps can have; last_step_id: the highest.';
comment on column public.changes.steps is 'How many there are at most: of a repetition, some may not have been stored.';

-- What was uploaded within the last minute, so that a client's repetition is not stored again.
create table public.record_fingerprints (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  fingerprint bytea not null,
  stored_at timestamptz not null default now(),
  session_id text,
  user_id text,
  constraint record_fingerprint_is_unique_within_its_tenant primary key (tenant_id, fingerprint)
);
comment on column public.record_fingerprints.fingerprint is
  'SHA-256 of namespace, session, agent, message (as it was sent, hashed by the API) and, when the client gave one, inserted_at.';
comment on column public.record_fingerprints.session_id is 'Whose record it was, as user_id: it goes when they are erased.';
create index record_fingerprints_by_age on public.record_fingerprints (stored_at);
