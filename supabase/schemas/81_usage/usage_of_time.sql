-- Adding up usage when somebody asks.

-- What was used, or what was scored, at some place: see public.usage. `moment`: the beginning of its day or hour in the time zone that
-- was asked for; `day`: the day (UTC) whose prices count.
create type internal.usage_line as (
  moment timestamptz, day date, namespace_id bigint, agent text, model text, tool text, user_id text, calls numeric,
  tool_calls numeric, errors numeric, input_tokens numeric, cached_input_tokens numeric,
  uncached_input_tokens numeric, output_tokens numeric, reasoning_tokens numeric, billed_steps numeric, untold_steps numeric, latencies jsonb, score internal.counted_score);

-- {rows, totals, start_date, end_date?}: what the namespaces used in that time, by what the query asks for.
create function internal.usage_of_time(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
declare
  asked jsonb := query -> 'by';
  lines internal.usage_line[] := array(
    select line from unnest(
      internal.lines_of_usage(owner_id, namespace_ids, query, wanted)
      || internal.lines_of_steps(owner_id, namespace_ids, wanted)
      || internal.lines_of_scores(owner_id, namespace_ids, wanted)) as line
    where (not query ? 'agent' or line.agent = query ->> 'agent')
      and (not query ? 'model' or line.model = query ->> 'model')
      and (not query ? 'tool' or line.tool = query ->> 'tool')
      and (not query ? 'user_id' or line.user_id = query ->> 'user_id'));
begin
  return (
    with part as materialized ( -- all that goes into one row, by what it costs and what it is about
      select case when wanted.unit is not null then line.moment end as moment,
             case when asked ? 'namespace' then (
               select namespaces.name from public.namespaces where namespaces.id = line.namespace_id) end as namespace,
             case when asked ? 'agent' then line.agent end as agent,
             case when asked ? 'model' then line.model end as model,
             case when asked ? 'tool' then line.tool end as tool,
             case when asked ? 'user' then line.user_id end as user_id, line
      from unnest(lines) as line
    ), keyed as materialized (
      select (dense_rank() over (order by part.moment, part.namespace, part.agent, part.model, part.tool, part.user_id)) as number,
             part.*
      from part
    ), placed as materialized ( -- each once in its row, and once in the totals
      select keyed.number as place, (keyed.line).* from keyed
      union all
      select 0, (keyed.line).* from keyed
    ), figures as (
      select placed.place, sum(placed.calls) as calls, sum(placed.tool_calls) as tool_calls, sum(placed.errors) as errors,
             sum(placed.input_tokens) as input_tokens, sum(placed.cached_input_tokens) as cached_input_tokens,
             sum(placed.output_tokens) as output_tokens, sum(placed.reasoning_tokens) as reasoning_tokens,
             internal.score_figures(array_agg(placed.score) filter (where (placed.score).id is not null)) as scores
      from placed group by placed.place
    ), latency as (
      select counted.place, internal.percentile(array_agg(counted.bucket order by counted.bucket),
               array_agg(counted.count order by counted.bucket), 0.5) as p50,
             internal.percentile(array_agg(counted.bucket order by counted.bucket),
               array_agg(counted.count order by counted.bucket), 0.95) as p95
      from (
        select placed.place, bucket.key::integer as bucket, sum(bucket.value::bigint) as count
        from placed cross join lateral jsonb_each(placed.latencies) as bucket
        where placed.tool is null or query ? 'tool' or asked ? 'tool' and placed.place > 0
        group by 1, 2
      ) as counted
      group by counted.place
    ), cost as (
      select cost.* from internal.costs_of(owner_id, array(
        select (placed.place, placed.model, placed.day, sum(placed.uncached_input_tokens), sum(placed.cached_input_tokens),
                sum(placed.output_tokens), sum(placed.billed_steps), sum(placed.untold_steps))::internal.cost_line
        from placed group by placed.place, placed.model, placed.day)) as cost
    ), view as (
      select figures.place, jsonb_build_object(
        'calls', figures.calls, 'tool_calls', figures.tool_calls, 'errors', figures.errors,
        'input_tokens', figures.input_tokens, 'cached_input_tokens', figures.cached_input_tokens,
        'output_tokens', figures.output_tokens, 'reasoning_tokens', figures.reasoning_tokens, 'cost', cost.cost,
        'latency_ms', jsonb_build_object('p50', latency.p50, 'p95', latency.p95), 'scores', figures.scores) as figures
      from figures join cost on cost.place = figures.place left join latency on latency.place = figures.place
    )
    select jsonb_build_object(
      'rows', to_jsonb(array(
        select internal.row_of_usage(asked, wanted.zone, row.moment, row.namespace, row.agent, row.model, row.tool, row.user_id)
          || view.figures
        from (
          select distinct keyed.number, keyed.moment, keyed.namespace, keyed.agent, keyed.model, keyed.tool, keyed.user_id from keyed
        ) as row
        join view on view.place = row.number
        order by row.number
        limit 10001)),
      'totals', coalesce((select view.figures from view where view.place = 0), jsonb_build_object(
        'calls', 0, 'tool_calls', 0, 'errors', 0, 'input_tokens', 0, 'cached_input_tokens', 0, 'output_tokens', 0,
        'reasoning_tokens', 0, 'latency_ms', '{"p50": null, "p95": null}'::jsonb, 'scores', '{}'::jsonb, 'cost', jsonb_build_object(
          'amount', '0', 'currency', internal.currency_of_prices(owner_id), 'unpriced_steps', 0))),
      'start_date', internal.timestamp_text(wanted.begins),
      'end_date', case when isfinite(wanted.ends) then internal.timestamp_text(wanted.ends - interval '1 microsecond') end));
end $$;

-- What a row of usage is about: the members that were asked for.
create function internal.row_of_usage(
  asked jsonb, zone text, moment timestamptz, namespace text, agent text, model text, tool text, user_id text) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return case when asked ? 'day' then jsonb_build_object('day', to_char(moment at time zone zone, 'YYYY-MM-DD'))
      when asked ? 'hour' then jsonb_build_object('hour', internal.timestamp_text(moment)) else '{}' end
    || case when asked ? 'namespace' then jsonb_build_object('namespace', namespace) else '{}' end
    || case when asked ? 'agent' then jsonb_build_object('agent', agent) else '{}' end
    || case when asked ? 'model' then jsonb_build_object('model', model) else '{}' end
    || case when asked ? 'tool' then jsonb_build_object('tool', tool) else '{}' end
    || case when asked ? 'user' then jsonb_build_object('user', user_id) else '{}' end;
end $$;

-- The latency that so large a part of the calls did not exceed, of the buckets in order and how many are in each.
create function internal.percentile(buckets integer[], counts numeric[], part numeric) returns numeric
language plpgsql immutable set search_path = '' as $$
declare
  wanted numeric := ceil(percentile.part * (select sum(count) from unnest(percentile.counts) as count));
begin
  for place in 1 .. cardinality(percentile.buckets) loop
    wanted := wanted - percentile.counts[place];
    if wanted <= 0 then return internal.latency_of_bucket(percentile.buckets[place]); end if;
  end loop;
  return null;
end $$;

-- The whole days and hours of that time, but those that lie in two days.
create function internal.lines_of_usage(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
declare
  by_user boolean := query -> 'by' ? 'user' or query ? 'user_id';
begin
  return array(
    select (
      case when wanted.unit is not null then date_trunc(wanted.unit, usage.begins, wanted.zone) end,
      (usage.begins at time zone 'UTC')::date, usage.namespace_id, usage.agent, usage.model, usage.tool, usage.user_id,
      usage.calls, usage.tool_calls, usage.errors, usage.input_tokens, usage.cached_input_tokens,
      usage.uncached_input_tokens, usage.output_tokens,
      usage.reasoning_tokens, usage.billed_steps, usage.untold_steps, usage.latencies, null)::internal.usage_line
    from (
      values ('day', wanted.first_day, wanted.last_day),
             (case when by_user then 'session' else 'hour' end, wanted.first_hour, least(wanted.first_day, wanted.last_hour)),
             (case when by_user then 'session' else 'hour' end, greatest(wanted.last_day, wanted.first_hour), wanted.last_hour)
    ) as span (grain, begins, ends)
    cross join unnest(namespace_ids) as namespace (id)
    cross join lateral (
      select usage.* from public.usage
      where usage.tenant_id = owner_id and usage.grain = span.grain and usage.namespace_id = namespace.id
        and usage.begins >= span.begins and usage.begins < span.ends
      offset 0
    ) as usage
    where span.begins < span.ends
      and (wanted.unit is null or span.grain = 'day' or date_trunc(wanted.unit, usage.begins, wanted.zone)
        = date_trunc(wanted.unit, usage.begins + interval '1 hour' - interval '1 microsecond', wanted.zone)));
end $$;

-- The parts of that time which are no whole hours, step by step.
create function internal.lines_of_steps(owner_id uuid, namespace_ids bigint[], wanted internal.usage_time)
returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select (
      case when wanted.unit is not null then date_trunc(wanted.unit, counted.occurred_at, wanted.zone) end,
      (counted.occurred_at at time zone 'UTC')::date, (counted.figure).namespace_id, (counted.figure).agent,
      (counted.figure).model, (counted.figure).tool, (counted.figure).user_id, (counted.figure).calls,
      (counted.figure).tool_calls, (counted.figure).errors, (counted.figure).input_tokens,
      (counted.figure).cached_input_tokens, (counted.figure).uncached_input_tokens, (counted.figure).output_tokens, (counted.figure).reasoning_tokens,
      (counted.figure).billed_steps, (counted.figure).untold_steps,
      case when (counted.figure).latency_bucket is null then '{}'
        else jsonb_build_object((counted.figure).latency_bucket, 1) end, null)::internal.usage_line
    from unnest(wanted.parts) as part
    cross join unnest(namespace_ids) as namespace (id)
    cross join (values ('records'), ('spans'), ('logs')) as list (name)
    cross join lateral (
      select steps.id, steps.occurred_at from public.steps
      where steps.tenant_id = owner_id and steps.namespace_id = namespace.id and steps.list = list.name
        and steps.occurred_at >= lower(part) and steps.occurred_at < upper(part)
      offset 0
    ) as said
    cross join lateral (
      select placements as placed from public.placements where placements.step_id = said.id offset 0
    ) as known
    cross join lateral (
      select said.occurred_at, internal.figure_of(internal.counted_step(said.id), known.placed, 1) as figure offset 0
    ) as counted);
end $$;

-- The scores that were given in that time, each where what it is about stands: a step under its agent, model, tool and user; a trace
-- under its agent; a session under its user. What stands in other namespaces, where a score may have come first, tells nothing.
create function internal.lines_of_scores(owner_id uuid, namespace_ids bigint[], wanted internal.usage_time)
returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
begin
  return array(
    select (
      case when wanted.unit is not null then date_trunc(wanted.unit, scores.created_at, wanted.zone) end,
      (scores.created_at at time zone 'UTC')::date, scores.namespace_id,
      coalesce((about.figure).agent, (
        select internal.counted_name(traces.agent) from public.traces
        where traces.tenant_id = owner_id and traces.trace_id = scores.trace_id
          and traces.namespace_id = any (lines_of_scores.namespace_ids))),
      (about.figure).model, (about.figure).tool,
      coalesce((about.figure).user_id, (
        select internal.counted_name(sessions.user_id) from public.sessions
        where sessions.tenant_id = owner_id and sessions.id = scores.session_id
          and sessions.namespace_id = any (lines_of_scores.namespace_ids))),
      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', internal.counted_score(scores))::internal.usage_line
    from public.scores
    left join lateral (
      select internal.figure_of(internal.counted_step(placements.step_id), placements, 1) as figure
      from public.placements where placements.step_id = scores.step_id and placements.tenant_id = owner_id
      offset 0
    ) as about on (about.figure).namespace_id = any (lines_of_scores.namespace_ids)
    where scores.tenant_id = owner_id and scores.namespace_id = any (namespace_ids)
      and scores.created_at >= wanted.begins and scores.created_at < wanted.ends);
end $$;
