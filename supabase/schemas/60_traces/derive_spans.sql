-- How the traces of an OpenTelemetry trace arise from its spans, in whatever order they came:
-- - The root has the OpenTelemetry trace id itself. Each agent's span opens a trace below the trace of its nearest agent's span,
--   with the id {trace id}-{span id}; where the earliest span without a parent is an agent's, it is the root.
-- - A span belongs to the trace of its nearest agent's span. Whose parent never comes, or has not come yet, belongs to the root;
--   and in a cycle of parents the link that closes it is ignored.
create function internal.derive_spans(tree_key uuid) returns internal.tree
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  tree internal.tree;
  spans record;
  traces integer[]; -- the trace of each span, 0 while it is being looked for
  path integer[]; -- from a span up to the first one whose trace is known
  place integer;
  trace integer;
begin
  select array_agg(span.id order by span.number) as ids, array_agg(span.happened_at order by span.number) as times,
         array_agg(span.parent order by span.number) as parents,
         array_agg(span.kind = 'agent' order by span.number) as open_traces,
         array_agg(span.agent order by span.number) as agents,
         array_agg(span.namespace_id order by span.number) as namespace_ids,
         array_agg(span.session_id order by span.number) as session_ids,
         array_agg(span.span_id order by span.number) as span_ids,
         min(span.otel_trace_id) as otel_trace_id,
         min(span.number) filter (where span.parent_span_id is null) as first_root
  into spans
  from (
    with span as materialized (
      select steps.*, coalesce(steps.started_at, steps.occurred_at) as happened_at,
             row_number() over ( -- log entries have no span id: by what they say, never by their arrival
               order by coalesce(steps.started_at, steps.occurred_at), steps.span_id, steps.parent_span_id, steps.kind,
                        steps.agent, steps.agent_is_named, steps.name, steps.namespace_id, steps.session_id, steps.id
             )::integer as number
      from public.steps where steps.tree_key = derive_spans.tree_key
    )
    select span.id, span.number, span.happened_at, span.kind, span.namespace_id, span.session_id, span.span_id,
           span.otel_trace_id, span.parent_span_id, parent.number as parent,
           case when span.agent_is_named or span.kind <> 'agent' then span.agent else coalesce(span.name, span.agent) end as agent
    from span left join span as parent on parent.span_id = span.parent_span_id
  ) as span;
  if spans.ids is null then return tree; end if; -- all of them were deleted

  tree.trace_ids := array[spans.otel_trace_id];
  place := coalesce(spans.first_root, 1);
  tree.agents := array[coalesce(spans.agents[place], (
    select namespaces.name from public.namespaces where namespaces.id = spans.namespace_ids[place]))];
  tree.namespace_ids := array[spans.namespace_ids[place]];
  tree.session_ids := array[spans.session_ids[place]];
  tree.parents := array[null::integer];
  tree.opened_at := array[spans.times[1]];
  traces := array_fill(null::integer, array[cardinality(spans.ids)]);
  if spans.first_root is not null and spans.open_traces[spans.first_root] then traces[spans.first_root] := 1; end if;

  for number in 1 .. cardinality(spans.ids) loop
    path := '{}';
    place := number;
    while place is not null and traces[place] is null loop
      traces[place] := 0;
      path := array_append(path, place);
      place := spans.parents[place];
    end loop;
    trace := greatest(coalesce(traces[place], 1), 1);
    for depth in reverse cardinality(path) .. 1 loop
      place := path[depth];
      if spans.open_traces[place] then
        tree.trace_ids := array_append(tree.trace_ids, spans.otel_trace_id || '-' || coalesce(spans.span_ids[place], spans.ids[place]::text));
        tree.agents := array_append(tree.agents, spans.agents[place]);
        tree.namespace_ids := array_append(tree.namespace_ids, spans.namespace_ids[place]);
        tree.session_ids := array_append(tree.session_ids, spans.session_ids[place]);
        tree.parents := array_append(tree.parents, trace);
        tree.opened_at := array_append(tree.opened_at, spans.times[place]);
        trace := cardinality(tree.trace_ids);
      end if;
      traces[place] := trace;
    end loop;
  end loop;
  tree.latest_of_agents := array_fill(false, array[cardinality(tree.trace_ids)]);
  tree.step_ids := spans.ids;
  tree.step_times := spans.times;
  tree.step_traces := traces;
  return tree;
end $$;
