-- What each step adds to the figures.

-- What of a step is added up.
create type internal.counted_step as (
  id uuid, tenant_id uuid, namespace_id bigint, session_id text, list text, kind text, name text, agent text, status text,
  model text, started_at timestamptz, occurred_at timestamptz, latency_ms bigint, input_tokens bigint,
  cached_input_tokens bigint, output_tokens bigint, reasoning_tokens bigint, user_id text);

-- What a step adds, or takes away: see public.usage.
create type internal.figure as (
  tenant_id uuid, session_id text, namespace_id bigint, hour timestamptz, agent text, model text, tool text, user_id text,
  steps integer, calls integer, tool_calls integer, errors integer, input_tokens bigint, cached_input_tokens bigint,
  uncached_input_tokens bigint, output_tokens bigint, reasoning_tokens bigint, billed_steps integer, untold_steps integer, latency_bucket integer);

-- A step that gets a place, or another one. Before it has one, `before` is null.
create type internal.moved_step as (step internal.counted_step, before public.placements, after public.placements);

-- What a step adds where it stands; with `change` -1, what it takes away. Its placement tells what it does not say itself, and its user.
create function internal.figure_of(step internal.counted_step, placed public.placements, change integer) returns internal.figure
language plpgsql immutable set search_path = '' as $$
declare
  kind text := case when placed.is_wrapper then 'span' else step.kind end;
  is_record boolean := kind not in ('log', 'agent', 'span');
  input_tokens bigint := case when is_record then coalesce(step.input_tokens, placed.input_tokens, 0) else 0 end;
  output_tokens bigint := case when is_record then coalesce(step.output_tokens, placed.output_tokens, 0) else 0 end;
  cached_input_tokens bigint := case when is_record
    then coalesce(step.cached_input_tokens, placed.cached_input_tokens, 0) else 0 end;
  reasoning_tokens bigint := case when is_record then coalesce(step.reasoning_tokens, placed.reasoning_tokens, 0) else 0 end;
  -- More from a cache than there is: its sender tells them apart, as Anthropic does. Else they are a part of the input.
  uncached_input_tokens bigint := case when cached_input_tokens > input_tokens then input_tokens
    else input_tokens - cached_input_tokens end;
  has_tokens boolean := input_tokens + output_tokens + cached_input_tokens > 0;
  is_billed boolean := kind = 'llm' or has_tokens;
begin
  return (
    step.tenant_id, coalesce(step.session_id, placed.session_id), step.namespace_id, date_trunc('hour', step.occurred_at, 'UTC'),
    internal.counted_name(coalesce(placed.agent, step.agent)), case when is_billed then internal.counted_name(step.model) end,
    case when kind = 'tool' then internal.counted_name(step.name) end, internal.counted_name(placed.user_id),
    change, (kind = 'llm')::integer * change, (kind = 'tool')::integer * change,
    coalesce(step.status = 'error', false)::integer * change, input_tokens * change,
    cached_input_tokens * change, uncached_input_tokens * change, output_tokens * change, reasoning_tokens * change,
    is_billed::integer * change, (is_billed and not has_tokens)::integer * change,
    case when kind in ('llm', 'tool') then internal.latency_bucket(step.latency_ms) end)::internal.figure;
end $$;

