-- What a tenant's agents did, added up. A projection of the steps and of the past: only fold (60_traces/fold.sql) and what deletes
-- steps write it, under one lock of the tenant. Costs are not in here: they are made of tokens and prices when somebody reads.

-- What makes a row of public.usage the one that it is. Hashed, as an index can hold no more than 2,704 bytes of it: a session's id
-- may have 2,048 alone.
create function internal.usage_key(
  grain text, session_id text, namespace_id bigint, begins timestamptz, agent text, model text, tool text, user_id text) returns uuid
language plpgsql immutable set search_path = '' as $$
begin
  return md5(jsonb_build_array(grain, session_id, namespace_id, extract(epoch from begins), agent, model, tool, user_id)::text)::uuid;
end $$;

-- The name that a step is added up under: this one, or its beginning where it is more than a name. Clients may tell models, tools and
-- users of any length; with a session's id, 500 bytes of one still find room in an index.
create function internal.counted_name(name text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return case when octet_length(counted_name.name) > 500 then left(counted_name.name, 125) else counted_name.name end;
end $$;

-- What happened, in five grains, each step being in all of them: by model, of a day and of an hour (UTC); by agent, model and
-- tool, of a day and of an hour; and of an hour of one session, by user as well. What is asked is read from the coarsest that has it.
-- A sixth, `past`, is no projection: what was used by steps that were forgotten since (88_forgetting), of an hour by agent, model and
-- tool. It is in the other grains as well, without a session and a user.
create table public.usage (
  tenant_id uuid not null,
  grain text not null,
  session_id text,
  namespace_id bigint not null,
  begins timestamptz not null,
  agent text,
  model text,
  tool text,
  user_id text,
  steps bigint not null,
  calls bigint not null,
  tool_calls bigint not null,
  errors bigint not null,
  input_tokens numeric not null,
  cached_input_tokens numeric not null,
  uncached_input_tokens numeric not null,
  output_tokens numeric not null,
  reasoning_tokens numeric not null,
  billed_steps bigint not null,
  untold_steps bigint not null,
  latencies jsonb not null,
  key uuid not null generated always as (
    internal.usage_key(grain, session_id, namespace_id, begins, agent, model, tool, user_id)) stored,
  constraint usage_is_added_up_once unique (tenant_id, key),
  constraint usage_grain_is_known check (grain in ('day', 'hour', 'day in detail', 'hour in detail', 'session', 'past'))
);
comment on column public.usage.session_id is 'Only in the grain `session`; null there: steps without one. Likewise user_id.';
comment on column public.usage.begins is 'The beginning of the day, or of the hour.';
comment on column public.usage.agent is 'As model, tool and user_id: see internal.counted_name.';
comment on column public.usage.model is 'Of model calls, and of records that have tokens. In the grains `day` and `hour`, agent and tool are null.';
comment on column public.usage.tool is 'Of tool calls.';
comment on column public.usage.input_tokens is 'Numeric, as all sums of what clients may tell: it has no end.';
comment on column public.usage.uncached_input_tokens is
  'What the whole price is paid for: the input without what came from a cache. See internal.figure_of.';
comment on column public.usage.steps is 'All that have a place in a trace: log entries and spans, too.';
comment on column public.usage.errors is 'Steps whose status is `error`, of whatever kind.';
comment on column public.usage.billed_steps is
  'Model calls, and other records with tokens: what costs something. Wrappers and spans do not: their tokens are those of calls.';
comment on column public.usage.untold_steps is 'Those of them whose tokens were not told: what they cost is not known.';
comment on column public.usage.latencies is
  'Of model calls, in a row of a tool of its calls: {bucket: how many}, see internal.latency_bucket.';
create index usage_by_time on public.usage (tenant_id, grain, namespace_id, begins);
create index usage_of_a_session on public.usage (tenant_id, session_id, namespace_id) where grain = 'session';
create index usage_of_an_agent on public.usage (tenant_id, agent, session_id, namespace_id) where grain = 'session';
create index usage_of_a_model on public.usage (tenant_id, model, session_id, namespace_id) where grain = 'session';
create index usage_of_a_user
  on public.usage (tenant_id, user_id, session_id, namespace_id) where grain = 'session' and user_id is not null;
alter table public.usage replica identity full; -- for replication: it has no primary key
