-- And then it is stored. With this the functions that worked item by item are gone.

-- Stores the items whose steps have no error: logs as log entries, the others as records. An agent that is not named is the
-- namespace's own in a record, and none in a log entry.
create function public.store_steps(tenant_id uuid, items jsonb, steps public.step[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.records (
    tenant_id, namespace_id, session_id, trace_id, step_number, type, agent, occurred_at, latency_ms, model,
    input_tokens, output_tokens, process_tokens, memory_tokens, total_tokens, content)
  select store_steps.tenant_id, step.namespace_id, step.session_id, step.trace, step.step_number, step.type,
         coalesce(step.agent, step.namespace), step.occurred_at, item.latency_ms, item.model, item.input_tokens,
         item.output_tokens, item.process_tokens, item.memory_tokens, item.total_tokens, item.content
  from unnest(store_steps.steps) as step
  join jsonb_to_recordset(store_steps.items) as item (
    index integer, latency_ms bigint, model text, input_tokens bigint, output_tokens bigint, process_tokens bigint,
    memory_tokens bigint, total_tokens bigint, content jsonb) on item.index = step.index
  where step.error is null and step.type <> 'log'
  order by step.index;

  if not exists (select from unnest(store_steps.steps) as step where step.type = 'log') then return; end if;
  insert into public.logs (
    tenant_id, namespace_id, session_id, trace_id, step_number, agent, level, resource_id, occurred_at, content)
  select store_steps.tenant_id, step.namespace_id, step.session_id, step.trace, step.step_number, step.agent, item.level,
         item.resource_id, step.occurred_at, item.content
  from unnest(store_steps.steps) as step
  join jsonb_to_recordset(store_steps.items) as item (index integer, level text, resource_id text, content jsonb)
    on item.index = step.index
  where step.error is null and step.type = 'log'
  order by step.index;
end $$;

-- What became of each item, in order: [{index, type, status: ok | error, result | error}].
create function public.item_results(items jsonb, steps public.step[]) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(
      case when item.error is null and step.error is null then
        jsonb_build_object('index', item.index, 'type', item.type, 'status', 'ok', 'result',
          case when step.public_trace_id is null then item.result
            else item.result || jsonb_build_object('trace_id', step.public_trace_id) end)
      else jsonb_build_object('index', item.index, 'type', item.type, 'status', 'error', 'error',
        coalesce(item.error, step.error -> 'error'))
      end order by item.index), '[]')
    from jsonb_to_recordset(item_results.items) as item (index integer, type text, error jsonb, result jsonb)
    left join unnest(item_results.steps) as step on step.index = item.index);
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
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  -- The key before the count: a request that waits for its twin must not hold up the other requests of its token.
  admission := public.replay_or_claim(admission, record_traces.payload);
  admission := public.count_request(admission, record_traces.payload);
  if admission ?| array['error', 'replay'] then return admission; end if;

  steps := public.place_in_traces(tenant_id, public.place_in_sessions(admission, items));
  perform public.store_steps(tenant_id, items, steps);

  results := public.item_results(items, steps);
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
  admission := public.count_request(admission, upload_items.payload);
  if admission ? 'error' then return admission; end if;
  refusal := public.upload_refusal(admission, items);
  if refusal is not null then return admission || refusal; end if;

  steps := public.place_in_sessions(admission, items);
  select step.error into refusal from unnest(steps) as step where step.error is not null limit 1;
  if refusal is not null then
    raise sqlstate 'TR403'; -- caught below: it takes back what place_in_sessions has written
  end if;

  duplicates := public.duplicate_records(tenant_id, items);
  steps := array(select step from unnest(steps) as step where step.index <> all (duplicates) order by step.index);
  steps := public.place_in_traces(tenant_id, steps);
  perform public.store_steps(tenant_id, items, steps);

  return admission || jsonb_build_object('data', jsonb_build_object(
    'inserted_count', cardinality(steps), 'duplicates', to_jsonb(duplicates)));
exception when sqlstate 'TR403' then
  return admission || refusal;
end $$;

drop function
  public.touch_sessions, public.place_items, public.hold_trees(jsonb[]), public.register_agents(uuid, jsonb[]),
  public.open_lone_traces(uuid, jsonb[]), public.choose_traces(uuid, jsonb[]), public.steps_of, public.place_steps,
  public.insert_records, public.insert_logs, public.item_results(jsonb, jsonb);

revoke execute on function
  public.store_steps,
  public.item_results
  from public, anon, authenticated;
grant execute on function
  public.store_steps,
  public.item_results
  to service_role;
