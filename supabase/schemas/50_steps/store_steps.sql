-- Writing steps: facts are appended, and nothing is looked up but where they belong. What follows from them is derived
-- (60_traces).

-- Stores the items that are not refused, each in its place, and notes what is to be folded. `first_id`: see new_step_ids.
-- An item: {index, kind, session_id?, namespace?, name?, agent?, status?, error?, started_at?, occurred_at?, latency_ms?,
-- model?, input_tokens?, output_tokens?, process_tokens?, memory_tokens?, total_tokens?, level?, resource_id?, trace_id?,
-- parent_trace_id?, otel_trace_id?, span_id?, parent_span_id?, content}.
create function internal.store_steps(owner_id uuid, first_id uuid, items jsonb, places internal.place[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  insert into public.steps (
    id, tenant_id, namespace_id, session_id, kind, name, agent, agent_is_named, status, started_at, occurred_at, latency_ms,
    model, input_tokens, output_tokens, process_tokens, memory_tokens, total_tokens, level, resource_id, trace_id,
    parent_trace_id, otel_trace_id, span_id, parent_span_id, handoffs, tree_kind, tree_key, error, content)
  select
    internal.step_id(store_steps.first_id, item.index), owner_id, place.namespace_id, item.session_id,
    item.kind, item.name, coalesce(item.agent, case when item.kind <> 'log' then place.namespace end),
    item.agent is not null, item.status, item.started_at,
    -- in the order of the request, where no time was told
    coalesce(item.occurred_at, now() + item.index * interval '1 microsecond'), item.latency_ms, item.model,
    item.input_tokens, item.output_tokens, item.process_tokens, item.memory_tokens, item.total_tokens, item.level,
    item.resource_id, named.trace_id, item.parent_trace_id, item.otel_trace_id, item.span_id, item.parent_span_id,
    case item.kind
      when 'handoff' then jsonb_build_array(
        jsonb_build_object('from', item.content -> 'from_agent', 'to', item.content -> 'to_agent'))
      when 'message' then internal.handoffs_of(item.content)
    end,
    tree.kind,
    case when tree.kind is not null then internal.tree_key(owner_id, tree.kind, tree.made_of) end,
    item.error, item.content
  from jsonb_to_recordset(store_steps.items) as item (
    index integer, kind text, session_id text, namespace text, name text, agent text, status text, error jsonb,
    started_at timestamptz, occurred_at timestamptz, latency_ms bigint, model text, input_tokens bigint, output_tokens bigint,
    process_tokens bigint, memory_tokens bigint, total_tokens bigint, level text, resource_id text, trace_id text,
    parent_trace_id text, otel_trace_id text, span_id text, parent_span_id text, content jsonb, refusal jsonb)
  join unnest(store_steps.places) as place
    on place.session_id = coalesce(item.session_id, '') and place.given_namespace = coalesce(item.namespace, '')
  cross join lateral (
    select case when item.trace_id is null and item.parent_trace_id is not null
      then internal.trace_below(owner_id, item.parent_trace_id, place.namespace_id,
                                coalesce(item.agent, place.namespace), item.session_id)
      else item.trace_id end as trace_id
  ) as named
  cross join lateral (
    select
      case
        when item.otel_trace_id is not null then 'otel'
        when named.trace_id is not null then 'claimed'
        when item.session_id is not null then 'session'
        when item.kind <> 'log' then 'lone'
      end as kind,
      case
        when item.otel_trace_id is not null then item.otel_trace_id
        when named.trace_id is not null then named.trace_id
        when item.session_id is not null then place.namespace_id || ' ' || item.session_id
        else internal.step_id(store_steps.first_id, item.index)::text
      end as made_of
  ) as tree
  where item.refusal is null and place.refusal is null
  order by item.otel_trace_id, item.span_id, item.index -- two requests with the same spans do not wait in a circle
  on conflict (tenant_id, otel_trace_id, span_id) where span_id is not null do nothing;

  perform internal.note_changes(owner_id, store_steps.first_id, internal.step_id(store_steps.first_id, 1048575));
end $$;

-- The first id for the steps of a request, a UUID of version 7: the time, and chance; the last five digits are 0.
create function internal.new_step_ids() returns uuid
language plpgsql volatile set search_path = '' as $$
declare
  chance text := replace(gen_random_uuid()::text, '-', '');
begin
  return (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(chance, 1, 3) || '8' || substr(chance, 18, 10) || '00000')::uuid;
end $$;

-- The id of the request's step with this index, from 0 to 1,048,575.
create function internal.step_id(first_id uuid, index integer) returns uuid
language plpgsql immutable set search_path = '' as $$
begin
  return (left(step_id.first_id::text, 31) || lpad(to_hex(step_id.index), 5, '0'))::uuid;
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
create function internal.trace_below(tenant_id uuid, parent text, namespace_id bigint, agent text, session_id text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return internal.public_id('agt_trace_', jsonb_build_array(
    trace_below.tenant_id, trace_below.parent, trace_below.namespace_id, trace_below.agent, trace_below.session_id)::text);
end $$;

-- Notes the steps of a tenant with ids in a range, as what is to be folded. What a retry did not store is not noted.
create function internal.note_changes(owner_id uuid, first_id uuid, last_id uuid) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  insert into public.changes (
    tenant_id, first_step_id, last_step_id, arrived_at, tree_kind, tree_key, trace_id, is_structural, first_happened_at, namespace_id,
    session_id, list, agent, agent_is_named, level, hour, steps)
  select owner_id, note_changes.first_id, note_changes.last_id, now(), steps.tree_kind, steps.tree_key,
         case steps.tree_kind when 'claimed' then steps.trace_id end, bool_or(steps.handoffs is not null), min(coalesce(steps.started_at, steps.occurred_at)), steps.namespace_id,
         steps.session_id, steps.list, steps.agent, steps.agent_is_named, steps.level,
         date_trunc('hour', steps.occurred_at, 'UTC'), count(*)
  from public.steps
  where steps.id between note_changes.first_id and note_changes.last_id and steps.tenant_id = owner_id
  group by steps.tree_kind, steps.tree_key, case steps.tree_kind when 'claimed' then steps.trace_id end, steps.namespace_id,
           steps.session_id, steps.list, steps.agent, steps.agent_is_named, steps.level,
           date_trunc('hour', steps.occurred_at, 'UTC');
end $$;
