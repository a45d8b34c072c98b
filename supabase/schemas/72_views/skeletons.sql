-- Steps as lists show them: skeletons, which hold nothing of what was said but a preview.

-- From after which fold until which one a page of steps is, and where it begins. The first page is until now; the others are
-- until the same fold, so that what is folded meanwhile is left to who asks for what came since.
create function internal.span_of_folds(
  owner_id uuid, query jsonb, out since bigint, out until bigint, out after_time timestamptz, out after_id uuid)
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  since := coalesce(query #>> '{after,since}', query ->> 'since', '0');
  until := coalesce(
    (query #>> '{after,until}')::bigint,
    (select folds.number from public.folds where folds.tenant_id = owner_id), 0);
  after_time := coalesce(query #>> '{after,occurred_at}', '-infinity');
  after_id := coalesce(query #>> '{after,id}', '00000000-0000-0000-0000-000000000000');
end $$;

-- A page of steps: {traces, steps, count, next, watermark}, of ids that are one more than the page where there is a next one.
create function internal.skeleton_page(
  owner_id uuid, usable text[], kept jsonb, trace_ids text[], ids uuid[], total bigint, since bigint, until bigint, wanted integer)
returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  last_id uuid := case when cardinality(ids) = wanted then ids[wanted - 1] end;
begin
  return jsonb_build_object(
    'traces', internal.linked_traces(owner_id, usable, kept, trace_ids),
    'steps', internal.skeletons(owner_id, usable, kept, ids[1 : wanted - 1]),
    'count', total,
    'next', (
      select jsonb_build_object('occurred_at', placements.happened_at, 'id', last_id, 'since', skeleton_page.since,
        'until', skeleton_page.until, 'count', total)
      from public.placements where placements.step_id = last_id),
    'watermark', skeleton_page.until);
end $$;

-- Of each of these traces that the token may see, its id, its parent as the token sees it, and its agent.
create function internal.linked_traces(owner_id uuid, usable text[], kept jsonb, trace_ids text[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return to_jsonb(array(
    select jsonb_build_object('id', trace.trace_id, 'agent', trace.agent, 'parent_trace_id', case
      when usable is null and kept is null then trace.parent_trace_id
      when internal.is_seen_trace(owner_id, usable, kept, trace.parent_trace_id) then trace.parent_trace_id
    end)
    from unnest(linked_traces.trace_ids) with ordinality as wanted (id, place)
    cross join lateral (
      select traces.trace_id, traces.agent, traces.parent_trace_id from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = wanted.id
        and (usable is null and kept is null or internal.is_seen(usable, kept, traces))
      offset 0
    ) as trace
    order by wanted.place));
end $$;

-- The skeletons of these steps, in their order. A step's number is its place in the order of arrival in its trace (of log entries
-- that belong to none both are null); and to a trace that the token may not see, no step leads. Tokens are told where they count:
-- what spans say of the calls below them is in the steps themselves. Of an encrypted step, `error` is {sealed}, which has the preview
-- and the name, too. Column by column: a whole row would bring its content along.
create function internal.skeletons(owner_id uuid, usable text[], kept jsonb, ids uuid[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_nestloop = off as $$
begin
  return to_jsonb(array(
    with placed as materialized (
      select given.place, given.id, found.*
      from unnest(skeletons.ids) with ordinality as given (id, place)
      left join lateral (select placements.* from public.placements where placements.step_id = given.id offset 0) as found on true
    ), numbered as materialized (
      select step.id, step.number
      from (select distinct placed.trace_id from placed) as trace
      cross join lateral (
        select placements.step_id as id, row_number() over (order by placements.step_id) as number from public.placements
        where placements.tenant_id = owner_id and placements.trace_id = trace.trace_id
        offset 0
      ) as step
    )
    select jsonb_build_object(
      'id', step.id,
      'trace_id', placed.trace_id,
      'step_number', numbered.number,
      'kind', case when placed.is_wrapper then 'span' else step.kind end,
      'agent', coalesce(placed.agent, step.agent),
      'name', case step.kind when 'llm' then coalesce(step.model, step.name) else step.name end,
      'started_at', internal.timestamp_text(internal.start_of(step.started_at, step.occurred_at, step.latency_ms)),
      'duration_ms', step.latency_ms,
      'time_told', step.started_at is not null,
      'status', step.status,
      'error', case when jsonb_typeof(step.error) = 'string' then jsonb_build_object('sealed', step.error)
        else to_jsonb(left(coalesce(step.error ->> 'message', step.error ->> 'type'), 120)) end,
      'input_tokens', case when counts.here then coalesce(step.input_tokens, placed.input_tokens) end,
      'output_tokens', case when counts.here then coalesce(step.output_tokens, placed.output_tokens) end,
      'cost', cost.cost,
      'to_trace_id', case
        when usable is null and kept is null or internal.is_seen_trace(owner_id, usable, kept, placed.to_trace_id)
        then placed.to_trace_id end,
      'bytes', step.bytes,
      'preview', step.preview)
    from placed
    left join numbered on numbered.id = placed.id
    cross join lateral (
      select steps.id, steps.list, steps.kind, steps.agent, steps.model, steps.started_at, steps.occurred_at, steps.latency_ms,
             steps.status, steps.input_tokens, steps.output_tokens, -- and, as internal.take_content leaves them:
             case when is_told or steps.kind not in ('llm', 'span') then steps.name end as name,
             case when is_told then steps.error end as error, case when is_told then steps.bytes else 0 end as bytes,
             case when is_told then steps.preview end as preview
      from public.steps
      cross join lateral (
        select kept is null or internal.is_kept_with_content(kept, steps.namespace_id, steps.id) as is_told
      ) as content
      where steps.id = placed.id offset 0
    ) as step
    cross join lateral (select step.list = 'records' and not placed.is_wrapper as here) as counts
    left join internal.costs_of_steps(owner_id, skeletons.ids) as cost on cost.step_id = step.id
    order by placed.place));
end $$;

-- Whether the token may see the trace.
create function internal.is_seen_trace(owner_id uuid, usable text[], kept jsonb, trace_id text) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return exists (select from internal.seen_trace(owner_id, usable, kept, is_seen_trace.trace_id));
end $$;
