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
  touched jsonb;
begin
  with item as (
    select item.index, item.session_id, item.namespace
    from jsonb_to_recordset(touch_sessions.items)
      as item (index integer, session_id text, namespace text, error jsonb)
    where item.error is null
      and (item.namespace is null or public.may_use_namespace(touch_sessions.admission, item.namespace))
  ), session as (
    select item.session_id as id, coalesce(
      (select namespaces.name from public.sessions join public.namespaces on namespaces.id = sessions.namespace_id
       where sessions.tenant_id = owner_id and sessions.id = item.session_id),
      (array_agg(item.namespace order by item.index) filter (where item.namespace is not null))[1],
      'default') as namespace
    from item
    where item.session_id is not null
    group by item.session_id
  ), usable as (
    select session.id, session.namespace from session
    where public.may_use_namespace(touch_sessions.admission, session.namespace)
  )
  select (select array_agg(usable.id order by usable.id) from usable),
         (select array_agg(usable.namespace order by usable.id) from usable),
         (select array_agg(distinct item.namespace) filter (where item.namespace is not null) from item)
  into session_ids, session_namespaces, given_namespaces;

  perform public.register_namespaces(owner_id, session_namespaces || given_namespaces);

  -- In the order of the ids, so that two batches over the same sessions never wait for each other in a circle. A session
  -- that another request has opened meanwhile keeps that one's namespace, which the token may not be allowed to use.
  with opened as (
    insert into public.sessions (tenant_id, id, namespace_id)
    select owner_id, wanted.id, namespaces.id
    from unnest(session_ids, session_namespaces) as wanted (id, namespace)
    join public.namespaces on namespaces.tenant_id = owner_id and namespaces.name = wanted.namespace
    order by wanted.id
    on conflict on constraint session_id_is_unique_within_its_tenant
      do update set last_activity_at = greatest(sessions.last_activity_at, excluded.last_activity_at)
      where public.may_use_namespace(touch_sessions.admission, (
        select namespaces.name from public.namespaces where namespaces.id = sessions.namespace_id))
    returning sessions.id, sessions.namespace_id
  )
  select jsonb_object_agg(opened.id, opened.namespace_id) into touched from opened;

  -- A statement of its own: the one above does not see a namespace that was registered while it waited.
  return (select coalesce(jsonb_object_agg(session.key, namespaces.name), '{}')
          from jsonb_each_text(touched) as session
          join public.namespaces on namespaces.id = session.value::bigint);
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
  admission jsonb := public.admit(record_traces.payload);
  tenant_id uuid := admission ->> 'tenant_id';
  items jsonb := record_traces.payload -> 'items';
  placements jsonb;
  results jsonb;
begin
  if admission ? 'error' then return admission; end if;
  admission := public.replay_or_claim(admission, record_traces.payload);
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
