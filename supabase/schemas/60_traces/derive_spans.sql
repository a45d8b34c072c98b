-- How the traces of an OpenTelemetry trace arise from its spans, in whatever order they came:
-- - The root has the OpenTelemetry trace id itself. Each agent's span opens a trace below the trace of its nearest agent's span,
--   with the id {trace id}-{span id}; where the earliest span without a parent is an agent's, it is the root.
-- - A span belongs to the trace of its nearest agent's span. Whose parent never comes, or has not come yet, belongs to the root;
--   and in a cycle of parents the link that closes it is ignored.
-- - An agent that is handed over to and then begins beside the one that hands over is below it.
-- And what spans do not say themselves:
-- - Their session is that of the nearest span above which says one, else of the first span that does, else the OpenTelemetry
--   trace id; so is their user, but for the last. A log entry is below its span.
-- - A model call with another one below it is a wrapper, which does not count as a call.
-- - A model call without tokens, in a turn (OpenAI Agents), has those of the turn less those of the tasks in it.
create function internal.derive_spans(tree_key uuid) returns internal.tree
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  tree internal.tree;
  -- Of each span, by its number in the order in which the spans began. Arrays of their own: only such are fast.
  spans internal.span[];
  span internal.span;
  parents integer[]; -- the number of its parent, where that has come
  links integer[]; -- the same, without those that close a cycle
  traces integer[]; -- the trace that it belongs to; 0 while that is being looked for
  session_tellers integer[]; -- the span that tells its session; likewise its user
  user_tellers integer[];
  turns integer[]; -- the turn that it is in
  has_call_below boolean[];
  -- Of each turn, the call that has its tokens, and what is not that call's:
  calls integer[];
  input_of_tasks bigint[];
  output_of_tasks bigint[];
  cached_of_tasks bigint[];
  reasoning_of_tasks bigint[];
  root_id text; -- the OpenTelemetry trace id
  first_root integer;
  -- Of each trace, the root being the first:
  openers integer[]; -- the number of the span that opened it
  parent_traces integer[] := array[null::integer];
  handoffs bigint[]; -- the number of the handoff that it follows
  path integer[]; -- from a span up to the first one whose trace is known
  place integer;
  above integer;
  trace integer;
begin
  select array_agg(found.span order by found.number), array_agg(parent.number order by found.number),
         min((found.span).otel_trace_id), min(found.number) filter (where (found.span).parent_span_id is null)
  into spans, parents, root_id, first_root
  from internal.spans_of_tree(derive_spans.tree_key) as found
  left join internal.spans_of_tree(derive_spans.tree_key) as parent on (parent.span).span_id = (found.span).parent_span_id;
  if spans is null then return tree; end if; -- all of them were deleted

  traces := array_fill(null::integer, array[cardinality(spans)]);
  links := traces;
  session_tellers := traces;
  user_tellers := traces;
  turns := traces;
  calls := traces;
  input_of_tasks := array_fill(0::bigint, array[cardinality(spans)]);
  output_of_tasks := input_of_tasks;
  cached_of_tasks := input_of_tasks;
  reasoning_of_tasks := input_of_tasks;
  has_call_below := array_fill(false, array[cardinality(spans)]);
  openers := array[coalesce(first_root, 1)];

  for number in 1 .. cardinality(spans) loop
    path := '{}';
    place := number;
    while place is not null and traces[place] is null loop
      traces[place] := 0;
      path := array_append(path, place);
      place := parents[place];
    end loop;
    above := case when traces[place] > 0 then place end;
    for depth in reverse cardinality(path) .. 1 loop
      place := path[depth];
      span := spans[place];
      links[place] := above;
      trace := coalesce(traces[above], 1);
      if span.kind = 'agent' and place is distinct from first_root then
        openers := array_append(openers, place);
        parent_traces := array_append(parent_traces, trace);
        trace := cardinality(openers);
      end if;
      traces[place] := trace;
      session_tellers[place] := case when span.session_id is null then session_tellers[above] else place end;
      user_tellers[place] := case when span.user_id is null then user_tellers[above] else place end;
      if span.role is null then
        turns[place] := turns[above];
      elsif span.role = 'turn' then
        turns[place] := place;
      elsif turns[above] is not null then
        input_of_tasks[turns[above]] := input_of_tasks[turns[above]] + coalesce(span.input_tokens, 0);
        output_of_tasks[turns[above]] := output_of_tasks[turns[above]] + coalesce(span.output_tokens, 0);
        cached_of_tasks[turns[above]] := cached_of_tasks[turns[above]] + coalesce(span.cached_input_tokens, 0);
        reasoning_of_tasks[turns[above]] := reasoning_of_tasks[turns[above]] + coalesce(span.reasoning_tokens, 0);
      end if;
      above := place;
    end loop;
  end loop;

  for number in 1 .. cardinality(spans) loop
    span := spans[number];
    continue when span.kind <> 'llm';
    place := links[number];
    while place is not null and not has_call_below[place] loop
      has_call_below[place] := true;
      place := links[place];
    end loop;
    if turns[number] is not null and span.input_tokens is null and span.output_tokens is null then
      calls[turns[number]] := coalesce(calls[turns[number]], number);
    end if;
  end loop;

  select array_agg(opened.parent order by opened.trace), array_agg(opened.handoff order by opened.trace)
  into parent_traces, handoffs
  from internal.parents_after_handoffs(spans, traces, openers, parent_traces) as opened;
  return internal.tree_of_spans(
    root_id, spans, traces, session_tellers, user_tellers, has_call_below, calls, input_of_tasks, output_of_tasks,
    cached_of_tasks, reasoning_of_tasks, openers, parent_traces, handoffs);
