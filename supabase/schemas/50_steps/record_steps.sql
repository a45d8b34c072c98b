-- POST /traces/llm, /traces/tool, /traces/handoff, /traces/log (one item) and /traces/batch (1 to 100).
-- payload.items: each is refused already, {index, kind, refusal: {code, message}}, or a step (internal.store_steps) with
-- `result`, what its sender gets back. All that are not refused are stored, or none is.
-- data: {results: [{index, type, status: ok | error, result | error}]}, each result with the `id` of its step.
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create function public.record_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := internal.identify_sender(record_steps.payload);
  items jsonb := record_steps.payload -> 'items';
  first_id uuid := internal.new_step_ids();
  places internal.place[];
  results jsonb;
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  -- The key before the count: a request that waits for its twin must not hold up the other requests of its token.
  admission := internal.replay_or_claim(admission, record_steps.payload);
  if admission ?| array['error', 'replay'] then return internal.count_request(admission, record_steps.payload); end if;
  perform internal.refuse_beyond_limit(admission, record_steps.payload);

  items := internal.without_foreign_traces(admission, items);
  places := internal.places_of(admission, items);
  perform internal.store_steps((admission ->> 'tenant_id')::uuid, first_id, items, places);
  results := internal.results_of(first_id, items, places);
  return internal.count_or_undo(
    internal.settle_idempotency_key(
      admission || case
        when (record_steps.payload ->> 'single')::boolean and results -> 0 ? 'error'
          then jsonb_build_object('error', results -> 0 -> 'error')
        else jsonb_build_object('data', jsonb_build_object('results', results))
      end, record_steps.payload),
    record_steps.payload);
exception when sqlstate 'TR429' then -- nothing of the above has happened
  return internal.count_request(
    admission || internal.limit_refusal(admission, record_steps.payload), record_steps.payload);
end $$;

-- What became of each item, in order.
create function internal.results_of(first_id uuid, items jsonb, places internal.place[]) returns jsonb
language plpgsql immutable set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  return (
    select coalesce(jsonb_agg(
      case when item.refusal is null and place.refusal is null then
        jsonb_build_object('index', item.index, 'type', item.kind, 'status', 'ok', 'result',
          item.result || jsonb_build_object('id', internal.step_id(results_of.first_id, item.index)))
      else
        jsonb_build_object('index', item.index, 'type', item.kind, 'status', 'error', 'error',
          coalesce(item.refusal, place.refusal -> 'error'))
      end order by item.index), '[]')
    from jsonb_to_recordset(results_of.items) as item (
      index integer, kind text, session_id text, namespace text, refusal jsonb, result jsonb)
    left join unnest(results_of.places) as place
      on place.session_id = coalesce(item.session_id, '') and place.given_namespace = coalesce(item.namespace, ''));
end $$;

-- The items, but those refused that name a trace with steps in a namespace which the token may not use.
create function internal.without_foreign_traces(admission jsonb, items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(without_foreign_traces.admission);
begin
  if usable is null or not jsonb_path_exists(items, '$[*].trace_id') then return items; end if;
  return (
    select jsonb_agg(
      case when item.value ? 'trace_id' and not item.value ? 'refusal' and exists (
        select from public.steps join public.namespaces on namespaces.id = steps.namespace_id
        where steps.tree_key = internal.tree_key(owner_id, 'claimed', item.value ->> 'trace_id')
          and steps.tenant_id = owner_id and namespaces.name <> all (usable))
      then item.value || jsonb_build_object('refusal', internal.refusal('forbidden',
        'trace_id: this trace is in a namespace that this tracer token may not use.') -> 'error')
      else item.value end order by item.number)
    from jsonb_array_elements(items) with ordinality as item (value, number));
end $$;
