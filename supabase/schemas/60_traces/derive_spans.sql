-- How the traces of an OpenTelemetry trace arise from its spans, in whatever order they came:
-- - The root has the OpenTelemetry trace id itself. Each agent's span opens a trace below the trace of its nearest agent's span,
--   with the id {trace id}-{span id}; where the earliest span without a parent is an agent's, it is the root.
-- - A span belongs to the trace of its nearest agent's span. Whose parent never comes, or has not come yet, belongs to the root;
--   and in a cycle of parents the link that closes it is ignored.
create function internal.derive_spans(tree_key uuid) returns internal.tree
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  tree internal.tree;
  -- Of each span, by its number in the order in which the spans began:
  ids uuid[];
  times timestamptz[];
  parents integer[]; -- the number of its parent, where that has come
  are_agents boolean[];
  traces integer[]; -- the trace that it belongs to; 0 while that is being looked for
  root_id text; -- the OpenTelemetry trace id
  first_root integer;
  -- Of each trace, the root being the first:
  openers integer[]; -- the number of the span that opened it
  parent_traces integer[] := array[null::integer];
  path integer[]; -- from a span up to the first one whose trace is known
  place integer;
  trace integer;
begin
  select array_agg(span.id order by span.number), array_agg(span.happened_at order by span.number),
         array_agg(parent.number order by span.number), array_agg(span.kind = 'agent' order by span.number),
         min(span.otel_trace_id), min(span.number) filter (where span.parent_span_id is null)
  into ids, times, parents, are_agents, root_id, first_root
  from internal.spans_of_tree(derive_spans.tree_key) as span
  left join internal.spans_of_tree(derive_spans.tree_key) as parent on parent.span_id = span.parent_span_id;
  if ids is null then return tree; end if; -- all of them were deleted

  traces := array_fill(null::integer, array[cardinality(ids)]);
  openers := array[coalesce(first_root, 1)];
  if first_root is not null and are_agents[first_root] then traces[first_root] := 1; end if;
  for number in 1 .. cardinality(ids) loop
    path := '{}';
    place := number;
    while place is not null and traces[place] is null loop
      traces[place] := 0;
      path := array_append(path, place);
      place := parents[place];
    end loop;
    trace := greatest(coalesce(traces[place], 1), 1);
    for depth in reverse cardinality(path) .. 1 loop
      place := path[depth];
      if are_agents[place] then
        openers := array_append(openers, place);
        parent_traces := array_append(parent_traces, trace);
        trace := cardinality(openers);
      end if;
      traces[place] := trace;
    end loop;
  end loop;

  select array_agg(root_id || case when opener.trace > 1 then '-' || span.span_id else '' end order by opener.trace),
         array_agg(coalesce(span.agent, (
           select namespaces.name from public.namespaces where namespaces.id = span.namespace_id)) order by opener.trace),
         array_agg(span.namespace_id order by opener.trace), array_agg(span.session_id order by opener.trace),
         array_agg(case opener.trace when 1 then times[1] else span.happened_at end order by opener.trace)
  into tree.trace_ids, tree.agents, tree.namespace_ids, tree.session_ids, tree.opened_at
  from unnest(openers) with ordinality as opener (span, trace)
  join internal.spans_of_tree(derive_spans.tree_key) as span on span.number = opener.span;
  tree.parents := parent_traces;
  tree.latest_of_agents := array_fill(false, array[cardinality(openers)]);
  tree.step_ids := ids;
  tree.step_times := times;
  tree.step_traces := traces;
  return tree;
end $$;

-- The steps of an OpenTelemetry trace in the order in which they began. Log entries have no span id of their own: steps of one
-- moment are ordered by what they say, never by their arrival. An agent without a name has its span's.
create function internal.spans_of_tree(tree_key uuid)
returns table (
  number integer, id uuid, happened_at timestamptz, kind text, otel_trace_id text, span_id text, parent_span_id text, agent text,
  namespace_id bigint, session_id text)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  return query
  select row_number() over (
           order by coalesce(steps.started_at, steps.occurred_at), steps.span_id, steps.parent_span_id, steps.kind, steps.agent,
                    steps.agent_is_named, steps.name, steps.namespace_id, steps.session_id, steps.id)::integer,
         steps.id, coalesce(steps.started_at, steps.occurred_at), steps.kind, steps.otel_trace_id,
         coalesce(steps.span_id, steps.id::text), steps.parent_span_id,
         case when steps.agent_is_named or steps.kind <> 'agent' then steps.agent else coalesce(steps.name, steps.agent) end,
         steps.namespace_id, steps.session_id
  from public.steps where steps.tree_key = spans_of_tree.tree_key;
end $$;