end $$;

-- The steps of an OpenTelemetry trace in the order in which they began. Steps of one moment are ordered by what they say, never
-- by their arrival.
create function internal.spans_of_tree(tree_key uuid) returns table (number integer, span internal.span)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  return query
  select row_number() over (
           order by coalesce(steps.started_at, steps.occurred_at), steps.span_id, steps.parent_span_id, steps.kind, steps.agent,
                    steps.agent_is_named, steps.name, steps.namespace_id, steps.session_id, steps.fingerprint, steps.id)::integer,
         (steps.id, coalesce(steps.started_at, steps.occurred_at), steps.kind, steps.otel_trace_id,
          coalesce(steps.span_id, steps.id::text), steps.parent_span_id,
          case when steps.agent_is_named or steps.kind <> 'agent' then steps.agent else coalesce(steps.name, steps.agent) end,
          steps.namespace_id, steps.session_id, steps.user_id, steps.role, steps.input_tokens, steps.output_tokens,
          steps.cached_input_tokens, steps.reasoning_tokens,
          case steps.kind when 'handoff' then steps.handoffs end)::internal.span
  from public.steps where steps.tree_key = spans_of_tree.tree_key;
end $$;

-- The parents of traces, and the number of the handoff that a trace follows. Agents that hand over in a run of OpenAI Agents, and
-- those that take over, are beside each other: of the latter the next one to begin is below the one that hands over. That one has
-- begun before, so this makes no cycle. An agent that begins below the one that hands over follows its handoff, too.
create function internal.parents_after_handoffs(
  spans internal.span[], traces integer[], openers integer[], parent_traces integer[])
returns table (trace bigint, parent integer, handoff bigint)
language plpgsql immutable set search_path = '' set enable_nestloop = off as $$
begin
  if not exists (select from unnest(parents_after_handoffs.spans) as span where span.kind = 'handoff') then
    return query
    select opener.number, opener.parent, null::bigint from unnest(parent_traces) with ordinality as opener (parent, number);
    return;
  end if;
  return query
    with step as materialized (
      select step.*
      from unnest(parents_after_handoffs.spans, parents_after_handoffs.traces) with ordinality as step (
        id, happened_at, kind, otel_trace_id, span_id, parent_span_id, agent, namespace_id, session_id, user_id, role, input_tokens,
        output_tokens, cached_input_tokens, reasoning_tokens, handoffs, trace, number)
    ), opened as materialized (
      select opener.trace, opener.parent, opener.number, step.agent as name
      from unnest(openers, parent_traces) with ordinality as opener (number, parent, trace)
      join step on step.number = opener.number
    ), event as (
      select opened.number, opened.parent, opened.parent as giver, opened.name, opened.trace, true as opens from opened
      union all
      select step.number, giver.parent, giver.trace, handoff.value ->> 'to', step.trace, false
      from step
      join opened as giver on giver.trace = step.trace and giver.number < step.number
      cross join lateral jsonb_array_elements(step.handoffs) as handoff
      where step.kind = 'handoff'
    ), follow as (
      select event.*, lag(event.opens) over same_place as follows_opening, lag(event.trace) over same_place as trace_before,
             lag(event.number) over same_place as number_before,
             lag(event.opens) over below as follows_opening_below, lag(event.number) over below as number_before_below
      from event
      window same_place as (partition by event.parent, event.name order by event.number, event.opens),
             below as (partition by event.giver, event.name order by event.number, event.opens)
    )
    select follow.trace::bigint,
           case when follow.follows_opening = false and follow.parent is not null then follow.trace_before else follow.parent end::integer,
           case
             when follow.follows_opening = false and follow.parent is not null then follow.number_before
             when follow.follows_opening_below = false then follow.number_before_below
           end::bigint
    from follow where follow.opens;
end $$;

-- What was found out, as a tree.
create function internal.tree_of_spans(
  root_id text, spans internal.span[], traces integer[], session_tellers integer[], user_tellers integer[],
  has_call_below boolean[], calls integer[], input_of_tasks bigint[], output_of_tasks bigint[],
  cached_of_tasks bigint[], reasoning_of_tasks bigint[], openers integer[], parent_traces integer[],
  handoffs bigint[]) returns internal.tree
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  tree internal.tree;
  first_session text;
  first_user text;
