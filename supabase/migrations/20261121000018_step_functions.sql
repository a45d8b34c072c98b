-- Storing steps: the functions that store records and logs, again, now that each of them belongs to a trace and that what
-- they bring must be redacted by the current rules.

-- Stores the placed items that are not logs as records. An agent that is not named is the namespace's own.
create or replace function public.insert_records(tenant_id uuid, items jsonb, placements jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.records (
    tenant_id, namespace_id, session_id, trace_id, step_number, type, agent, occurred_at, latency_ms, model,
    input_tokens, output_tokens, process_tokens, memory_tokens, total_tokens, content)
  select insert_records.tenant_id, namespaces.id, item.session_id, placement.trace,
         placement.step_number, item.type,
         coalesce(item.agent, placement.namespace), coalesce(item.occurred_at, now()), item.latency_ms, item.model,
         item.input_tokens, item.output_tokens, item.process_tokens, item.memory_tokens, item.total_tokens, item.content
  from jsonb_to_recordset(insert_records.items) as item (
    index integer, type text, session_id text, agent text, occurred_at timestamptz, latency_ms bigint, model text,
    input_tokens bigint, output_tokens bigint, process_tokens bigint, memory_tokens bigint, total_tokens bigint,
    content jsonb)
  join jsonb_to_recordset(insert_records.placements) as placement (
    index integer, namespace text, trace bigint, step_number integer)
    on placement.index = item.index
  join public.namespaces
    on namespaces.tenant_id = insert_records.tenant_id and namespaces.name = placement.namespace
  where item.type <> 'log'
  order by item.index;
end $$;

-- Stores the placed log items.
create or replace function public.insert_logs(tenant_id uuid, items jsonb, placements jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.logs (
    tenant_id, namespace_id, session_id, trace_id, step_number, agent, level, resource_id, occurred_at, content)
  select insert_logs.tenant_id, namespaces.id, item.session_id, placement.trace,
         placement.step_number, item.agent, item.level, item.resource_id,
         coalesce(item.occurred_at, now()), item.content
  from jsonb_to_recordset(insert_logs.items) as item (
    index integer, type text, session_id text, agent text, level text, resource_id text, occurred_at timestamptz,
    content jsonb)
  join jsonb_to_recordset(insert_logs.placements) as placement (
    index integer, namespace text, trace bigint, step_number integer)
    on placement.index = item.index
  join public.namespaces
    on namespaces.tenant_id = insert_logs.tenant_id and namespaces.name = placement.namespace
  where item.type = 'log'
  order by item.index;
end $$;

-- What became of each item, in order: [{index, type, status: ok | error, result | error}].
create or replace function public.item_results(items jsonb, placements jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return (select coalesce(jsonb_agg(
    jsonb_build_object('index', item.index, 'type', item.type) || case
      when placement.namespace is not null then jsonb_build_object('status', 'ok', 'result', item.result || case
        when placement.trace_id is null then '{}' else jsonb_build_object('trace_id', placement.trace_id) end)
      else jsonb_build_object('status', 'error', 'error', coalesce(item.error, placement.error))
    end order by item.index), '[]')
  from jsonb_to_recordset(item_results.items) as item (index integer, type text, error jsonb, result jsonb)
  left join jsonb_to_recordset(item_results.placements) as placement (
    index integer, namespace text, trace_id text, error jsonb)
    on placement.index = item.index);
end $$;

-- POST /traces/llm, /traces/tool, /traces/handoff, /traces/log (one item) and /traces/batch (1 to 100).
-- payload.items: each is refused already, {index, type, error: {code, message}}, or {index, type, session_id?,
-- namespace?, agent?, occurred_at?, latency_ms?, model?, input_tokens?, output_tokens?, total_tokens?, level?,
-- resource_id?, trace_id?, parent_trace_id?, content, result}, type being llm, tool, handoff or log and result what its sender gets back.
-- data: {results: [...]}, see item_results. All items that are not refused are stored, or none is.
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create or replace function public.record_traces(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.identify_sender(record_traces.payload);
  tenant_id uuid := admission ->> 'tenant_id';
  items jsonb := record_traces.payload -> 'items';
  placements jsonb;
  results jsonb;
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  -- The key before the count: a request that waits for its twin must not hold up the other requests of its token.
  admission := public.replay_or_claim(admission, record_traces.payload);
  admission := public.count_request(admission, record_traces.payload);
  if admission ?| array['error', 'replay'] then return admission; end if;

  placements := public.place_items(admission, items, public.touch_sessions(admission, items));
  placements := public.place_steps(tenant_id, items, placements);
  perform public.insert_records(tenant_id, items, placements);
  perform public.insert_logs(tenant_id, items, placements);

  results := public.item_results(items, placements);
  return public.settle_idempotency_key(
    admission || case
      when (record_traces.payload ->> 'single')::boolean and results -> 0 ? 'error'
        then jsonb_build_object('error', results -> 0 -> 'error')
      else jsonb_build_object('data', jsonb_build_object('results', results))
    end, record_traces.payload);
end $$;

-- POST /records/upload and /logs/upload. payload.items: as in record_traces, of type message or log, without results;
-- each names its namespace. data: {inserted_count, duplicates: [index, ...]}. An item that the token may not store
-- refuses the request, forbidden, and nothing is stored. payload.anonymization_version: see identify_sender.
create or replace function public.upload_items(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.identify_sender(upload_items.payload);
  tenant_id uuid := admission ->> 'tenant_id';
  items jsonb := upload_items.payload -> 'items';
  placements jsonb;
  refusal jsonb;
  duplicates integer[];
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  admission := public.count_request(admission, upload_items.payload);
  if admission ? 'error' then return admission; end if;
  refusal := public.upload_refusal(admission, items);
  if refusal is not null then return admission || refusal; end if;

  placements := public.place_items(admission, items, public.touch_sessions(admission, items));
  select placement.value into refusal from jsonb_array_elements(placements) as placement
  where placement.value ? 'error' limit 1;
  if refusal is not null then
    raise sqlstate 'TR403'; -- caught below: it takes back what touch_sessions has written
  end if;

  duplicates := public.duplicate_records(tenant_id, items);
  select coalesce(jsonb_agg(placement.value), '[]') into placements from jsonb_array_elements(placements) as placement
  where (placement.value ->> 'index')::integer <> all (duplicates);
  placements := public.place_steps(tenant_id, items, placements);
  perform public.insert_records(tenant_id, items, placements);
  perform public.insert_logs(tenant_id, items, placements);

  return admission || jsonb_build_object('data', jsonb_build_object(
    'inserted_count', jsonb_array_length(placements), 'duplicates', to_jsonb(duplicates)));
exception when sqlstate 'TR403' then
  return admission || (refusal - 'index');
end $$;
