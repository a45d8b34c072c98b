-- POST /scores (one item) and /scores/batch (1 to 100). payload.items: {index, trace_id | session_id | step_id, namespace?, name,
-- value? (number or boolean), source?, created_at?, content: {text_value?, comment?} or {sealed}, chance? (new_ids_of)}, numbered by their `index` in the request.
-- All that the token may store are stored, or none is. data: see store_scores; it is remembered, so nothing in it is content.
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create function public.record_scores(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.identify_sender(record_scores.payload);
  stored jsonb;
begin
  if admission ?| array['error', 'anonymization', 'data_keys'] then return admission; end if;
  -- In the order of record_steps: the key, the work, the count.
  if record_scores.payload ? 'idempotency' then
    admission := internal.replay_or_claim(admission, record_scores.payload);
    if admission ?| array['error', 'replay'] then return internal.count_request(admission, record_scores.payload); end if;
  end if;
  perform internal.refuse_beyond_limit(admission, record_scores.payload);

  stored := internal.store_scores(admission, record_scores.payload -> 'items');
  if record_scores.payload ? 'single' and stored -> 'refused' <> '[]' then
    admission := admission || jsonb_build_object('error', (stored #> '{refused,0}') - 'index');
  else
    admission := admission || jsonb_build_object('data', stored);
  end if;
  if record_scores.payload ? 'idempotency' then
    admission := internal.settle_idempotency_key(admission, record_scores.payload);
  end if;
  return internal.count_or_undo(admission, record_scores.payload);
exception when sqlstate 'TR429' then -- nothing of the above has happened
  return internal.count_request(
    admission || internal.limit_refusal(admission, record_scores.payload), record_scores.payload);
end $$;

-- Stores the items that the token may store: {scores: [{index, id, namespace, created_at}], refused: [{index, code, message}]}.
create function internal.store_scores(admission jsonb, items jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := store_scores.admission ->> 'tenant_id';
  whole jsonb := internal.whole_scores(owner_id, store_scores.items);
  refused jsonb := internal.refused_scores(store_scores.admission, whole);
begin
  whole := internal.not_refused(whole, refused);
  perform internal.register_namespaces(owner_id, array(
    select item.value ->> 'namespace' from jsonb_array_elements(whole) as item));
  insert into public.scores (
    id, tenant_id, namespace_id, trace_id, session_id, step_id, name, number_value, boolean_value, text_value, comment, sealed,
    source, created_at)
  select
    item.id, owner_id, internal.namespace_id(owner_id, item.namespace), item.trace_id, item.session_id, item.step_id, item.name,
    case jsonb_typeof(item.value) when 'number' then item.value::double precision end,
    case jsonb_typeof(item.value) when 'boolean' then item.value::boolean end,
    item.content ->> 'text_value', item.content ->> 'comment', item.content ->> 'sealed', item.source, item.created_at
  from jsonb_to_recordset(whole) as item (
    id uuid, namespace text, trace_id text, session_id text, step_id uuid, name text, value jsonb, content jsonb, source text,
    created_at timestamptz);
  return jsonb_build_object('refused', refused, 'scores', to_jsonb(array(
    select jsonb_build_object('index', item.value -> 'index', 'id', item.value -> 'id', 'namespace', item.value -> 'namespace',
                              'created_at', item.value -> 'created_at')
    from jsonb_array_elements(whole) with ordinality as item (value, number) order by item.number)));
end $$;

-- The items with their ids and all that their senders may leave open; `home` is the namespace of what they are about.
create function internal.whole_scores(owner_id uuid, items jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  ids text := internal.new_ids_of(whole_scores.items);
begin
  return to_jsonb(array(
    select item.value || jsonb_build_object(
      'id', ids || lpad(to_hex((item.value ->> 'index')::integer), 5, '0'),
      'home', home.namespace,
      'namespace', coalesce(item.value ->> 'namespace', home.namespace, 'default'),
      'created_at', internal.timestamp_text(coalesce(
        (item.value ->> 'created_at')::timestamptz,
        now() + (item.value ->> 'index')::integer * interval '1 microsecond'))) -- in the order of the request
    from jsonb_array_elements(whole_scores.items) with ordinality as item (value, number)
    cross join lateral (
      select internal.home_of_score(
        owner_id, item.value ->> 'trace_id', item.value ->> 'session_id', (item.value ->> 'step_id')::uuid) as namespace
      offset 0 -- once for each
    ) as home
    order by item.number));
end $$;

-- The namespace of a trace, session or step as it is known at this moment; null: it is not there yet. Nothing is folded for it: of
-- the traces that were not, clients know those that they have named themselves and those of OpenTelemetry.
create function internal.home_of_score(owner_id uuid, trace_id text, session_id text, step_id uuid) returns text
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  home bigint := case
    when step_id is not null then (
      select steps.namespace_id from public.steps
      where steps.id = home_of_score.step_id and steps.tenant_id = owner_id)
    when session_id is not null then coalesce(
      (select sessions.namespace_id from public.sessions
       where sessions.tenant_id = owner_id and sessions.id = home_of_score.session_id),
      (select (select steps.namespace_id from public.steps where steps.id = placements.step_id)
       from public.placements -- a session that only spans tell of
       where placements.tenant_id = owner_id and placements.session_id = home_of_score.session_id
       limit 1))
    else coalesce(
      (select traces.namespace_id from public.traces
       where traces.tenant_id = owner_id and traces.trace_id = home_of_score.trace_id),
      (select steps.namespace_id from public.steps
       where steps.tree_key = internal.tree_key(owner_id, 'claimed', home_of_score.trace_id)
       order by steps.id limit 1),
      (select steps.namespace_id from public.steps
       where steps.tree_key = internal.tree_key(owner_id, 'otel', home_of_score.trace_id)
       order by steps.id limit 1))
  end;
begin
  return (select namespaces.name from public.namespaces where namespaces.id = home);
end $$;

-- The refusals of whole_scores: [{index, code, message}]. A bound token must be allowed to use two namespaces: the one that the
-- score gets, and the one of what the score is about. The refusal does not name the second.
create function internal.refused_scores(admission jsonb, items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(
      jsonb_build_object('index', item.value -> 'index') || (refused.refusal -> 'error') order by item.number), '[]')
    from jsonb_array_elements(refused_scores.items) with ordinality as item (value, number)
    cross join lateral (
      select case
        when not internal.may_use_namespace(admission, item.value ->> 'home') then
          internal.refusal('forbidden', 'This tracer token may not use the namespace of what this score is about.')
        when not internal.may_use_namespace(admission, item.value ->> 'namespace') then
          internal.namespace_refusal(item.value ->> 'namespace')
      end as refusal
    ) as refused
    where refused.refusal is not null);
end $$;
