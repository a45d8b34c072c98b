-- A step as it is read: its columns, and what was said apart. The API makes a record or a log entry of it. What a span does not
-- say itself comes from its placement; `messages` are what log entries tell of the model call that is their span. `kept`: see
-- internal.kept.
create function internal.step_view(step public.steps, namespace text, kept jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  placed public.placements := (select placements from public.placements where placements.step_id = step.id);
begin
  if kept is not null then step := internal.shown_step(step, kept); end if;
  return jsonb_build_object(
    'id', step.id,
    'kind', case when placed.is_wrapper then 'span' else step.kind end,
    'is_span', step.otel_trace_id is not null or step.fingerprint is not null,
    'name', step.name,
    'namespace', step_view.namespace,
    'session_id', coalesce(step.session_id, placed.session_id),
    'user_id', coalesce(step.user_id, placed.user_id),
    'trace_id', placed.trace_id,
    'agent', coalesce(placed.agent, step.agent),
    'status', step.status,
    'error', step.error,
    'started_at', internal.timestamp_text(internal.start_of(step.started_at, step.occurred_at, step.latency_ms)),
    'occurred_at', internal.timestamp_text(step.occurred_at),
    'latency_ms', step.latency_ms,
    'model', step.model,
    'input_tokens', coalesce(step.input_tokens, placed.input_tokens),
    'output_tokens', coalesce(step.output_tokens, placed.output_tokens),
    'process_tokens', step.process_tokens,
    'memory_tokens', step.memory_tokens,
    'total_tokens', coalesce(step.total_tokens, placed.input_tokens + placed.output_tokens),
    'cached_input_tokens', coalesce(step.cached_input_tokens, placed.cached_input_tokens),
    'reasoning_tokens', coalesce(step.reasoning_tokens, placed.reasoning_tokens),
    'level', step.level,
    'resource_id', step.resource_id,
    'content', step.content,
    'messages', case when step.kind = 'llm' and step.span_id is not null then internal.messages_of_call(step, kept) end);
end $$;

-- A step, without what was said once that is kept no longer: as internal.take_content leaves it.
create function internal.shown_step(step public.steps, kept jsonb) returns public.steps
language plpgsql immutable set search_path = '' as $$
begin
  if internal.is_kept_with_content(kept, step.namespace_id, step.id) then return step; end if;
  step.content := null;
  step.error := null;
  step.bytes := 0;
  step.preview := null;
  if step.kind in ('llm', 'span') then step.name := null; end if;
  return step;
end $$;

-- What others tell of a model call: log entries within its span, and the span around it if that has the call's input:
-- [[{side: input | output, message}]]. Of one that is encrypted, {id, sealed} in the place of its list.
create function internal.messages_of_call(step public.steps, kept jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return to_jsonb(array(
    select case when entry.content ? 'sealed' then jsonb_build_object('id', entry.id, 'sealed', entry.content -> 'sealed')
      else entry.content -> 'messages_of_call' end
    from public.steps as entry
    where entry.tree_key = step.tree_key and entry.parent_span_id = step.span_id and entry.kind = 'log'
      and entry.content ? 'messages_of_call'
      and (kept is null or internal.is_kept_with_content(kept, entry.namespace_id, entry.id))
    order by entry.occurred_at, entry.id)) || to_jsonb(array(
    select case when around.content ? 'sealed' then jsonb_build_object('id', around.id, 'sealed', around.content -> 'sealed')
      else jsonb_agg(jsonb_build_object('side', 'input', 'message', said.message) order by said.place) end
    from public.steps as around
    cross join lateral jsonb_array_elements(case jsonb_typeof(around.content -> 'input')
      when 'array' then around.content -> 'input' else jsonb_build_array(around.content -> 'input') end)
      with ordinality as said (message, place)
    where around.tenant_id = step.tenant_id and around.otel_trace_id = step.otel_trace_id
      and around.span_id = step.parent_span_id and around.namespace_id = step.namespace_id
      and around.content ? 'has_input_of_call' and around.content ? 'input'
      and (kept is null or internal.is_kept_with_content(kept, around.namespace_id, around.id))
    group by around.id));
end $$;

-- When a step began: as it was told, else its end less what it took. (Nothing takes longer than there was time.)
create function internal.start_of(started_at timestamptz, occurred_at timestamptz, latency_ms bigint) returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(start_of.started_at, greatest(
    start_of.occurred_at - least(coalesce(start_of.latency_ms, 0), 100000000000000) * interval '1 millisecond',
    '0001-01-01Z'));
end $$;
