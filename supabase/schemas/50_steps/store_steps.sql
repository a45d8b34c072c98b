-- Writing steps: facts are appended, and nothing is looked up but where they belong. What follows from them is derived
-- (60_traces).

-- Stores the items, and notes them as what is to be folded. Returns what the ids of its steps begin with: see new_step_ids. An
-- item: {index, kind, session_id?, namespace?, name?, agent?, status?, error?, started_at?, occurred_at?, latency_ms?, model?,
-- input_tokens?, output_tokens?, process_tokens?, memory_tokens?, total_tokens?, cached_input_tokens?, reasoning_tokens?,
-- level?, resource_id?, trace_id?, parent_trace_id?, otel_trace_id?, span_id?, parent_span_id?, user_id?, role?,
-- fingerprint?, content}. An encrypted one has {sealed} in its content, beside what is looked at here and in step_view, and a text
-- for its error, and the `chance` of its id (new_ids_of).
create function internal.store_steps(owner_id uuid, items jsonb) returns text
language plpgsql set search_path = '' as $$
declare
  places internal.place[] := internal.places_of(owner_id, items);
  ids text := internal.new_ids_of(items);
begin
  insert into public.steps (
    id, tenant_id, namespace_id, session_id, kind, name, agent, agent_is_named, status, started_at, occurred_at, latency_ms,
    model, input_tokens, output_tokens, process_tokens, memory_tokens, total_tokens, cached_input_tokens, reasoning_tokens,
    level, resource_id, trace_id, parent_trace_id, otel_trace_id, span_id, parent_span_id, user_id, role, fingerprint,
    handoffs, error, content)
  select
    (ids || lpad(to_hex(item.index), 5, '0'))::uuid, owner_id, place.namespace_id, item.session_id,
    item.kind, item.name, coalesce(item.agent, case when item.kind <> 'log' then place.namespace end),
    item.agent is not null, item.status, item.started_at,
    -- in the order of the request, where no time was told
    coalesce(case when item.span_id is not null then item.started_at end, item.occurred_at, now() + item.index * interval '1 microsecond'), item.latency_ms, item.model,
    item.input_tokens, item.output_tokens, item.process_tokens, item.memory_tokens, item.total_tokens,
    item.cached_input_tokens, item.reasoning_tokens, item.level, item.resource_id,
    case when item.trace_id is null and item.parent_trace_id is not null then internal.trace_below(
      owner_id, item.parent_trace_id, place.namespace_id, coalesce(item.agent, place.namespace), item.session_id)
    else item.trace_id end,
    item.parent_trace_id, item.otel_trace_id, item.span_id, item.parent_span_id, item.user_id, item.role,
    left(item.fingerprint, 32)::uuid,
    case item.kind
      when 'handoff' then jsonb_build_array(
        jsonb_build_object('from', item.content -> 'from_agent', 'to', item.content -> 'to_agent'))
      when 'message' then internal.handoffs_of(item.content)
    end,
    item.error, item.content
  from jsonb_to_recordset(store_steps.items) as item (
    index integer, kind text, session_id text, namespace text, name text, agent text, status text, error jsonb,
    started_at timestamptz, occurred_at timestamptz, latency_ms bigint, model text, input_tokens bigint,
    output_tokens bigint, process_tokens bigint, memory_tokens bigint, total_tokens bigint, cached_input_tokens bigint,
    reasoning_tokens bigint, level text, resource_id text, trace_id text, parent_trace_id text, otel_trace_id text,
    span_id text, parent_span_id text, user_id text, role text, fingerprint text, content jsonb)
  join unnest(places) as place
    on place.session_id = coalesce(item.session_id, '') and place.given_namespace = coalesce(item.namespace, '')
  -- Two requests with the same spans or log records in another order must not wait in a circle.
  order by item.span_id, item.fingerprint, item.index
  on conflict do nothing;
  if found then -- a retry that stores nothing notes nothing
    insert into public.changes (tenant_id, first_step_id, last_step_id, steps)
    select owner_id, (ids || lpad(to_hex(first.index), 5, '0'))::uuid, (ids || lpad(to_hex(first.index + 999), 5, '0'))::uuid,
           least(1000, jsonb_array_length(items) - first.index)
    from generate_series(0, (items -> -1 ->> 'index')::integer, 1000) as first (index);
  end if;
  return ids;
end $$;

-- What the ids of a request's steps begin with: UUIDs of version 7, of the time and of chance. Their last five digits are the
-- index of the item in hexadecimal, so that the ids of a request are in order and no other request's are among them.
create function internal.new_step_ids() returns text
language plpgsql volatile set search_path = '' as $$
declare
  chance text := gen_random_uuid();
  moment text := lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0');
begin
  return left(moment, 8) || '-' || right(moment, 4) || '-7' || substr(chance, 1, 3) || '-8' || substr(chance, 21, 3) || '-'
    || substr(chance, 25, 7);
end $$;

-- The same for these items. Where the API encrypts, it has made their `chance`, because what it encrypts is bound to that: what is
-- behind the 15 characters of the time and the version.
create function internal.new_ids_of(items jsonb) returns text
language plpgsql volatile set search_path = '' as $$
declare
  ids text := internal.new_step_ids();
begin
  return left(ids, 15) || coalesce(new_ids_of.items #>> '{0,chance}', substr(ids, 16));
end $$;

-- Who handed over to whom, as a record's transfers say: [{from, to}], null where nobody did.
create function internal.handoffs_of(content jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if jsonb_typeof(handoffs_of.content -> 'transfers') is distinct from 'array' then return null; end if;
  return (
    select jsonb_agg(jsonb_build_object('from', transfer.value -> 'from', 'to', transfer.value -> 'to') order by transfer.number)
    from jsonb_array_elements(handoffs_of.content -> 'transfers') with ordinality as transfer (value, number));
end $$;

-- The id of the trace of an agent and session below a parent, for steps that name the parent alone.
create function internal.trace_below(owner_id uuid, parent text, namespace_id bigint, agent text, session_id text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return internal.public_id('agt_trace_', jsonb_build_array(
    owner_id, trace_below.parent, trace_below.namespace_id, trace_below.agent, trace_below.session_id)::text);
end $$;
