-- Projections of the steps: which traces there are, and which step belongs to which. Only fold (60_traces/fold.sql) writes
-- them, under one lock of the tenant. They can be thrown away and rebuilt (90_upkeep/rebuild.sql).

-- A trace is one agent's part in an execution. Its id is made of what opened it, or is the one that clients gave it.
create table public.traces (
  tenant_id uuid not null,
  trace_id text not null,
  tree_key uuid not null,
  is_claimed boolean not null,
  is_named_only boolean not null default false,
  takes_steps_of_its_agent boolean not null default false,
  namespace_id bigint not null,
  session_id text,
  agent text not null,
  parent_trace_id text,
  claimed_parent_id text,
  parent_claimed_at timestamptz,
  step_count bigint not null default 0,
  fold_number bigint not null,
  created_at timestamptz not null,
  last_step_id uuid not null,
  constraint trace_id_is_unique_within_its_tenant primary key (tenant_id, trace_id),
  constraint trace_step_count_is_not_negative check (step_count >= 0)
);
comment on column public.traces.tree_key is 'What it was derived from: see internal.tree_key.';
comment on column public.traces.is_claimed is
  'Whether it is there because steps name it (trace_id, parent_trace_id). Else it was derived from a session or from spans.';
comment on column public.traces.is_named_only is
  'Whether it is known only as the parent of another. Its agent is then the namespace''s own, until a step of its own comes.';
comment on column public.traces.takes_steps_of_its_agent is
  'Whether it is the latest of its agent in its tree: later steps that name the agent belong to it.';
comment on column public.traces.parent_trace_id is 'Its parent; of claimed ones: that claim, unless it would close a cycle.';
comment on column public.traces.claimed_parent_id is 'The parent that was claimed for it first, by the time of the step that did.';
comment on column public.traces.fold_number is
  'The fold (public.folds) that made it, or last changed its parent, agent or namespace.';
comment on column public.traces.created_at is 'When the step happened that opened it.';
comment on column public.traces.last_step_id is
  'Of the steps that were in it, the one that arrived last; without any, the last one of its tree, or that names it.';

create index traces_by_time on public.traces (tenant_id, created_at desc, trace_id desc);
create index traces_of_a_namespace_by_time on public.traces (tenant_id, namespace_id, created_at desc, trace_id desc);
create index traces_of_an_agent_by_time on public.traces (tenant_id, agent, namespace_id, created_at desc, trace_id desc);
create index traces_of_a_session_by_time
  on public.traces (tenant_id, session_id, created_at desc, trace_id desc) where session_id is not null;
create index traces_of_a_parent on public.traces (tenant_id, parent_trace_id) where parent_trace_id is not null;
create index traces_of_a_tree on public.traces (tree_key, agent);
create index traces_whose_claim_closes_a_cycle
  on public.traces (tenant_id) where parent_trace_id is null and claimed_parent_id is not null;

-- What must be known of a session's tree to place its next steps without deriving it anew.
create table public.trees (
  tree_key uuid not null,
  tenant_id uuid not null,
  active_trace_id text not null,
  last_event_at timestamptz not null,
  constraint tree_key_is_unique primary key (tree_key)
);
comment on column public.trees.active_trace_id is 'Where steps belong that name no agent.';
comment on column public.trees.last_event_at is 'When something last opened a trace, or handed over.';
create index trees_of_a_tenant on public.trees (tenant_id);

-- How often a tenant's changes were folded. Counted under the lock of its folds, so the numbers come in the order in which they
-- are committed: who sees one sees all that was folded before. That is what makes a watermark of it exact.
create table public.folds (
  tenant_id uuid not null,
  number bigint not null,
  constraint folds_are_numbered_within_their_tenant primary key (tenant_id)
);

-- Which trace a step belongs to; and of a span or log record, what it does not say itself but follows from its tree.
create table public.placements (
  step_id uuid not null,
  tenant_id uuid not null,
  trace_id text not null,
  happened_at timestamptz not null,
  session_id text,
  user_id text,
  agent text,
  is_wrapper boolean not null default false,
  input_tokens bigint,
  output_tokens bigint,
  cached_input_tokens bigint,
  reasoning_tokens bigint,
  to_trace_id text,
  fold_number bigint not null,
  constraint step_has_one_placement primary key (step_id)
);
comment on column public.placements.happened_at is 'When the step began, where a time was told, else when it arrived: their order.';
comment on column public.placements.session_id is
  'That of the nearest span above it which tells one, else of the first span of the tree that does, else the tree''s id.';
comment on column public.placements.user_id is
  'Whose step it is: the user that it tells, else likewise the one of the spans around it, else its session''s.';
comment on column public.placements.agent is 'The agent of its trace.';
comment on column public.placements.is_wrapper is 'Whether it is a model call with another one below it: it counts as a plain span.';
comment on column public.placements.input_tokens is 'What is known from the spans around it. The other tokens likewise.';
comment on column public.placements.to_trace_id is 'Of a step that hands over, the trace that it leads to; null where that is not known.';
comment on column public.placements.fold_number is
  'The fold (public.folds) that last changed it, or the number of the purge that took away what its step said.';
create index placements_of_a_session on public.placements (tenant_id, session_id) where session_id is not null;
create index placements_of_an_agent on public.placements (tenant_id, agent) where agent is not null;
create index placements_of_a_trace on public.placements (tenant_id, trace_id, happened_at, step_id) include (fold_number);

-- Trees that must be derived anew from all of their steps, because steps are gone or projections were thrown away.
create table public.rebuilds (
  tenant_id uuid not null,
  tree_key uuid not null,
  tree_kind text not null,
  trace_id text,
  namespace_id bigint not null,
  session_id text,
  constraint tree_is_noted_once_to_be_rebuilt primary key (tenant_id, tree_key)
);
comment on column public.rebuilds.trace_id is 'Of the tree of a trace that clients named (claimed): that trace.';

-- When content was taken away from a trace. A fact and no projection: a rebuild leaves it alone.
create table public.purges (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  trace_id text not null,
  purged_at timestamptz not null,
  constraint trace_knows_its_last_purge primary key (tenant_id, trace_id)
);