begin
  select (array_agg(span.session_id order by span.number) filter (where span.session_id is not null))[1],
         (array_agg(span.user_id order by span.number) filter (where span.user_id is not null))[1]
  into first_session, first_user
  from unnest(tree_of_spans.spans) with ordinality as span (
    id, happened_at, kind, otel_trace_id, span_id, parent_span_id, agent, namespace_id, session_id, user_id, role, input_tokens,
    output_tokens, cached_input_tokens, reasoning_tokens, handoffs, number);

  with step as materialized (
    select step.*
    from unnest(
      tree_of_spans.spans, tree_of_spans.traces, session_tellers, user_tellers, has_call_below
    ) with ordinality as step (
      id, happened_at, kind, otel_trace_id, span_id, parent_span_id, agent, namespace_id, session_id, user_id, role, input_tokens,
      output_tokens, cached_input_tokens, reasoning_tokens, handoffs, trace, session_teller, user_teller, has_call_below, number)
  ), turn as materialized (
    select turn.call, turn.input_tokens - turn.input_of_tasks as input_tokens,
           turn.output_tokens - turn.output_of_tasks as output_tokens,
           turn.cached_input_tokens - turn.cached_of_tasks as cached_input_tokens,
           turn.reasoning_tokens - turn.reasoning_of_tasks as reasoning_tokens
    from unnest(
      tree_of_spans.spans, calls, input_of_tasks, output_of_tasks, cached_of_tasks, reasoning_of_tasks
    ) as turn (
      id, happened_at, kind, otel_trace_id, span_id, parent_span_id, agent, namespace_id, session_id, user_id, role, input_tokens,
      output_tokens, cached_input_tokens, reasoning_tokens, handoffs, call, input_of_tasks, output_of_tasks, cached_of_tasks, reasoning_of_tasks)
    where turn.call is not null
  ), opened as materialized (
    select opener.trace, opener.parent, step.number, step.span_id, step.happened_at, step.namespace_id, coalesce(step.agent, (
             select namespaces.name from public.namespaces where namespaces.id = step.namespace_id)) as agent,
           coalesce(teller.session_id, first_session, root_id) as session_id
    from unnest(openers, parent_traces) with ordinality as opener (number, parent, trace)
    join step on step.number = opener.number
    left join step as teller on teller.number = step.session_teller
  ), trees as (
    select array_agg(root_id || case when opened.trace > 1 then '-' || opened.span_id else '' end order by opened.trace) as ids,
           array_agg(opened.agent order by opened.trace) as agents,
           array_agg(opened.namespace_id order by opened.trace) as namespace_ids,
           array_agg(opened.session_id order by opened.trace) as session_ids,
           array_agg(opened.parent order by opened.trace) as parents,
           array_agg(case opened.trace when 1 then least(opened.happened_at, (select min(step.happened_at) from step))
             else opened.happened_at end order by opened.trace) as opened_at
    from opened
  ), led as materialized ( -- where the handoffs lead to
    select handed.number, min(root_id || '-' || step.span_id) as trace_id
    from unnest(openers, handoffs) as handed (opener, number)
    join step on step.number = handed.opener
    where handed.number is not null
    group by handed.number
  ), steps as (
    select array_agg(step.id order by step.number) as ids, array_agg(step.happened_at order by step.number) as times,
           array_agg(step.trace order by step.number) as traces,
           array_agg(case when step.session_id is null then coalesce(session_teller.session_id, first_session, root_id) end
             order by step.number) as sessions,
           array_agg(case when step.user_id is null then coalesce(user_teller.user_id, first_user) end
             order by step.number) as users,
           array_agg(opened.agent order by step.number) as agents,
           array_agg(step.kind = 'llm' and step.has_call_below order by step.number) as wrappers,
           array_agg(turn.input_tokens order by step.number) as input_tokens,
           array_agg(turn.output_tokens order by step.number) as output_tokens,
           array_agg(turn.cached_input_tokens order by step.number) as cached_input_tokens,
           array_agg(turn.reasoning_tokens order by step.number) as reasoning_tokens,
           array_agg(led.trace_id order by step.number) as to_traces
    from step
    join opened on opened.trace = step.trace
    left join step as session_teller on session_teller.number = step.session_teller
    left join step as user_teller on user_teller.number = step.user_teller
    left join turn on turn.call = step.number
    left join led on led.number = step.number
  )
  select trees.ids, trees.agents, trees.namespace_ids, trees.session_ids, trees.parents, trees.opened_at, steps.ids, steps.times,
         steps.traces, steps.sessions, steps.users, steps.agents, steps.wrappers, steps.input_tokens, steps.output_tokens,
         steps.cached_input_tokens, steps.reasoning_tokens, steps.to_traces
  into tree.trace_ids, tree.agents, tree.namespace_ids, tree.session_ids, tree.parents, tree.opened_at, tree.step_ids,
       tree.step_times, tree.step_traces, tree.step_sessions, tree.step_users, tree.step_agents, tree.step_wrappers,
       tree.step_input_tokens, tree.step_output_tokens, tree.step_cached_input_tokens, tree.step_reasoning_tokens,
       tree.step_to_traces
  from trees, steps;
  tree.latest_of_agents := array_fill(false, array[cardinality(openers)]);
  return tree;
end $$;
