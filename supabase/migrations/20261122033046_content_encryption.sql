-- Made from supabase/schemas/, which says what is true now, by `npm run db:migration`.

-- A function may call one that is made after it.
set check_function_bodies = off;

select internal.begin_migration();

-- With which keys the API encrypts what a tenant's steps say, where it does (docs/encryption.md). A data key is here as a master key
-- has wrapped it, and nobody who has the database alone can open it. The encryption itself is the API's.
create table public.data_keys (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  number integer not null,
  wrapped text,
  master_key text,
  created_at timestamptz not null default now(),
  constraint data_key_number_is_unique_within_its_tenant primary key (tenant_id, number),
  constraint data_key_number_is_positive check (number > 0),
  constraint data_key_is_wrapped_by_a_master_key check ((wrapped is null) = (master_key is null))
);

drop function internal.first_words(uuid);

alter table public.data_keys
  enable row level security;

alter table public.scores
  add column sealed text;

-- How much content is in these steps, of each no more than so much; but all of an encrypted one, which only the API can cut.
create or replace function internal.bytes_of_steps(ids uuid[], max_bytes integer) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select coalesce(sum((
      select case when jsonb_typeof(steps.error) = 'string' then steps.bytes else least(max_bytes, steps.bytes) end
      from public.steps where steps.id = wanted.id)), 0)
    from unnest(bytes_of_steps.ids) as wanted (id));
end $$;

-- A step_view whose content is no larger than so many bytes of JSON: its smallest members, as many as fit, and the names of the
-- others in `left_out`. What is encrypted stays as it is: the API cuts it
-- (store/sealing/cut-to-fit.ts).
create or replace function internal.cut_view(step_view jsonb, max_bytes integer) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  left_out text[];
begin
  if step_view -> 'content' ? 'sealed' then return step_view; end if;
  if coalesce(octet_length(step_view ->> 'content') + octet_length(coalesce(step_view ->> 'messages', '')) <= max_bytes, true) then
    return step_view;
  end if;
  left_out := array(
    select member.name
    from (
      select part.key as name, sum(octet_length(part.key || part.value::text) + 6) over (
        order by octet_length(part.value::text), part.key) as bytes
      from jsonb_each(step_view -> 'content' || jsonb_strip_nulls(jsonb_build_object('messages', step_view -> 'messages'))) as part
    ) as member
    where member.bytes > max_bytes order by member.name);
  return step_view || jsonb_build_object(
    'content', (step_view -> 'content') - left_out, 'truncated', true, 'left_out', to_jsonb(left_out),
    'messages', case when 'messages' <> all (left_out) then step_view -> 'messages' end);
end $$;

create or replace function internal.data_keys_of(owner_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return to_jsonb(array(
    select jsonb_build_object('number', data_keys.number, 'wrapped', data_keys.wrapped, 'master_key', data_keys.master_key)
    from public.data_keys where data_keys.tenant_id = owner_id order by data_keys.number));
end $$;

-- How a conversation begins: of a model call what it was asked, of a record what it says.
create or replace function internal.first_words(step_id uuid) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select internal.shown_text(steps.id, steps.error, case
      when steps.kind <> 'llm' or jsonb_typeof(steps.error) = 'string' then steps.preview
      else coalesce(
        internal.step_preview('llm', steps.name, jsonb_build_object('input', steps.content -> 'input')), steps.preview) end)
    from public.steps where steps.id = first_words.step_id);
end $$;

