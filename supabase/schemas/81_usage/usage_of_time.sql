-- Adding up usage when somebody asks.

-- What was used, or what was scored, as far as it goes into one row: what rows are not by is null. `moment`: the beginning of its
-- day or hour in the time zone that was asked for; `day`: the day (UTC) whose prices count. See public.usage.
create type internal.usage_line as (
  moment timestamptz, day date, namespace_id bigint, agent text, model text, tool text, user_id text, calls numeric,
  tool_calls numeric, errors numeric, input_tokens numeric, cached_input_tokens numeric, uncached_input_tokens numeric,
  output_tokens numeric, reasoning_tokens numeric, billed_steps numeric, untold_steps numeric, latencies jsonb,
  score internal.counted_score);

-- {rows, totals, start_date, end_date?}: what the namespaces used in that time, by what the query asks for.
create function internal.usage_of_time(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  asked jsonb := query -> 'by';
  lines internal.usage_line[] := internal.lines_of_usage(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_steps(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_past(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_scores(owner_id, namespace_ids, query, wanted);
begin
  lines := internal.lines_of_kept_users(lines, owner_id, namespace_ids, query);
  return (
    with keyed as materialized (
      select dense_rank() over (
               order by line.moment, line.namespace, line.agent, line.model_of_row, line.tool, line.user_id) as number, line.*
      from (
        select line.*, case when asked ? 'model' then line.model end as model_of_row, (
                 select namespaces.name from public.namespaces where namespaces.id = line.namespace_id) as namespace
        from unnest(lines) as line
      ) as line
    ), placed as materialized ( -- each once in its row, and once in the totals
      select place.number as place, keyed.* from keyed cross join lateral (values (keyed.number), (0)) as place (number)
    ), figures as (
      select placed.place, sum(placed.calls) as calls, sum(placed.tool_calls) as tool_calls, sum(placed.errors) as errors,
             sum(placed.input_tokens) as input_tokens, sum(placed.cached_input_tokens) as cached_input_tokens,
             sum(placed.output_tokens) as output_tokens, sum(placed.reasoning_tokens) as reasoning_tokens,
             internal.score_figures(array_agg(placed.score) filter (where (placed.score).name is not null)) as scores
      from placed group by placed.place
    ), latency as (
      select counted.place, internal.percentile(array_agg(counted.bucket order by counted.bucket),
               array_agg(counted.count order by counted.bucket), 0.5) as p50,
             internal.percentile(array_agg(counted.bucket order by counted.bucket),
               array_agg(counted.count order by counted.bucket), 0.95) as p95
      from (
        select placed.place, bucket.key::integer as bucket, sum(bucket.value::bigint) as count
        from placed cross join lateral jsonb_each(placed.latencies) as bucket
        where placed.tool is null or placed.place > 0 or query ? 'tool'
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
        select internal.row_of_usage(asked, wanted.zone, row.moment, row.namespace, row.agent, row.model_of_row,
            row.tool, row.user_id)
          || view.figures
        from (
          select distinct keyed.number, keyed.moment, keyed.namespace, keyed.agent, keyed.model_of_row, keyed.tool, keyed.user_id
          from keyed
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

-- These lines, but a user of whom nothing is kept is told no longer: what they used is nobody's, and nothing to who asks for them.
create function internal.lines_of_kept_users(
  lines internal.usage_line[], owner_id uuid, namespace_ids bigint[], query jsonb)
returns internal.usage_line[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  kept jsonb := internal.kept(owner_id);
  forgotten text[];
begin
  if kept is null then return lines; end if;
  if query ? 'user_id' and not internal.is_kept_user(kept, owner_id, namespace_ids, query ->> 'user_id') then return '{}'; end if;
  forgotten := array(
    select told.user_id from (select distinct line.user_id from unnest(lines) as line where line.user_id is not null) as told
    where not internal.is_kept_user(kept, owner_id, namespace_ids, told.user_id));
  for place in 1 .. cardinality(lines) loop
    if lines[place].user_id = any (forgotten) then lines[place].user_id := null; end if;
  end loop;
  return lines;
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

-- The whole days and hours of that time, but those that lie in two days of the time zone. Latencies come in lines of their own.
create function internal.lines_of_usage(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  asked jsonb := query -> 'by';
  is_detailed boolean := asked ?| '{agent, tool}' or query ?| '{agent, tool}';
  grain_of_days text := case when is_detailed then 'day in detail' else 'day' end;
  grain_of_hours text := case when asked ? 'user' or query ? 'user_id' then 'session'
    when is_detailed then 'hour in detail' else 'hour' end;
  new_prices date[] := internal.new_prices(owner_id, wanted);
begin
  return array(
    with used as materialized (
      select case when wanted.unit is not null then date_trunc(wanted.unit, usage.begins, wanted.zone) end as moment,
             new_prices[width_bucket((usage.begins at time zone 'UTC')::date, new_prices)] as day,
             case when asked ? 'namespace' then usage.namespace_id end as namespace_id,
             case when asked ? 'agent' then usage.agent end as agent, usage.model,
             case when asked ? 'tool' then usage.tool end as tool, case when asked ? 'user' then usage.user_id end as user_id,
             usage.calls, usage.tool_calls, usage.errors, usage.input_tokens, usage.cached_input_tokens,
             usage.uncached_input_tokens, usage.output_tokens, usage.reasoning_tokens, usage.billed_steps,
             usage.untold_steps, case when usage.tool is null or asked ? 'tool' or query ? 'tool' then usage.latencies end as latencies
      from (
        values (grain_of_days, wanted.first_day, wanted.last_day),
               (grain_of_hours, wanted.first_hour, least(wanted.first_day, wanted.last_hour)),
               (grain_of_hours, greatest(wanted.last_day, wanted.first_hour), wanted.last_hour)
      ) as span (grain, begins, ends)
      cross join unnest(namespace_ids) as namespace (id)
      cross join lateral (
        select usage.* from public.usage
        where usage.tenant_id = owner_id and usage.grain = span.grain and usage.namespace_id = namespace.id
          and usage.begins >= span.begins and usage.begins < span.ends
          and (query ->> 'agent' is null or usage.agent = query ->> 'agent')
          and (query ->> 'model' is null or usage.model = query ->> 'model')
          and (query ->> 'tool' is null or usage.tool = query ->> 'tool')
          and (query ->> 'user_id' is null or usage.user_id = query ->> 'user_id')
        offset 0
      ) as usage
      where span.begins < span.ends
        and (wanted.unit is null or span.grain = grain_of_days or date_trunc(wanted.unit, usage.begins, wanted.zone)
          = date_trunc(wanted.unit, usage.begins + interval '1 hour' - interval '1 microsecond', wanted.zone))
    )
    select (
      used.moment, used.day, used.namespace_id, used.agent, used.model, used.tool, used.user_id, sum(used.calls),
      sum(used.tool_calls), sum(used.errors), sum(used.input_tokens), sum(used.cached_input_tokens),
      sum(used.uncached_input_tokens), sum(used.output_tokens), sum(used.reasoning_tokens), sum(used.billed_steps),
      sum(used.untold_steps), '{}', null)::internal.usage_line
    from used
    group by used.moment, used.day, used.namespace_id, used.agent, used.model, used.tool, used.user_id
    union all
    select (
      counted.moment, null, counted.namespace_id, counted.agent, counted.model, counted.tool, counted.user_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, jsonb_object_agg(counted.bucket, counted.count),
      null)::internal.usage_line
    from (
      select used.moment, used.namespace_id, used.agent, case when asked ? 'model' then used.model end as model, used.tool,
             used.user_id, latency.key as bucket, sum(latency.value::bigint) as count
      from used cross join lateral jsonb_each(used.latencies) as latency
      group by 1, 2, 3, 4, 5, 6, 7
    ) as counted
    group by counted.moment, counted.namespace_id, counted.agent, counted.model, counted.tool, counted.user_id);
end $$;

-- The first day of that time, and each later one on which a price begins: until the next of them, prices stay as they are.
create function internal.new_prices(owner_id uuid, wanted internal.usage_time) returns date[]
language plpgsql stable set search_path = '' as $$
declare
  first_day date := (wanted.begins at time zone 'UTC')::date;
begin
  return array(
    select first_day
    union
    select entry.valid_from from internal.price_entries(owner_id) as entry where entry.valid_from > first_day
    order by 1);
end $$;

-- The parts of that time which are no whole hours, step by step.
create function internal.lines_of_steps(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
begin
  if wanted.parts = '{}' then return '{}'; end if;
  return array(
    select internal.line_of_figure(query, wanted, said.occurred_at, counted.figure, null)
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
      select internal.figure_of(internal.counted_step(said.id), known.placed, 1) as figure offset 0
    ) as counted
    where internal.is_wanted(query, counted.figure));
end $$;

-- What steps used in these parts that were forgotten since. Of them the hour is all that is known: it counts where it begins.
create function internal.lines_of_past(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  asked jsonb := query -> 'by';
begin
  if wanted.parts = '{}' or query ? 'user_id' then return '{}'; end if;
  return array(
    select (
      case when wanted.unit is not null then date_trunc(wanted.unit, past.begins, wanted.zone) end,
      (past.begins at time zone 'UTC')::date, case when asked ? 'namespace' then past.namespace_id end,
      case when asked ? 'agent' then past.agent end, past.model, case when asked ? 'tool' then past.tool end, null, past.calls,
      past.tool_calls, past.errors, past.input_tokens, past.cached_input_tokens, past.uncached_input_tokens, past.output_tokens,
      past.reasoning_tokens, past.billed_steps, past.untold_steps,
      case when past.tool is null or asked ? 'tool' or query ? 'tool' then past.latencies else '{}' end,
      null)::internal.usage_line
    from unnest(wanted.parts) as part
    cross join unnest(namespace_ids) as namespace (id)
    cross join lateral (
      select usage.* from public.usage
      where usage.tenant_id = owner_id and usage.grain = 'past' and usage.namespace_id = namespace.id
        and usage.begins >= lower(part) and usage.begins < upper(part)
        and (query ->> 'agent' is null or usage.agent = query ->> 'agent')
        and (query ->> 'model' is null or usage.model = query ->> 'model')
        and (query ->> 'tool' is null or usage.tool = query ->> 'tool')
      offset 0
    ) as past);
end $$;

-- The scores that were given in that time, each where what it is about stands: a step under its agent, model, tool and user; a trace
-- under its agent; a session under its user. What stands in other namespaces, where a score may have come first, tells nothing.
create function internal.lines_of_scores(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  needs_agent boolean := query -> 'by' ? 'agent' or query ? 'agent';
  needs_user boolean := query -> 'by' ? 'user' or query ? 'user_id';
  kept jsonb := internal.kept(owner_id);
  needs_step boolean := needs_agent or needs_user or query -> 'by' ?| '{model, tool}' or query ?| '{model, tool}';
begin
  return array(
    with stands as ( -- what is not asked for is not looked up
      select case when wanted.unit is not null then date_trunc(wanted.unit, scores.created_at, wanted.zone)
               else wanted.begins end as moment,
             scores.namespace_id, about.figure, scores.name,
             coalesce(scores.number_value::text::numeric, scores.boolean_value::integer) as value,
             case when needs_agent and scores.trace_id is not null then (
               select internal.counted_name(traces.agent) from public.traces
               where traces.tenant_id = owner_id and traces.trace_id = scores.trace_id
                 and traces.namespace_id = any (lines_of_scores.namespace_ids)) end as agent,
             case when needs_user and scores.session_id is not null then (
               select internal.counted_name(sessions.user_id) from public.sessions
               where sessions.tenant_id = owner_id and sessions.id = scores.session_id
                 and sessions.namespace_id = any (lines_of_scores.namespace_ids)) end as user_id
      from public.scores
      left join lateral (
        select internal.figure_of(internal.counted_step(placements.step_id), placements, 0) as figure
        from public.placements
        where needs_step and placements.step_id = scores.step_id and placements.tenant_id = owner_id
        offset 0
      ) as about on (about.figure).namespace_id = any (lines_of_scores.namespace_ids)
      where scores.tenant_id = owner_id and scores.namespace_id = any (lines_of_scores.namespace_ids)
        and scores.created_at >= wanted.begins and scores.created_at < wanted.ends
        and (kept is null or internal.is_kept_score(kept, scores))
    ), added as (
      select stands.moment, stands.namespace_id, coalesce((stands.figure).agent, stands.agent) as agent,
             (stands.figure).model, (stands.figure).tool, coalesce((stands.figure).user_id, stands.user_id) as user_id,
             (stands.name, count(*), sum(stands.value), count(stands.value))::internal.counted_score as score
      from stands group by 1, 2, 3, 4, 5, 6, stands.name
    )
    select internal.line_of_figure(query, wanted, added.moment, placed.figure, added.score)
    from added
    cross join lateral (
      select (owner_id, null, added.namespace_id, null, added.agent, added.model, added.tool, added.user_id, 0, 0, 0, 0, 0, 0, 0,
              0, 0, 0, 0, null)::internal.figure as figure
    ) as placed
    where internal.is_wanted(query, placed.figure));
end $$;

-- Whether the query's filters let a figure pass.
create function internal.is_wanted(query jsonb, figure internal.figure) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(not query ? 'agent' or figure.agent = query ->> 'agent', false)
    and coalesce(not query ? 'model' or figure.model = query ->> 'model', false)
    and coalesce(not query ? 'tool' or figure.tool = query ->> 'tool', false)
    and coalesce(not query ? 'user_id' or figure.user_id = query ->> 'user_id', false);
end $$;

-- One figure as a line of its own.
create function internal.line_of_figure(
  query jsonb, wanted internal.usage_time, moment timestamptz, figure internal.figure, score internal.counted_score)
returns internal.usage_line
language plpgsql immutable set search_path = '' as $$
declare
  asked jsonb := query -> 'by';
begin
  return (
    case when wanted.unit is not null then date_trunc(wanted.unit, line_of_figure.moment, wanted.zone) end,
    (line_of_figure.moment at time zone 'UTC')::date,
    case when asked ? 'namespace' then figure.namespace_id end, case when asked ? 'agent' then figure.agent end, figure.model,
    case when asked ? 'tool' then figure.tool end, case when asked ? 'user' then figure.user_id end,
    coalesce(figure.calls, 0), coalesce(figure.tool_calls, 0), coalesce(figure.errors, 0), coalesce(figure.input_tokens, 0),
    coalesce(figure.cached_input_tokens, 0), coalesce(figure.uncached_input_tokens, 0), coalesce(figure.output_tokens, 0),
    coalesce(figure.reasoning_tokens, 0), coalesce(figure.billed_steps, 0), coalesce(figure.untold_steps, 0),
    case when figure.latency_bucket is null or figure.tool is not null and not (asked ? 'tool' or query ? 'tool') then '{}'
      else jsonb_build_object(figure.latency_bucket, 1) end,
    line_of_figure.score)::internal.usage_line;
end $$;
