-- What deriving hands on to writing.

-- What a request brings to a tree: a change for each namespace, agent, level and hour. Or a tree that is to be rebuilt.
create type internal.change as (
  first_step_id uuid,
  last_step_id uuid,
  arrived_at timestamptz,
  tree_kind text,
  tree_key uuid,
  trace_id text, -- of the tree of a claimed trace: that trace
  hands_over boolean, -- whether someone hands over in these steps
  is_rebuild boolean, -- it brings no steps, but the tree is to be derived from all that it has
  first_happened_at timestamptz,
  namespace_id bigint,
  session_id text,
  list text,
  agent text,
  agent_is_named boolean,
  level text,
  hour timestamptz,
  steps bigint);

-- A tree as it is derived from its steps. The arrays `trace_ids` to `opened_at` have one element for each trace, in the order in
-- which they were opened, the first one being the root; `step_ids` to `step_traces` have one for each step.
create type internal.tree as (
  tree_key uuid,
  trace_ids text[],
  agents text[],
  namespace_ids bigint[],
  session_ids text[],
  parents integer[], -- the place of the parent in these arrays; null for the root
  opened_at timestamptz[],
  latest_of_agents boolean[], -- whether later steps that name the agent belong to it
  active integer, -- where steps belong that name no agent
  last_event_at timestamptz,
  step_ids uuid[],
  step_times timestamptz[],
  step_traces integer[],
  step_to_traces text[], -- the trace that a step leads to which hands over; null for others. May be shorter
  -- Only of spans and log records: what they do not say themselves.
  step_sessions text[],
  step_users text[],
  step_agents text[],
  step_wrappers boolean[],
  step_input_tokens bigint[],
  step_output_tokens bigint[],
  step_cached_input_tokens bigint[],
  step_reasoning_tokens bigint[],
  last_step_id uuid); -- the one that arrived last

-- A step of an OpenTelemetry trace. A log entry has no span id of its own: it has its step's. An agent without a name has its
-- span's.
create type internal.span as (
  id uuid, happened_at timestamptz, kind text, otel_trace_id text, span_id text, parent_span_id text, agent text,
  namespace_id bigint, session_id text, user_id text, role text, input_tokens bigint, output_tokens bigint,
  cached_input_tokens bigint, reasoning_tokens bigint, handoffs jsonb);

-- See public.placements.
create type internal.placed_step as (
  step_id uuid, happened_at timestamptz, trace_id text, session_id text, user_id text, agent text, is_wrapper boolean,
  input_tokens bigint, output_tokens bigint, cached_input_tokens bigint, reasoning_tokens bigint, to_trace_id text);

-- What one tree, or one step, tells of a trace. Of several, the lowest rank counts, then the earliest.
create type internal.told_trace as (
  trace_id text,
  rank integer, -- 0: it was derived; 1: a step names it as its own; 2: a step names it as a parent
  tree_key uuid,
  namespace_id bigint,
  session_id text,
  agent text,
  opened_at timestamptz,
  parent_trace_id text, -- as it was derived
  is_latest boolean,
  claimed_parent_id text,
  parent_claimed_at timestamptz,
  last_step_id uuid); -- of those that tell of it

create type internal.derivation as (
  changes internal.change[], -- what was taken, and what follows from it:
  remade uuid[], -- the trees that were derived from all of their steps: what they had before, and have no more, is to go
  placed internal.placed_step[],
  told internal.told_trace[],
  trees public.trees[]);

-- A step that is placed without deriving its tree.
create type internal.appended_step as (
  step_id uuid, happened_at timestamptz, trace_id text, is_claimed boolean, tree_key uuid, namespace_id bigint, session_id text,
  agent text, parent_trace_id text);
