-- A step as it is read: its columns, and what was said apart. The API makes a record or a log entry of it.
create function internal.step_view(step public.steps, namespace text) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return jsonb_build_object(
    'id', step.id,
    'kind', step.kind,
    'name', step.name,
    'namespace', step_view.namespace,
    'session_id', step.session_id,
    'trace_id', (select placements.trace_id from public.placements where placements.step_id = step.id),
    'agent', step.agent,
    'status', step.status,
    'error', step.error,
    'started_at', internal.timestamp_text(internal.start_of(step)),
    'occurred_at', internal.timestamp_text(step.occurred_at),
    'latency_ms', step.latency_ms,
    'model', step.model,
    'input_tokens', step.input_tokens,
    'output_tokens', step.output_tokens,
    'process_tokens', step.process_tokens,
    'memory_tokens', step.memory_tokens,
    'total_tokens', step.total_tokens,
    'level', step.level,
    'resource_id', step.resource_id,
    'content', step.content);
end $$;

-- When a step began: as it was told, else its end less what it took. (Nothing takes longer than there was time.)
create function internal.start_of(step public.steps) returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(step.started_at, greatest(
    step.occurred_at - least(coalesce(step.latency_ms, 0), 100000000000000) * interval '1 millisecond', '0001-01-01Z'));
end $$;
