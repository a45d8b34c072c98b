-- Recording traces. A batch is the primitive: a single trace is a batch of one.

-- Opens the sessions of the items that are not known yet, and notes activity in those that are: a session belongs to
-- the namespace that it was opened in, else the first one that an item gives for it, else `default`.
-- Returns {session_id: namespace} for the sessions that the token may use.
create function public.touch_sessions(admission jsonb, items jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
  session_ids text[];
  session_namespaces text[];
  given_namespaces text[];
  usable_sessions jsonb;
begin
  with item as (
    select item.index, item.session_id, item.namespace, namespaces.name as known_namespace
    from jsonb_to_recordset(touch_sessions.items)
      as item (index integer, session_id text, namespace text, error jsonb)
    left join public.sessions on sessions.tenant_id = owner_id and sessions.id = item.session_id
    left join public.namespaces on namespaces.id = sessions.namespace_id
    where item.error is null
  ), usable as (
    select item.* from item
    where (item.namespace is null or public.may_use_namespace(touch_sessions.admission, item.namespace))
      and (item.known_namespace is null or public.may_use_namespace(touch_sessions.admission, item.known_namespace))
  ), session as (
    select usable.session_id as id, coalesce(
      min(usable.known_namespace),
      (array_agg(usable.namespace order by usable.index) filter (where usable.namespace is not null))[1],
      'default') as namespace
    from usable
    where usable.session_id is not null
    group by usable.session_id
  ), wanted as (
    select session.id, session.namespace from session
    where public.may_use_namespace(touch_sessions.admission, session.namespace)
  )
  select (select array_agg(wanted.id order by wanted.id) from wanted),
         (select array_agg(wanted.namespace order by wanted.id) from wanted),
         (select array_agg(distinct usable.namespace) filter (where usable.namespace is not null) from usable)
  into session_ids, session_namespaces, given_namespaces;

  perform public.register_namespaces(owner_id, session_namespaces || given_namespaces);

  -- In the order of the ids, here and below, so that two batches over the same sessions never wait for each other in a
  -- circle. One that another request is just opening is waited for, and keeps the namespace which that one gives it.
  insert into public.sessions (tenant_id, id, namespace_id)
  select owner_id, wanted.id, namespaces.id
  from unnest(session_ids, session_namespaces) as wanted (id, namespace)
  join public.namespaces on namespaces.tenant_id = owner_id and namespaces.name = wanted.namespace
  where not exists (
    select from public.sessions known where known.tenant_id = owner_id and known.id = wanted.id)
  order by wanted.id
  on conflict on constraint session_id_is_unique_within_its_tenant do nothing;

  perform from public.sessions
  where sessions.tenant_id = owner_id and sessions.id = any (session_ids)
  order by sessions.id for no key update;

  with touched as (
    update public.sessions set last_activity_at = greatest(sessions.last_activity_at, now())
    from public.namespaces
    where sessions.tenant_id = owner_id and sessions.id = any (session_ids)
      and namespaces.id = sessions.namespace_id
      and public.may_use_namespace(touch_sessions.admission, namespaces.name)
    returning sessions.id, namespaces.name as namespace
  )
  select coalesce(jsonb_object_agg(touched.id, touched.namespace), '{}') into usable_sessions from touched;
  return usable_sessions;
end $$;

-- Where each item belongs: its own namespace, else its session's. `sessions`: what touch_sessions returned.
-- Returns [{index, namespace} | {index, error}], the error for what the token may not use.
create function public.place_items(admission jsonb, items jsonb, sessions jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('index', item.index) || case
      when item.namespace is not null and not public.may_use_namespace(place_items.admission, item.namespace)
        then public.namespace_refusal(item.namespace)
      when item.session_id is not null and not place_items.sessions ? item.session_id
        then public.refusal('forbidden', 'This tracer token may not use the namespace of this session. '
          || 'A session that is new and names none is opened in "default".')
      else jsonb_build_object('namespace', coalesce(item.namespace, place_items.sessions ->> item.session_id))
    end), '[]')
    from jsonb_to_recordset(place_items.items)
      as item (index integer, session_id text, namespace text, error jsonb)
    where item.error is null);
end $$;

-- Stores the placed items that are not logs as records. An agent that is not named is the namespace's own.
create function public.insert_records(tenant_id uuid, items jsonb, placements jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.records (
    tenant_id, namespace_id, session_id, type, agent, occurred_at, latency_ms, model,
    input_tokens, output_tokens, process_tokens, memory_tokens, total_tokens, content)
  select insert_records.tenant_id, namespaces.id, item.session_id, item.type,
         coalesce(item.agent, placement.namespace), coalesce(item.occurred_at, now()), item.latency_ms, item.model,
         item.input_tokens, item.output_tokens, item.process_tokens, item.memory_tokens, item.total_tokens, item.content
  from jsonb_to_recordset(insert_records.items) as item (
    index integer, type text, session_id text, agent text, occurred_at timestamptz, latency_ms bigint, model text,
    input_tokens bigint, output_tokens bigint, process_tokens bigint, memory_tokens bigint, total_tokens bigint,
    content jsonb)
  join jsonb_to_recordset(insert_records.placements) as placement (index integer, namespace text)
    on placement.index = item.index
  join public.namespaces
    on namespaces.tenant_id = insert_records.tenant_id and namespaces.name = placement.namespace
  where item.type <> 'log'
  order by item.index;
end $$;

-- Stores the placed log items.
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
  join jsonb_to_recordset(insert_logs.placements) as placement (index integer, namespace text)
    on placement.index = item.index
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
      when placement.namespace is not null then jsonb_build_object('status', 'ok', 'result', item.result)
      else jsonb_build_object('status', 'error', 'error', coalesce(item.error, placement.error))
    end order by item.index), '[]')
  from jsonb_to_recordset(item_results.items) as item (index integer, type text, error jsonb, result jsonb)
  left join jsonb_to_recordset(item_results.placements) as placement (index integer, namespace text, error jsonb)
    on placement.index = item.index);
end $$;

-- POST /traces/llm, /traces/tool, /traces/handoff, /traces/log (one item) and /traces/batch (1 to 100).
-- payload.items: each is refused already, {index, type, error: {code, message}}, or {index, type, session_id?,
-- namespace?, agent?, occurred_at?, latency_ms?, model?, input_tokens?, output_tokens?, total_tokens?, level?,
-- resource_id?, content, result}, type being llm, tool, handoff or log and result what its sender gets back.
-- data: {results: [...]}, see item_results. All items that are not refused are stored, or none is.
-- payload.single: the one item's refusal is the request's.
create function public.record_traces(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.identify(record_traces.payload);
  tenant_id uuid := admission ->> 'tenant_id';
  items jsonb := record_traces.payload -> 'items';
  placements jsonb;
  results jsonb;
begin
  if admission ? 'error' then return admission; end if;
  -- The key before the count: a request that waits for its twin must not hold up the other requests of its token.
  admission := public.replay_or_claim(admission, record_traces.payload);
  admission := public.count_request(admission, record_traces.payload);
  if admission ?| array['error', 'replay'] then return admission; end if;

  placements := public.place_items(admission, items, public.touch_sessions(admission, items));
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
  public.touch_sessions, public.place_items, public.insert_records, public.insert_logs, public.item_results,
  public.record_traces
  from public, anon, authenticated;
grant execute on function
  public.touch_sessions, public.place_items, public.insert_records, public.insert_logs, public.item_results,
  public.record_traces
  to service_role;