-- Who is asking. Returns {tenant_id, token_id, scope, namespaces, limit}, `namespaces` being the only ones that the token may use
-- (null: any) and `limit` the limit that is set for the token, or else for its tenant (null: neither has one, and the bucket's
-- own counts); or a refusal: invalid_token, token_inactive, token_expired. For an API that encrypts, with_data_keys.
create or replace function internal.identify(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  token record;
  usable text[];
  admission jsonb;
begin
  select tracer_tokens.id, tracer_tokens.tenant_id, tracer_tokens.active, tracer_tokens.expires_at, tracer_tokens.namespaces,
         tracer_tokens.scope,
         tenants.registered_namespaces_only,
         coalesce(tracer_tokens.rate_limits -> (identify.payload ->> 'bucket'),
                  tenants.rate_limits -> (identify.payload ->> 'bucket')) as rate_limit
  into token
  from public.tracer_tokens join public.tenants on tenants.id = tracer_tokens.tenant_id
  where tracer_tokens.token_hash = identify.payload ->> 'token_hash';

  if not found then
    return internal.refusal('invalid_token', 'This tracer token is not known here. Check it for missing characters.');
  end if;
  if not token.active then
    return internal.refusal('token_inactive', 'This tracer token was revoked. Use another one.');
  end if;
  if token.expires_at <= now() then
    return internal.refusal('token_expired',
      format('This tracer token expired at %s. Use another one.', internal.timestamp_text(token.expires_at)));
  end if;

  usable := token.namespaces;
  if token.registered_namespaces_only then
    usable := array(
      select namespaces.name from public.namespaces
      where namespaces.tenant_id = token.tenant_id
        and (token.namespaces is null or namespaces.name = any (token.namespaces)));
  end if;
  admission := jsonb_build_object(
    'tenant_id', token.tenant_id, 'token_id', token.id, 'scope', token.scope, 'namespaces', to_jsonb(usable), 'limit', token.rate_limit);
  if identify.payload ? 'known_data_key' then return internal.with_data_keys(admission, identify.payload); end if;
  return admission;
end $$;

-- identify, for a request that brings content. Where that was not redacted by the tenant's current rules (payload.
-- anonymization_version), adds them as {anonymization: {version, rules}}, and where it was not encrypted with the newest key, the
-- keys as {data_keys} (with_key_of_content): then the request must stop here, and the API redacts and encrypts by them and asks
-- again. record_steps, upload_steps and record_scores begin with it.
create or replace function internal.identify_sender(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.as_writer(internal.identify(identify_sender.payload));
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then
    return case when admission ? 'token_id' then internal.count_request(admission, identify_sender.payload) else admission end;
  end if;
  perform pg_advisory_xact_lock_shared(internal.content_lock(owner_id));
  if identify_sender.payload ? 'known_data_key' then
    admission := internal.with_key_of_content(admission, identify_sender.payload);
  end if;
  if coalesce((identify_sender.payload ->> 'anonymization_version')::integer, 0) = coalesce((
    select known.version from public.anonymization_rules known where known.tenant_id = owner_id), 0) then
    return admission;
  end if;
  return admission || jsonb_build_object('anonymization', internal.current_rules(owner_id));
end $$;

-- What others tell of a model call: log entries within its span, and the span around it if that has the call's input:
-- [[{side: input | output, message}]]. Of one that is encrypted, {id, sealed} in the place of its list.
create or replace function internal.messages_of_call(step public.steps) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return to_jsonb(array(
    select case when entry.content ? 'sealed' then jsonb_build_object('id', entry.id, 'sealed', entry.content -> 'sealed')
      else entry.content -> 'messages_of_call' end
    from public.steps as entry
    where entry.tree_key = step.tree_key and entry.parent_span_id = step.span_id and entry.kind = 'log'
      and entry.content ? 'messages_of_call'
    order by entry.occurred_at, entry.id)) || to_jsonb(array(
    select case when around.content ? 'sealed' then jsonb_build_object('id', around.id, 'sealed', around.content -> 'sealed')
      else jsonb_agg(jsonb_build_object('side', 'input', 'message', said.message) order by said.place) end
    from public.steps as around
    cross join lateral jsonb_array_elements(case jsonb_typeof(around.content -> 'input')
      when 'array' then around.content -> 'input' else jsonb_build_array(around.content -> 'input') end)
      with ordinality as said (message, place)
    where around.tenant_id = step.tenant_id and around.otel_trace_id = step.otel_trace_id
      and around.span_id = step.parent_span_id and around.namespace_id = step.namespace_id
      and around.content ? 'has_input_of_call' and around.content ? 'input'
    group by around.id));
end $$;

-- The same for these items. Where the API encrypts, it has made their `chance`, because what it encrypts is bound to that: what is
-- behind the 15 characters of the time and the version.
create or replace function internal.new_ids_of(items jsonb) returns text
language plpgsql volatile set search_path = '' as $$
declare
  ids text := internal.new_step_ids();
begin
  return left(ids, 15) || coalesce(new_ids_of.items #>> '{0,chance}', substr(ids, 16));
end $$;

-- Takes away what was said in the scores of these traces and of their steps, as far as the token may use their namespaces.
-- Numbers, and yes or no, stay: they are figures.
create or replace function internal.purge_scores(owner_id uuid, usable text[], trace_ids text[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  scored uuid[] := array(
    select about.id
    from unnest(purge_scores.trace_ids) as wanted (trace_id)
    cross join lateral (
      select scores.id from public.scores where scores.tenant_id = owner_id and scores.trace_id = wanted.trace_id
      union all
      select of_step.id
      from public.placements
      cross join lateral (
        select scores.id from public.scores where scores.tenant_id = owner_id and scores.step_id = placements.step_id
        offset 0
      ) as of_step
      where placements.tenant_id = owner_id and placements.trace_id = wanted.trace_id
      offset 0 -- one by one: the planner does not know how few they are
    ) as about);
begin
  update public.scores set text_value = null, comment = null, sealed = null
  where scores.id = any (scored) and num_nonnulls(scores.text_value, scores.comment, scores.sealed) > 0
    and (usable is null or (
      select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable));
end $$;

-- A score as clients get it: `value` is null once it was taken away, and what was not told is not there.
create or replace function internal.score_view(score public.scores) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'id', score.id,
    'namespace', (select namespaces.name from public.namespaces where namespaces.id = score.namespace_id),
    'trace_id', score.trace_id,
    'session_id', score.session_id,
    'step_id', score.step_id,
    'name', score.name,
    'comment', score.comment,
    'sealed', score.sealed,
    'source', score.source,
    'created_at', internal.timestamp_text(score.created_at)
  )) || jsonb_build_object('value', coalesce(
    to_jsonb(score.number_value), to_jsonb(score.boolean_value), to_jsonb(score.text_value)));
end $$;

-- The views of these sessions, as an array in their order. What a session is named for, its own namespace and user, is told only
-- to who sees that namespace.
create or replace function internal.session_views(owner_id uuid, listed internal.listed_session[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  used internal.used_session[] := internal.used_sessions(owner_id, listed);
begin
  return to_jsonb(array(
    select jsonb_build_object(
      'session_id', wanted.session_id,
      'namespace', (
        select namespaces.name from public.namespaces where namespaces.id = coalesce(home.namespace_id, wanted.namespace_ids[1])),
      'user_id', coalesce(home.user_id, figures.user_id),
      'created_at', internal.timestamp_text(coalesce(home.created_at, summary.began_at)),
      'last_activity_at', internal.timestamp_text(summary.last_activity_at),
      'active', summary.last_activity_at >= now() - coalesce(home.inactivity_timeout, 120) * interval '1 second',
      'agents', to_jsonb(figures.agents),
      'models', to_jsonb(figures.models),
      'trace_count', (
        select count(*) from public.traces
        where traces.tenant_id = owner_id and traces.session_id = wanted.session_id
          and traces.namespace_id = any (wanted.namespace_ids)),
      'step_count', summary.step_count,
      'error_count', summary.error_count,
      'input_tokens', figures.input_tokens,
      'cached_input_tokens', figures.cached_input_tokens,
      'output_tokens', figures.output_tokens,
      'reasoning_tokens', figures.reasoning_tokens,
      'cost', cost.cost,
      'duration_ms', round(extract(epoch from summary.ended_at - summary.began_at) * 1000)::bigint,
      'first_message', internal.first_words(summary.first_message_id),
      'last_message', (
        select internal.shown_text(steps.id, steps.error, steps.preview) from public.steps where steps.id = summary.last_message_id),
      'scores', internal.scores_of_session(owner_id, wanted.namespace_ids, wanted.session_id))
    from unnest(session_views.listed) with ordinality as wanted (session_id, namespace_ids, place)
    cross join lateral internal.summed_summary(owner_id, wanted.session_id, wanted.namespace_ids) as summary
    left join lateral (
      select sessions.* from public.sessions
      where sessions.tenant_id = owner_id and sessions.id = wanted.session_id
        and sessions.namespace_id = any (wanted.namespace_ids)
      offset 0
    ) as home on true
    join internal.costs_of(owner_id, array(
      select (line.place, line.model, line.day, line.uncached_input_tokens, line.cached_input_tokens, line.output_tokens,
              line.billed_steps, line.untold_steps)::internal.cost_line from unnest(used) as line)) as cost
      on cost.place = wanted.place
    join (
      select line.place, min(line.user_id) as user_id, sum(line.input_tokens) as input_tokens,
             sum(line.cached_input_tokens) as cached_input_tokens, sum(line.output_tokens) as output_tokens,
             sum(line.reasoning_tokens) as reasoning_tokens,
             coalesce(array_agg(distinct line.agent) filter (where line.agent is not null), '{}') as agents,
             coalesce(array_agg(distinct line.model) filter (where line.model is not null), '{}') as models
      from unnest(used) as line group by line.place
    ) as figures on figures.place = wanted.place
    order by wanted.place));
end $$;

-- What a list shows of what a step says: the text, or, of an encrypted step, {id, sealed}.
create or replace function internal.shown_text(step_id uuid, error jsonb, preview text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if jsonb_typeof(shown_text.error) = 'string' then
    return jsonb_build_object('id', shown_text.step_id, 'sealed', shown_text.error);
  end if;
  return to_jsonb(shown_text.preview);
end $$;

-- The skeletons of these steps, in their order. A step's number is its place in the order of arrival in its trace (of log entries
-- that belong to none both are null); and to a trace that the token may not see, no step leads. Tokens are told where they count:
-- what spans say of the calls below them is in the steps themselves. Of an encrypted step, `error` is {sealed}, which has the preview
-- and the name, too. Column by column: a whole row would bring its content along.
create or replace function internal.skeletons(owner_id uuid, usable text[], ids uuid[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_nestloop = off as $$
begin
  return to_jsonb(array(
    with placed as materialized (
      select given.place, given.id, found.*
      from unnest(skeletons.ids) with ordinality as given (id, place)
      left join lateral (select placements.* from public.placements where placements.step_id = given.id offset 0) as found on true
    ), numbered as materialized (
      select step.id, step.number
      from (select distinct placed.trace_id from placed) as trace
      cross join lateral (
        select placements.step_id as id, row_number() over (order by placements.step_id) as number from public.placements
        where placements.tenant_id = owner_id and placements.trace_id = trace.trace_id
        offset 0
      ) as step
    )
    select jsonb_build_object(
      'id', step.id,
      'trace_id', placed.trace_id,
      'step_number', numbered.number,
      'kind', case when placed.is_wrapper then 'span' else step.kind end,
      'agent', coalesce(placed.agent, step.agent),
      'name', case step.kind when 'llm' then coalesce(step.model, step.name) else step.name end,
      'started_at', internal.timestamp_text(internal.start_of(step.started_at, step.occurred_at, step.latency_ms)),
      'duration_ms', step.latency_ms,
      'time_told', step.started_at is not null,
      'status', step.status,
      'error', case when jsonb_typeof(step.error) = 'string' then jsonb_build_object('sealed', step.error)
        else to_jsonb(left(coalesce(step.error ->> 'message', step.error ->> 'type'), 120)) end,
      'input_tokens', case when counts.here then coalesce(step.input_tokens, placed.input_tokens) end,
      'output_tokens', case when counts.here then coalesce(step.output_tokens, placed.output_tokens) end,
      'cost', cost.cost,
      'to_trace_id', case
        when usable is null or internal.is_seen_trace(owner_id, usable, placed.to_trace_id) then placed.to_trace_id end,
      'bytes', step.bytes,
      'preview', step.preview)
    from placed
    left join numbered on numbered.id = placed.id
    cross join lateral (
      select steps.id, steps.list, steps.kind, steps.agent, steps.model, steps.name, steps.started_at, steps.occurred_at, steps.latency_ms,
             steps.status, steps.error, steps.input_tokens, steps.output_tokens, steps.bytes, steps.preview
      from public.steps where steps.id = placed.id offset 0
    ) as step
    cross join lateral (select step.list = 'records' and not placed.is_wrapper as here) as counts
    left join internal.costs_of_steps(owner_id, skeletons.ids) as cost on cost.step_id = step.id
    order by placed.place));
end $$;

-- The same for a request that brings a session's metadata, which is counted when it is let in: what to answer, null where it goes on.
-- Encrypted metadata is a text, which no client can send.
create or replace function internal.stopped_for_data_keys(payload jsonb, metadata jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  admission jsonb;
begin
  if jsonb_typeof(stopped_for_data_keys.metadata) is distinct from 'string' then return null; end if;
  admission := internal.as_writer(internal.identify(stopped_for_data_keys.payload));
  if admission ? 'error' then return null; end if; -- it is told when the request is counted
  perform pg_advisory_xact_lock_shared(internal.content_lock((admission ->> 'tenant_id')::uuid));
  admission := internal.with_key_of_content(admission, stopped_for_data_keys.payload);
  return case when admission ? 'data_keys' then admission end;
end $$;

-- Stores the items that the token may store: {scores: [{index, id, namespace, created_at}], refused: [{index, code, message}]}.
create or replace function internal.store_scores(admission jsonb, items jsonb) returns jsonb
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

-- Stores the items, and notes them as what is to be folded. Returns what the ids of its steps begin with: see new_step_ids. An
-- item: {index, kind, session_id?, namespace?, name?, agent?, status?, error?, started_at?, occurred_at?, latency_ms?, model?,
-- input_tokens?, output_tokens?, process_tokens?, memory_tokens?, total_tokens?, cached_input_tokens?, reasoning_tokens?,
-- level?, resource_id?, trace_id?, parent_trace_id?, otel_trace_id?, span_id?, parent_span_id?, user_id?, role?,
-- fingerprint?, content}. An encrypted one has {sealed} in its content, beside what is looked at here and in step_view, and a text
-- for its error, and the `chance` of its id (new_ids_of).
create or replace function internal.store_steps(owner_id uuid, items jsonb) returns text
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

-- The items with their ids and all that their senders may leave open; `home` is the namespace of what they are about.
create or replace function internal.whole_scores(owner_id uuid, items jsonb) returns jsonb
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

-- A session in these namespaces; null where it is in none of them.
create or replace function internal.whole_session(owner_id uuid, namespace_ids bigint[], session_id text) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  places bigint[] := array(
    select summary.namespace_id from public.session_summaries as summary
    where summary.tenant_id = owner_id and summary.session_id = whole_session.session_id
      and summary.namespace_id = any (whole_session.namespace_ids)
    order by summary.last_activity_at desc, summary.namespace_id);
begin
  if places = '{}' then return null; end if;
  return internal.session_views(owner_id, array[(whole_session.session_id, places)::internal.listed_session]) -> 0
    || jsonb_build_object(
      -- In all that are in sight: a score that came before its session may stand where that has no steps.
      'scores', internal.scores_of_session(owner_id, whole_session.namespace_ids, whole_session.session_id),
      'namespaces', to_jsonb(array(
        select namespaces.name from public.namespaces where namespaces.id = any (places) order by 1)),
      'root_trace_ids', to_jsonb(array(
        select traces.trace_id from public.traces
        where traces.tenant_id = owner_id and traces.session_id = whole_session.session_id
          and traces.namespace_id = any (places) and traces.parent_trace_id is null
        order by traces.created_at, traces.trace_id)),
      'metadata', coalesce((
        -- Encrypted metadata is bound to the session's own user, who is not always the one that is shown.
        select case jsonb_typeof(sessions.metadata)
          when 'string' then jsonb_build_array(sessions.metadata, sessions.user_id) else sessions.metadata end
        from public.sessions
        where sessions.tenant_id = owner_id and sessions.id = whole_session.session_id
          and sessions.namespace_id = any (places)), '{}'));
end $$;

-- An admission, and all data keys of the tenant as {data_keys: [{number, wrapped, master_key}]} where they are not known there.
create or replace function internal.with_data_keys(admission jsonb, payload jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
begin
  if coalesce((select max(data_keys.number) from public.data_keys where data_keys.tenant_id = owner_id), 0)
    = (with_data_keys.payload ->> 'known_data_key')::integer then
    return admission;
  end if;
  return admission || jsonb_build_object('data_keys', internal.data_keys_of(owner_id));
end $$;

-- The same for a request that brings content, under the tenant's content lock: where that was not encrypted with the newest key, the
-- request must stop here, and the API encrypts anew. payload.new_data_key: one that the API has made, taken where there is none.
create or replace function internal.with_key_of_content(admission jsonb, payload jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
  made jsonb := with_key_of_content.payload -> 'new_data_key';
  newest public.data_keys;
begin
  if made is not null then
    insert into public.data_keys (tenant_id, number, wrapped, master_key)
    select owner_id, (made ->> 'number')::integer, made ->> 'wrapped', made ->> 'master_key'
    where not exists (select from public.data_keys where data_keys.tenant_id = owner_id and data_keys.wrapped is not null)
    on conflict do nothing; -- another request was first
  end if;
  select data_keys.* into newest from public.data_keys
  where data_keys.tenant_id = owner_id order by data_keys.number desc limit 1;
  if newest.wrapped = coalesce(made ->> 'wrapped', newest.wrapped)
    and newest.number = (with_key_of_content.payload ->> 'known_data_key')::integer then
    return admission - 'data_keys';
  end if;
  return admission || jsonb_build_object('data_keys', internal.data_keys_of(owner_id));
end $$;

-- POST /sessions/create. payload.session: {namespace, user_id?, inactivity_timeout?, metadata?}.
create or replace function public.create_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := create_session.payload -> 'session';
  admission jsonb := internal.stopped_for_data_keys(create_session.payload, wanted -> 'metadata');
begin
  if admission is not null then return admission; end if;
  admission := internal.in_namespace(internal.admit_writer(create_session.payload), wanted ->> 'namespace');
  if admission ? 'error' then return admission; end if;

  return admission || jsonb_build_object('data',
    internal.session_view(internal.open_session((admission ->> 'tenant_id')::uuid, wanted), wanted ->> 'namespace'));
end $$;

-- For `npm run keys`. payload: {tenant}. Forgets all data keys of a tenant, for good: nothing that they encrypted can be read any more.
-- One more number is used up, by which every instance of the API that knows them learns of it. Answers {forgotten}, how many.
create or replace function public.forget_data_keys(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := (select tenants.id from public.tenants where tenants.name = forget_data_keys.payload ->> 'tenant');
  forgotten integer;
begin
  perform pg_advisory_xact_lock(internal.content_lock(owner_id)); -- what is being stored is forgotten, too
  update public.data_keys set wrapped = null, master_key = null
  where data_keys.tenant_id = owner_id and data_keys.wrapped is not null;
  get diagnostics forgotten = row_count;
  if forgotten > 0 then
    insert into public.data_keys (tenant_id, number)
    select owner_id, max(data_keys.number) + 1 from public.data_keys where data_keys.tenant_id = owner_id;
  end if;
  return jsonb_build_object('forgotten', forgotten);
end $$;

-- POST /sessions/get-or-create. payload.session: {namespace, user_id, inactivity_timeout?, metadata?, force_new?}.
-- Answers with the user's most recently active session if its last activity is within inactivity_timeout seconds; to be found
-- is activity too.
create or replace function public.get_or_create_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := get_or_create_session.payload -> 'session';
  admission jsonb := internal.stopped_for_data_keys(get_or_create_session.payload, wanted -> 'metadata');
  session public.sessions;
  reused boolean := false;
begin
  if admission is not null then return admission; end if;
  admission := internal.in_namespace(internal.admit_writer(get_or_create_session.payload), wanted ->> 'namespace');
  admission := internal.folded(admission); -- the last activity of sessions comes from their steps
  if admission ? 'error' then return admission; end if;

  -- One at a time per user: a concurrent caller waits here until the first has committed, and then finds its session.
  perform pg_advisory_xact_lock(hashtextextended(
    jsonb_build_array(admission -> 'tenant_id', wanted -> 'namespace', wanted -> 'user_id')::text, 0));

  if not coalesce((wanted ->> 'force_new')::boolean, false) then
    select sessions.* into session
    from public.sessions
    where sessions.tenant_id = (admission ->> 'tenant_id')::uuid
      and sessions.namespace_id = internal.namespace_id((admission ->> 'tenant_id')::uuid, wanted ->> 'namespace')
      and sessions.user_id = wanted ->> 'user_id'
      and sessions.last_activity_at >=
        now() - make_interval(secs => coalesce((wanted ->> 'inactivity_timeout')::integer, 120))
    order by sessions.last_activity_at desc, sessions.created_at desc, sessions.id desc
    limit 1;
    reused := found;
    update public.sessions set last_activity_at = now()
    where sessions.tenant_id = session.tenant_id and sessions.id = session.id;
  end if;
  if not reused then
    session := internal.open_session((admission ->> 'tenant_id')::uuid, wanted);
  end if;

  return admission || jsonb_build_object('data',
    internal.session_view(session, wanted ->> 'namespace') || jsonb_build_object('reused', reused));
end $$;

-- For `npm run keys`. payload: {tenant?}. All data keys, or one tenant's: [{tenant, tenant_id, number, wrapped, master_key,
-- created_at}].
create or replace function public.list_data_keys(payload jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return to_jsonb(array(
    select jsonb_build_object(
      'tenant', tenants.name, 'tenant_id', tenants.id, 'number', data_keys.number, 'wrapped', data_keys.wrapped,
      'master_key', data_keys.master_key, 'created_at', internal.timestamp_text(data_keys.created_at))
    from public.data_keys join public.tenants on tenants.id = data_keys.tenant_id
    where list_data_keys.payload ->> 'tenant' is null or tenants.name = list_data_keys.payload ->> 'tenant'
    order by tenants.name, data_keys.number));
end $$;

-- For `npm run keys`. payload: {tenant_id, number, wrapped, master_key, instead_of?}. A new data key; or, with `instead_of`, what the
-- one of that number was wrapped as, the same key wrapped by another master key. Answers {done}: not done where somebody else was
-- first.
create or replace function public.put_data_key(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := put_data_key.payload ->> 'tenant_id';
  key_number integer := put_data_key.payload ->> 'number';
begin
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  if put_data_key.payload ? 'instead_of' then
    update public.data_keys
    set wrapped = put_data_key.payload ->> 'wrapped', master_key = put_data_key.payload ->> 'master_key'
    where data_keys.tenant_id = owner_id and data_keys.number = key_number
      and data_keys.wrapped = put_data_key.payload ->> 'instead_of';
  else
    insert into public.data_keys (tenant_id, number, wrapped, master_key)
    values (owner_id, key_number, put_data_key.payload ->> 'wrapped', put_data_key.payload ->> 'master_key')
    on conflict do nothing;
  end if;
  return jsonb_build_object('done', found);
end $$;

-- POST /scores (one item) and /scores/batch (1 to 100). payload.items: {index, trace_id | session_id | step_id, namespace?, name,
-- value? (number or boolean), source?, created_at?, content: {text_value?, comment?} or {sealed}, chance? (new_ids_of)}, numbered by their `index` in the request.
-- All that the token may store are stored, or none is. data: see store_scores; it is remembered, so nothing in it is content.
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create or replace function public.record_scores(payload jsonb) returns jsonb
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

-- POST /traces/llm, /traces/tool, /traces/handoff, /traces/log (one item) and /traces/batch (1 to 100).
-- payload.items: steps (internal.store_steps), numbered by their `index` in the request. What validation refused is not among
-- them. All that the token may store are stored, or none is.
-- data: {ids, refused: [{index, code, message}]}, `ids` being what the steps' ids begin with (internal.new_step_ids).
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create or replace function public.record_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := internal.identify_sender(record_steps.payload);
  items jsonb := record_steps.payload -> 'items';
  refused jsonb;
begin
  if admission ?| array['error', 'anonymization', 'data_keys'] then return admission; end if;
  -- The key before the count: a request that waits for its twin must not hold up the other requests of its token.
  if record_steps.payload ? 'idempotency' then
    admission := internal.replay_or_claim(admission, record_steps.payload);
    if admission ?| array['error', 'replay'] then return internal.count_request(admission, record_steps.payload); end if;
  end if;
  perform internal.refuse_beyond_limit(admission, record_steps.payload);

  if items -> 0 ? 'otel_trace_id' then
    items := internal.in_namespaces_of_trees((admission ->> 'tenant_id')::uuid, items);
  end if;
  refused := internal.refused_items(admission, items);
  if record_steps.payload ? 'single' and refused <> '[]' then
    admission := admission || jsonb_build_object('error', (refused -> 0) - 'index');
  else
    admission := admission || jsonb_build_object('data', jsonb_build_object(
      'ids', internal.store_steps((admission ->> 'tenant_id')::uuid, internal.not_refused(items, refused)),
      'refused', refused));
  end if;
  if record_steps.payload ? 'idempotency' then
    admission := internal.settle_idempotency_key(admission, record_steps.payload);
  end if;
  return internal.count_or_undo(admission, record_steps.payload);
exception when sqlstate 'TR429' then -- nothing of the above has happened
  return internal.count_request(
    admission || internal.limit_refusal(admission, record_steps.payload), record_steps.payload);
end $$;

-- The number of the newest migration, for GET /health/ready. Written by `npm run db:migration`.
create or replace function public.schema_version() returns bigint
language sql immutable set search_path = ''
return 20261122033046;

-- POST /records/upload and /logs/upload. payload.items: steps (internal.store_steps) of the kind message or log, each with its
-- namespace. All are stored but duplicates, or none is: an item that the token may not store refuses the request, forbidden.
-- data: {inserted_count, duplicates: [index, ...]}. payload.anonymization_version: see identify_sender.
create or replace function public.upload_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := internal.identify_sender(upload_steps.payload);
  owner_id uuid := admission ->> 'tenant_id';
  items jsonb := upload_steps.payload -> 'items';
  refused jsonb;
  refusal jsonb;
  duplicates integer[];
begin
  if admission ?| array['error', 'anonymization', 'data_keys'] then return admission; end if;
  perform internal.refuse_beyond_limit(admission, upload_steps.payload);
  refusal := internal.upload_refusal(admission, items);
  if refusal is null then
    refused := internal.refused_items(admission, items);
    if refused <> '[]' then refusal := jsonb_build_object('error', (refused -> 0) - 'index'); end if;
  end if;
  if refusal is not null then raise sqlstate 'TR403'; end if;

  duplicates := internal.duplicate_records(owner_id, items);
  if duplicates <> '{}' then
    items := to_jsonb(array( -- jsonb_agg takes long over large values: see docs/performance.md
      select item.value from jsonb_array_elements(items) as item
      where (item.value ->> 'index')::integer <> all (duplicates)));
  end if;
  perform internal.store_steps(owner_id, items);
  return internal.count_or_undo(
    admission || jsonb_build_object('data', jsonb_build_object(
      'inserted_count', jsonb_array_length(items), 'duplicates', to_jsonb(duplicates))), upload_steps.payload);
exception when sqlstate 'TR403' or sqlstate 'TR429' then -- nothing of the above has happened
  return internal.count_request(
    admission || coalesce(refusal, internal.limit_refusal(admission, upload_steps.payload)), upload_steps.payload);
end $$;

comment on column public.data_keys.master_key is 'The id of the master key (CONTENT_KEYS).';

comment on column public.data_keys.number is 'The highest one writes. No number is used twice: what was encrypted names it.';

comment on column public.data_keys.wrapped is 'The key, encrypted by the master key and bound to its tenant and number. Null: it was forgotten, and what it encrypted with it.';

comment on column public.scores.sealed is 'The text and the comment, encrypted by the API.';

comment on column public.steps.content is 'Encrypted, it is {sealed} and what the database looks at: from_agent, to_agent, transfers'' from and to, an empty messages_of_call.';

comment on column public.steps.error is 'Encrypted, a text: what lists show of the step, sealed by itself.';

-- supabase/schemas/99_grants.sql
-- One rule for everything in the two schemas: row level security is on and no policy opens a table; the API's service role may
-- do its work, and nobody else anything. It may be run again at any time.
do $$
declare
  object record;
begin
  for object in
    select pg_class.oid::regclass as name from pg_class
    where pg_class.relnamespace = 'public'::regnamespace and pg_class.relkind in ('r', 'p')
  loop
    execute format('alter table %s enable row level security', object.name);
  end loop;
  for object in
    select pg_proc.oid::regprocedure as name from pg_proc
    where pg_proc.pronamespace in ('public'::regnamespace, 'internal'::regnamespace)
  loop
    execute format('revoke all on function %s from public, anon, authenticated', object.name);
    execute format('grant execute on function %s to service_role', object.name);
  end loop;
  for object in
    select pg_type.oid::regtype as name from pg_type
    where pg_type.typnamespace = 'internal'::regnamespace and pg_type.typtype = 'c'
      and (select pg_class.relkind from pg_class where pg_class.oid = pg_type.typrelid) = 'c'
  loop
    execute format('revoke all on type %s from public, anon, authenticated', object.name);
    execute format('grant usage on type %s to service_role', object.name);
  end loop;
end $$;
revoke all on all tables in schema public from public, anon, authenticated;
revoke all on all sequences in schema public from public, anon, authenticated;
revoke all on schema internal from public, anon, authenticated;
grant usage on schema internal to service_role;
grant select, insert, update, delete on all tables in schema public to service_role;
grant usage, select on all sequences in schema public to service_role;

reset check_function_bodies;
