-- Recording traces. A batch is the primitive: a single trace is a batch of one.
--
-- An item, as the API sends it, is either refused already, {index, type, error: {code, message}}, or
--   {index, type, session_id?, namespace?, agent?, occurred_at?, latency_ms?, model?, input_tokens?, output_tokens?,
--    total_tokens?, level?, resource_id?, content, result}
-- where type is llm, tool, handoff or log, and result is what its sender gets back when it is stored.

-- Where each item belongs: its own namespace, else its session's, else the one that another item of the request gives
-- for the session, else `default`. `allowed`: the token may use that namespace and the session's.
-- Returns [{index, session_id, namespace, allowed}].
create function public.place_items(admission jsonb, items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (with item as (
    select item.index, item.session_id, item.namespace, item.error,
           first_value(item.namespace) over (
             partition by item.session_id order by item.namespace is null, item.index) as namespace_given
    from jsonb_to_recordset(place_items.items)
      as item (index integer, session_id text, namespace text, error jsonb)
  ), placed as (
    select item.index, item.session_id, namespaces.name as session_namespace,
           coalesce(item.namespace, namespaces.name, item.namespace_given, 'default') as namespace
    from item
    left join public.sessions
      on sessions.tenant_id = (place_items.admission ->> 'tenant_id')::uuid and sessions.id = item.session_id
    left join public.namespaces on namespaces.id = sessions.namespace_id
    where item.error is null
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'index', placed.index,
    'session_id', placed.session_id,
    'namespace', placed.namespace,
    'allowed', public.may_use_namespace(place_items.admission, placed.namespace)
      and (placed.session_namespace is null
           or public.may_use_namespace(place_items.admission, placed.session_namespace))
  ) order by placed.index), '[]')
  from placed);
end $$;

-- Notes activity in the sessions of the allowed placements; a session not seen before is created on the fly.
-- In the order of their ids, so that two batches over the same sessions never wait for each other in a circle.
create function public.touch_sessions(tenant_id uuid, placements jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.sessions (tenant_id, id, namespace_id)
  select distinct on (placement.session_id) touch_sessions.tenant_id, placement.session_id, namespaces.id
  from jsonb_to_recordset(touch_sessions.placements)
    as placement (index integer, session_id text, namespace text, allowed boolean)
  join public.namespaces
    on namespaces.tenant_id = touch_sessions.tenant_id and namespaces.name = placement.namespace
  where placement.allowed and placement.session_id is not null
  order by placement.session_id, placement.index
  on conflict on constraint session_id_is_unique_within_its_tenant
    do update set last_activity_at = greatest(sessions.last_activity_at, excluded.last_activity_at);
end $$;

-- Stores the allowed llm, tool and handoff items as records. An agent that is not named is the namespace's own.
create function public.insert_records(tenant_id uuid, items jsonb, placements jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.records (
    tenant_id, namespace_id, session_id, type, agent, occurred_at, latency_ms, model,
    input_tokens, output_tokens, total_tokens, content)
  select insert_records.tenant_id, namespaces.id, item.session_id, item.type,
         coalesce(item.agent, placement.namespace), coalesce(item.occurred_at, now()), item.latency_ms, item.model,
         item.input_tokens, item.output_tokens, item.total_tokens, item.content
  from jsonb_to_recordset(insert_records.items) as item (
    index integer, type text, session_id text, agent text, occurred_at timestamptz, latency_ms bigint, model text,
    input_tokens bigint, output_tokens bigint, total_tokens bigint, content jsonb)
  join jsonb_to_recordset(insert_records.placements) as placement (index integer, namespace text, allowed boolean)
    on placement.index = item.index and placement.allowed
  join public.namespaces
    on namespaces.tenant_id = insert_records.tenant_id and namespaces.name = placement.namespace
  where item.type <> 'log'
  order by item.index;
end $$;

-- Stores the allowed log items.
create function public.insert_logs(tenant_id uuid, items jsonb, placements jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.logs (
    tenant_id, namespace_id, session_id, agent, level, resource_id, occurred_at, content)
  select insert_logs.tenant_id, namespaces.id, item.session_id, item.agent, item.level, item.resource_id,
         coalesce(item.occurred_at, now()), item.content
  from jsonb_to_recordset(insert_logs.items) as item (
    index integer, type text, session_id text, agent text, level text, resource_id text, occurred_at timestamptz,
    content jsonb)
  join jsonb_to_recordset(insert_logs.placements) as placement (index integer, namespace text, allowed boolean)
    on placement.index = item.index and placement.allowed
  join public.namespaces
    on namespaces.tenant_id = insert_logs.tenant_id and namespaces.name = placement.namespace
  where item.type = 'log'
  order by item.index;
end $$;

-- What became of each item, in order: [{index, type, status: ok | error, result | error}].
create function public.item_results(items jsonb, placements jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return (select coalesce(jsonb_agg(
    jsonb_build_object('index', item.index, 'type', item.type) || case
      when item.error is not null then jsonb_build_object('status', 'error', 'error', item.error)
      when placement.allowed then jsonb_build_object('status', 'ok', 'result', item.result)
      else jsonb_build_object('status', 'error') || public.namespace_refusal(placement.namespace)
    end order by item.index), '[]')
  from jsonb_to_recordset(item_results.items) as item (index integer, type text, error jsonb, result jsonb)
  left join jsonb_to_recordset(item_results.placements) as placement (index integer, namespace text, allowed boolean)
    on placement.index = item.index);
end $$;

-- POST /traces/llm, /traces/tool, /traces/handoff, /traces/log (one item) and /traces/batch (1 to 100).
-- payload.items: see above. data: {results: [...]}. All items that are not refused are stored, or none is.
-- payload.single: the one item's refusal is the request's.
create function public.record_traces(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(record_traces.payload);
  tenant_id uuid := admission ->> 'tenant_id';
  items jsonb := record_traces.payload -> 'items';
  placements jsonb;
  results jsonb;
begin
  if admission ? 'error' then return admission; end if;
  admission := public.replay_or_claim(admission, record_traces.payload);
  if admission ?| array['error', 'replay'] then return admission; end if;

  placements := public.place_items(admission, items);
  perform public.register_namespaces(tenant_id, array(
    select placement.namespace
    from jsonb_to_recordset(placements) as placement (namespace text, allowed boolean)
    where placement.allowed));
  perform public.touch_sessions(tenant_id, placements);
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

revoke execute on function
  public.place_items, public.touch_sessions, public.insert_records, public.insert_logs, public.item_results,
  public.record_traces
  from public, anon, authenticated;
grant execute on function
  public.place_items, public.touch_sessions, public.insert_records, public.insert_logs, public.item_results,
  public.record_traces
  to service_role;
