-- POST /traces/llm, /traces/tool, /traces/handoff, /traces/log (one item) and /traces/batch (1 to 100).
-- payload.items: each is refused already, {index, kind, refusal: {code, message}}, or a step (internal.store_steps) with
-- `result`, what its sender gets back. All that are not refused are stored, or none is.
-- data: {results: [{index, type, status: ok | error, result | error}]}, each result with the `id` of its step.
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create function public.record_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.identify_sender(record_steps.payload);
  items jsonb := record_steps.payload -> 'items';
  results jsonb;
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  -- The key before the count: a request that waits for its twin must not hold up the other requests of its token.
  if record_steps.payload ? 'idempotency' then
    admission := internal.replay_or_claim(admission, record_steps.payload);
    if admission ?| array['error', 'replay'] then return internal.count_request(admission, record_steps.payload); end if;
  end if;
  perform internal.refuse_beyond_limit(admission, record_steps.payload);

  items := internal.permitted(admission, items);
  results := internal.results_of(internal.store_steps((admission ->> 'tenant_id')::uuid, items), items);
  admission := admission || case
    when (record_steps.payload ->> 'single')::boolean and results -> 0 ? 'error'
      then jsonb_build_object('error', results -> 0 -> 'error')
    else jsonb_build_object('data', jsonb_build_object('results', results)) end;
  if record_steps.payload ? 'idempotency' then
    admission := internal.settle_idempotency_key(admission, record_steps.payload);
  end if;
  return internal.count_or_undo(admission, record_steps.payload);
exception when sqlstate 'TR429' then -- nothing of the above has happened
  return internal.count_request(
    admission || internal.limit_refusal(admission, record_steps.payload), record_steps.payload);
end $$;

-- What became of each item, in order. `ids`: what the steps' ids begin with.
create function internal.results_of(ids text, items jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(
      case when item.refusal is null then
        jsonb_build_object('index', item.index, 'type', item.kind, 'status', 'ok', 'result',
          item.result || jsonb_build_object('id', (results_of.ids || lpad(to_hex(item.index), 5, '0'))::uuid))
      else
        jsonb_build_object('index', item.index, 'type', item.kind, 'status', 'error', 'error', item.refusal)
      end order by item.index), '[]')
    from jsonb_to_recordset(results_of.items) as item (index integer, kind text, refusal jsonb, result jsonb));
end $$;
