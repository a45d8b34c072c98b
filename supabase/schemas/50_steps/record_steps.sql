-- POST /traces/llm, /traces/tool, /traces/handoff, /traces/log (one item) and /traces/batch (1 to 100).
-- payload.items: steps (internal.store_steps), numbered by their `index` in the request. What validation refused is not among
-- them. All that the token may store are stored, or none is.
-- data: {ids, refused: [{index, code, message}]}, `ids` being what the steps' ids begin with (internal.new_step_ids).
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create function public.record_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := internal.identify_sender(record_steps.payload);
  items jsonb := record_steps.payload -> 'items';
  refused jsonb;
begin
  if admission ?| array['error', 'anonymization', 'data_keys'] then return admission; end if;
  -- The key before the count: a request that waits for its twin must not hold up the other requests of its token.
  if record_steps.payload ? 'idempotency' then
    admission := internal.replay_or_claim(admission, record_steps.payload);
    if admission ?| array['error', 'replay'] then return internal.count_request(admission, record_steps.payload); end if;
  end if;
  perform internal.refuse_beyond_limit(admission, record_steps.payload);

  if items -> 0 ? 'otel_trace_id' then
    items := internal.in_namespaces_of_trees((admission ->> 'tenant_id')::uuid, items);
  end if;
  refused := internal.refused_items(admission, items);
  if record_steps.payload ? 'single' and refused <> '[]' then
    admission := admission || jsonb_build_object('error', (refused -> 0) - 'index');
  else
    admission := admission || jsonb_build_object('data', jsonb_build_object(
      'ids', internal.store_steps((admission ->> 'tenant_id')::uuid, internal.not_refused(items, refused)),
      'refused', refused));
  end if;
  if record_steps.payload ? 'idempotency' then
    admission := internal.settle_idempotency_key(admission, record_steps.payload);
  end if;
  return internal.count_or_undo(admission, record_steps.payload);
exception when sqlstate 'TR429' then -- nothing of the above has happened
  return internal.count_request(
    admission || internal.limit_refusal(admission, record_steps.payload), record_steps.payload);
end $$;
