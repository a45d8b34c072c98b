-- What is refused leaves nothing behind, but for its count: no namespace, session, agent or trace. And what brings content is
-- counted last: a token's requests wait for each other at its counter, so it is held for a moment and not for all their work.

-- How many requests a minute an admitted token may make in the bucket: its own limit, else its tenant's, else payload.limit.
create function public.allowed_requests(admission jsonb, payload jsonb) returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(nullif(allowed_requests.admission -> 'limit', 'null'), allowed_requests.payload -> 'limit');
end $$;

-- What is left of the minute that is counted, in seconds: it may be over, for who has waited.
create function public.seconds_to_reset() returns integer
language plpgsql volatile set search_path = '' as $$
begin
  return greatest(1, ceil(extract(epoch from date_trunc('minute', now()) + interval '1 minute' - clock_timestamp())));
end $$;

-- For who is beyond the limit, in case that count_request cannot say how far.
create function public.limit_refusal(admission jsonb, payload jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
begin
  return public.refusal('rate_limit_exceeded', 'The limit of requests per minute is used up.') || jsonb_build_object(
    'rate_limit', jsonb_build_object(
      'bucket', limit_refusal.payload -> 'bucket', 'remaining', 0, 'reset', public.seconds_to_reset(),
      'limit', public.allowed_requests(limit_refusal.admission, limit_refusal.payload)));
end $$;

-- Raises TR429 where the limit is used up already, as far as other requests have committed: no work is begun then. Fails open,
-- as count_request does, which has the last word.
create function public.refuse_beyond_limit(admission jsonb, payload jsonb) returns void
language plpgsql stable set search_path = '' as $$
begin
  if (select known.count from public.monkai_rate_limits known
      where known.token_id = (refuse_beyond_limit.admission ->> 'token_id')::uuid
        and known.bucket = refuse_beyond_limit.payload ->> 'bucket'
        and known.minute = date_trunc('minute', now()))
    >= public.allowed_requests(refuse_beyond_limit.admission, refuse_beyond_limit.payload) then
    raise sqlstate 'TR429';
  end if;
exception
  when sqlstate 'TR429' then raise;
  when others then null;
end $$;

-- Counts a request whose work is done. Raises TR429 when it is beyond the limit: then who calls undoes the work, and counts.
create function public.count_or_undo(answer jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  counted jsonb := public.count_request(count_or_undo.answer, count_or_undo.payload);
begin
  if counted #>> '{error,code}' = 'rate_limit_exceeded' then raise sqlstate 'TR429'; end if;
  return counted;
end $$;

-- The items as steps in their sessions and traces. What one that is refused there has opened is taken back, and the others
-- are placed anew without it: only the first refusal by a trace counts then, since later ones may come of it. Not for ever:
-- all count after five times, or where many traces were moved; and after ten, or very many, what is left is refused.
create function public.place_steps(admission jsonb, items jsonb) returns public.step[]
language plpgsql set search_path = '' as $$
declare
  remaining jsonb := place_steps.items;
  steps public.step[];
  step public.step;
  refused public.step[] := '{}';
  refused_indexes integer[];
  first_refused integer;
  moved integer;
  moved_in_all integer := 0;
begin
  for times in 1..10 loop
    begin
      steps := public.place_in_traces(
        (place_steps.admission ->> 'tenant_id')::uuid, public.place_in_sessions(place_steps.admission, remaining));
      if not exists (select from unnest(steps) as placed where placed.error is not null) then return refused || steps; end if;
      moved := coalesce(nullif(current_setting('trace_api.moved_traces', true), '')::integer, 0);
      raise sqlstate 'TR400';
    exception when sqlstate 'TR400' then
      first_refused := (
        select min(placed.index) from unnest(steps) as placed where placed.error #>> '{error,code}' <> 'forbidden');
      refused := refused || array(
        select placed from unnest(steps) as placed
        where placed.error #>> '{error,code}' = 'forbidden' or placed.index = first_refused
          or placed.error is not null and (times > 5 or moved > 1000));
      refused_indexes := array(select placed.index from unnest(refused) as placed);
      remaining := (
        select coalesce(jsonb_agg(item.value order by item.number), '[]')
        from jsonb_array_elements(remaining) with ordinality as item (value, number)
        where (item.value ->> 'index')::integer <> all (refused_indexes));
    end;
    moved_in_all := moved_in_all + moved;
    exit when moved_in_all > 40000;
  end loop;

  foreach step in array steps loop
    continue when step.index = any (refused_indexes);
    step.error := public.refusal('invalid_payload',
      'trace_id: too many items of this batch depend on refused ones. Send this one again.');
    refused := array_append(refused, step);
  end loop;
  return refused;
end $$;

-- POST /traces/llm, /traces/tool, /traces/handoff, /traces/log (one item) and /traces/batch (1 to 100).
-- payload.items: each is refused already, {index, type, error: {code, message}}, or {index, type, session_id?,
-- namespace?, agent?, occurred_at?, latency_ms?, model?, input_tokens?, output_tokens?, total_tokens?, level?,
-- resource_id?, trace_id?, parent_trace_id?, content, result}, type being llm, tool, handoff or log and result what its sender gets back.
-- data: {results: [...]}, see item_results. All items that are not refused are stored, or none is.
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create or replace function public.record_traces(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := public.identify_sender(record_traces.payload);
  tenant_id uuid := admission ->> 'tenant_id';
  items jsonb := record_traces.payload -> 'items';
  steps public.step[];
  results jsonb;
  answer jsonb;
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  -- The key before the count: a request that waits for its twin must not hold up the other requests of its token.
  admission := public.replay_or_claim(admission, record_traces.payload);
  if admission ?| array['error', 'replay'] then return public.count_request(admission, record_traces.payload); end if;
  perform public.refuse_beyond_limit(admission, record_traces.payload);

  steps := public.place_steps(admission, items);
  perform public.store_steps(tenant_id, items, steps);
  results := public.item_results(items, steps);
  answer := public.settle_idempotency_key(
    admission || case
      when (record_traces.payload ->> 'single')::boolean and results -> 0 ? 'error'
        then jsonb_build_object('error', results -> 0 -> 'error')
      else jsonb_build_object('data', jsonb_build_object('results', results))
    end, record_traces.payload);
  return public.count_or_undo(answer, record_traces.payload);
exception when sqlstate 'TR429' then -- nothing of the above has happened
  return public.count_request(
    admission || public.limit_refusal(admission, record_traces.payload), record_traces.payload);
end $$;

-- POST /records/upload and /logs/upload. payload.items: as in record_traces, of type message or log, without results;
-- each names its namespace. data: {inserted_count, duplicates: [index, ...]}. An item that the token may not store
-- refuses the request, forbidden, and nothing is stored. payload.anonymization_version: see identify_sender.
create or replace function public.upload_items(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := public.identify_sender(upload_items.payload);
  tenant_id uuid := admission ->> 'tenant_id';
  items jsonb := upload_items.payload -> 'items';
  steps public.step[];
  refusal jsonb;
  duplicates integer[];
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  perform public.refuse_beyond_limit(admission, upload_items.payload);
  refusal := public.upload_refusal(admission, items);
  if refusal is null then
    steps := public.place_in_sessions(admission, items);
    select step.error into refusal from unnest(steps) as step where step.error is not null limit 1;
  end if;
  if refusal is not null then raise sqlstate 'TR403'; end if;

  duplicates := public.duplicate_records(tenant_id, items);
  steps := array(select step from unnest(steps) as step where step.index <> all (duplicates) order by step.index);
  steps := public.place_in_traces(tenant_id, steps);
  perform public.store_steps(tenant_id, items, steps);

  return public.count_or_undo(
    admission || jsonb_build_object('data', jsonb_build_object(
      'inserted_count', cardinality(steps), 'duplicates', to_jsonb(duplicates))), upload_items.payload);
exception when sqlstate 'TR403' or sqlstate 'TR429' then -- nothing of the above has happened
  return public.count_request(
    admission || coalesce(refusal, public.limit_refusal(admission, upload_items.payload)), upload_items.payload);
end $$;

-- The step of admission that counts. Adds {rate_limit: {bucket, limit, remaining, reset}}, limit being allowed_requests and
-- reset in seconds, and refuses rate_limit_exceeded. Fails open: whatever breaks here becomes a warning, and the request goes
-- on without a limit.
create or replace function public.count_request(admission jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  bucket text := count_request.payload ->> 'bucket';
  allowed integer := public.allowed_requests(count_request.admission, count_request.payload);
  counted integer;
  reset integer;
  counted_admission jsonb;
begin
  counted := public.monkai_increment_rate_limit((admission ->> 'token_id')::uuid, bucket);
  if counted is null or allowed is null then raise exception 'there is no count or no limit'; end if;
  reset := public.seconds_to_reset();
  counted_admission := admission || jsonb_build_object('rate_limit', jsonb_build_object(
    'bucket', bucket, 'limit', allowed, 'remaining', greatest(allowed - counted, 0), 'reset', reset));
  if counted <= allowed then return counted_admission; end if;

  return (counted_admission - array['data', 'replay']) || public.refusal('rate_limit_exceeded', format(
    'The limit of %s requests per minute in the bucket "%s" is used up. Wait %s seconds.', allowed, bucket, reset));
exception when others then
  return public.with_warning(admission, 'Rate limiting is off for this request: ' || sqlerrm);
end $$;

revoke execute on function
  public.allowed_requests,
  public.seconds_to_reset,
  public.limit_refusal,
  public.refuse_beyond_limit,
  public.count_or_undo,
  public.place_steps
  from public, anon, authenticated;
grant execute on function
  public.allowed_requests,
  public.seconds_to_reset,
  public.limit_refusal,
  public.refuse_beyond_limit,
  public.count_or_undo,
  public.place_steps
  to service_role;