-- A query, with the names that steps are added up under in the place of those that it filters by.
create function internal.with_counted_names(query jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return with_counted_names.query || coalesce((
    select jsonb_object_agg(filter.name, internal.counted_name(query ->> filter.name))
    from unnest('{agent, model, tool, user_id}'::text[]) as filter (name) where query ? filter.name), '{}');
end $$;

-- Adds figures to the usage, in each grain; those of the past in `past` as well. Only under the fold lock of the tenants that they
-- belong to.
create function internal.add_figures(figures internal.figure[], are_past boolean default false) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  emptied tid[];
begin
  if figures = '{}' then return; end if;
  with figure as (
    select figure.tenant_id, place.grain, place.session_id, figure.namespace_id, place.begins, place.agent, figure.model,
           place.tool, place.user_id,
           case when figure.tool is null or place.tool is not null then figure.latency_bucket end as latency_bucket, sum(figure.steps) as steps, sum(figure.calls) as calls,
           sum(figure.tool_calls) as tool_calls, sum(figure.errors) as errors, sum(figure.input_tokens) as input_tokens,
           sum(figure.cached_input_tokens) as cached_input_tokens,
           sum(figure.uncached_input_tokens) as uncached_input_tokens, sum(figure.output_tokens) as output_tokens,
           sum(figure.reasoning_tokens) as reasoning_tokens, sum(figure.billed_steps) as billed_steps,
           sum(figure.untold_steps) as untold_steps
    from unnest(add_figures.figures) as figure
    cross join lateral (
      values ('day', date_trunc('day', figure.hour, 'UTC'), null, null, null, null),
             ('hour', figure.hour, null, null, null, null),
             ('day in detail', date_trunc('day', figure.hour, 'UTC'), null, null, figure.agent, figure.tool),
             ('hour in detail', figure.hour, null, null, figure.agent, figure.tool),
             ('session', figure.hour, figure.session_id, figure.user_id, figure.agent, figure.tool),
             (case when are_past then 'past' end, figure.hour, null, null, figure.agent, figure.tool)
    ) as place (grain, begins, session_id, user_id, agent, tool)
    where place.grain is not null
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 -- by the latency, too: then all latencies of a row are counted
  ), written as (
    insert into public.usage as known (
      tenant_id, grain, session_id, namespace_id, begins, agent, model, tool, user_id, steps, calls, tool_calls, errors,
      input_tokens, cached_input_tokens, uncached_input_tokens, output_tokens, reasoning_tokens, billed_steps, untold_steps,
      latencies)
    select figure.tenant_id, figure.grain, figure.session_id, figure.namespace_id, figure.begins, figure.agent, figure.model,
           figure.tool, figure.user_id, sum(figure.steps), sum(figure.calls), sum(figure.tool_calls), sum(figure.errors),
           sum(figure.input_tokens), sum(figure.cached_input_tokens), sum(figure.uncached_input_tokens), sum(figure.output_tokens),
           sum(figure.reasoning_tokens), sum(figure.billed_steps), sum(figure.untold_steps),
           coalesce(jsonb_object_agg(figure.latency_bucket, figure.steps)
             filter (where figure.latency_bucket is not null and figure.steps <> 0), '{}')
    from figure group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    on conflict on constraint usage_is_added_up_once do update set
      steps = known.steps + excluded.steps, calls = known.calls + excluded.calls,
      tool_calls = known.tool_calls + excluded.tool_calls, errors = known.errors + excluded.errors,
      input_tokens = known.input_tokens + excluded.input_tokens,
      cached_input_tokens = known.cached_input_tokens + excluded.cached_input_tokens,
      uncached_input_tokens = known.uncached_input_tokens + excluded.uncached_input_tokens,
      output_tokens = known.output_tokens + excluded.output_tokens,
      reasoning_tokens = known.reasoning_tokens + excluded.reasoning_tokens,
      billed_steps = known.billed_steps + excluded.billed_steps, untold_steps = known.untold_steps + excluded.untold_steps,
      latencies = internal.added_latencies(known.latencies, excluded.latencies)
    returning known.ctid as place, known.steps
  )
  select array_agg(written.place) into emptied from written where written.steps = 0;
  if emptied is not null then delete from public.usage where usage.ctid = any (emptied); end if;
end $$;

-- Adds a tenant's past to its usage, where there is nothing yet: for a rebuild.
create function internal.count_past(owner_id uuid) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  with placed as materialized (
    select past.*, place.grain as grain_of_place, place.hour, place.agent_of_place, place.tool_of_place,
           internal.usage_key(place.grain, null, past.namespace_id, place.hour, place.agent_of_place, past.model,
                              place.tool_of_place, null) as place_key
    from public.usage as past
    cross join lateral (
      values ('day', date_trunc('day', past.begins, 'UTC'), null, null),
             ('hour', past.begins, null, null),
             ('day in detail', date_trunc('day', past.begins, 'UTC'), past.agent, past.tool),
             ('hour in detail', past.begins, past.agent, past.tool),
             ('session', past.begins, past.agent, past.tool)
    ) as place (grain, hour, agent_of_place, tool_of_place)
    where past.tenant_id = owner_id and past.grain = 'past'
  ), latency as (
    select counted.place_key, jsonb_object_agg(counted.bucket, counted.count) as latencies
    from (
      select placed.place_key, bucket.key as bucket, sum(bucket.value::bigint) as count
      from placed cross join lateral jsonb_each(placed.latencies) as bucket
      where placed.tool is null or placed.tool_of_place is not null
      group by 1, 2
    ) as counted
    group by counted.place_key
  )
  insert into public.usage (
    tenant_id, grain, namespace_id, begins, agent, model, tool, steps, calls, tool_calls, errors, input_tokens,
    cached_input_tokens, uncached_input_tokens, output_tokens, reasoning_tokens, billed_steps, untold_steps, latencies)
  select owner_id, placed.grain_of_place, placed.namespace_id, placed.hour, placed.agent_of_place, placed.model,
         placed.tool_of_place, sum(placed.steps), sum(placed.calls), sum(placed.tool_calls), sum(placed.errors),
         sum(placed.input_tokens), sum(placed.cached_input_tokens), sum(placed.uncached_input_tokens), sum(placed.output_tokens),
         sum(placed.reasoning_tokens), sum(placed.billed_steps), sum(placed.untold_steps), coalesce(latency.latencies, '{}')
  from placed left join latency using (place_key)
  group by placed.place_key, latency.latencies, placed.grain_of_place, placed.namespace_id, placed.hour, placed.agent_of_place,
           placed.model, placed.tool_of_place;
end $$;

-- What is added up of a step that is stored. Column by column: a whole row would bring its content along.
create function internal.counted_step(step_id uuid) returns internal.counted_step
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  step internal.counted_step;
begin
  select steps.id, steps.tenant_id, steps.namespace_id, steps.session_id, steps.list, steps.kind, steps.name, steps.agent,
         steps.status, steps.model, steps.started_at, steps.occurred_at, steps.latency_ms, steps.input_tokens,
         steps.cached_input_tokens, steps.output_tokens, steps.reasoning_tokens, steps.user_id
  into step
  from public.steps where steps.id = counted_step.step_id;
  return step;
end $$;
