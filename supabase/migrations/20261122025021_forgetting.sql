-- Made from supabase/schemas/, which says what is true now, by `npm run db:migration`.

-- A function may call one that is made after it.
set check_function_bodies = off;

select internal.begin_migration();

create index steps_of_a_user on public.steps (tenant_id, user_id) where user_id is not null;

-- That somebody had a session or a user erased. Whose data it was is not said, or it would still be known here.
create table public.erasures (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  token_id uuid references public.tracer_tokens (id) on delete set null,
  erased_at timestamptz not null default now(),
  subject text not null,
  steps bigint not null,
  sessions bigint not null,
  scores bigint not null,
  is_complete boolean not null,
  constraint erased_subject_is_known check (subject in ('session', 'user'))
);

create index erasures_of_a_tenant_by_time on public.erasures (tenant_id, erased_at desc);

create index erasures_by_a_token on public.erasures (token_id);

-- How much was forgotten.
create type internal.forgotten as (steps bigint, sessions bigint, scores bigint);

alter table public.usage
  drop constraint usage_grain_is_known;

drop function internal.add_figures(internal.figure[]);

alter table public.erasures
  enable row level security;

alter table public.record_fingerprints
  add column session_id text;

alter table public.record_fingerprints
  add column user_id text;

-- Adds figures to the usage, in each grain; those of the past in `past` as well. Only under the fold lock of the tenants that they
-- belong to.
create or replace function internal.add_figures(figures internal.figure[], are_past boolean default false) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  emptied tid[];
begin
  if figures = '{}' then return; end if;
  with figure as (
    select figure.tenant_id, place.grain, place.session_id, figure.namespace_id, place.begins, place.agent, figure.model,
           place.tool, place.user_id,
           case when figure.tool is null or place.tool is not null then figure.latency_bucket end as latency_bucket, sum(figure.steps) as steps, sum(figure.calls) as calls,
           sum(figure.tool_calls) as tool_calls, sum(figure.errors) as errors, sum(figure.input_tokens) as input_tokens,
           sum(figure.cached_input_tokens) as cached_input_tokens,
           sum(figure.uncached_input_tokens) as uncached_input_tokens, sum(figure.output_tokens) as output_tokens,
           sum(figure.reasoning_tokens) as reasoning_tokens, sum(figure.billed_steps) as billed_steps,
           sum(figure.untold_steps) as untold_steps
    from unnest(add_figures.figures) as figure
    cross join lateral (
      values ('day', date_trunc('day', figure.hour, 'UTC'), null, null, null, null),
             ('hour', figure.hour, null, null, null, null),
             ('day in detail', date_trunc('day', figure.hour, 'UTC'), null, null, figure.agent, figure.tool),
             ('hour in detail', figure.hour, null, null, figure.agent, figure.tool),
             ('session', figure.hour, figure.session_id, figure.user_id, figure.agent, figure.tool),
             (case when are_past then 'past' end, figure.hour, null, null, figure.agent, figure.tool)
    ) as place (grain, begins, session_id, user_id, agent, tool)
    where place.grain is not null
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 -- by the latency, too: then all latencies of a row are counted
  ), written as (
    insert into public.usage as known (
      tenant_id, grain, session_id, namespace_id, begins, agent, model, tool, user_id, steps, calls, tool_calls, errors,
      input_tokens, cached_input_tokens, uncached_input_tokens, output_tokens, reasoning_tokens, billed_steps, untold_steps,
      latencies)
    select figure.tenant_id, figure.grain, figure.session_id, figure.namespace_id, figure.begins, figure.agent, figure.model,
           figure.tool, figure.user_id, sum(figure.steps), sum(figure.calls), sum(figure.tool_calls), sum(figure.errors),
           sum(figure.input_tokens), sum(figure.cached_input_tokens), sum(figure.uncached_input_tokens), sum(figure.output_tokens),
           sum(figure.reasoning_tokens), sum(figure.billed_steps), sum(figure.untold_steps),
           coalesce(jsonb_object_agg(figure.latency_bucket, figure.steps)
             filter (where figure.latency_bucket is not null and figure.steps <> 0), '{}')
    from figure group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    on conflict on constraint usage_is_added_up_once do update set
      steps = known.steps + excluded.steps, calls = known.calls + excluded.calls,
      tool_calls = known.tool_calls + excluded.tool_calls, errors = known.errors + excluded.errors,
      input_tokens = known.input_tokens + excluded.input_tokens,
      cached_input_tokens = known.cached_input_tokens + excluded.cached_input_tokens,
      uncached_input_tokens = known.uncached_input_tokens + excluded.uncached_input_tokens,
      output_tokens = known.output_tokens + excluded.output_tokens,
      reasoning_tokens = known.reasoning_tokens + excluded.reasoning_tokens,
      billed_steps = known.billed_steps + excluded.billed_steps, untold_steps = known.untold_steps + excluded.untold_steps,
      latencies = internal.added_latencies(known.latencies, excluded.latencies)
    returning known.ctid as place, known.steps
  )
  select array_agg(written.place) into emptied from written where written.steps = 0;
  if emptied is not null then delete from public.usage where usage.ctid = any (emptied); end if;
end $$;

-- admit, for a request that erases: alone with the tenant's content, so that steps that are being stored are waited for and go
-- too, and with its projections. All that was stored is folded.
create or replace function internal.admit_eraser(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(admit_eraser.payload);
begin
  if admission ? 'error' then return admission; end if;
  perform pg_advisory_xact_lock(internal.content_lock((admission ->> 'tenant_id')::uuid));
  perform pg_advisory_xact_lock(internal.fold_lock((admission ->> 'tenant_id')::uuid));
  return internal.folded(admission);
end $$;

-- Adds a tenant's past to its usage, where there is nothing yet: for a rebuild.
create or replace function internal.count_past(owner_id uuid) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  with placed as materialized (
    select past.*, place.grain as grain_of_place, place.hour, place.agent_of_place, place.tool_of_place,
           internal.usage_key(place.grain, null, past.namespace_id, place.hour, place.agent_of_place, past.model,
                              place.tool_of_place, null) as place_key
    from public.usage as past
    cross join lateral (
      values ('day', date_trunc('day', past.begins, 'UTC'), null, null),
             ('hour', past.begins, null, null),
             ('day in detail', date_trunc('day', past.begins, 'UTC'), past.agent, past.tool),
             ('hour in detail', past.begins, past.agent, past.tool),
             ('session', past.begins, past.agent, past.tool)
    ) as place (grain, hour, agent_of_place, tool_of_place)
    where past.tenant_id = owner_id and past.grain = 'past'
  ), latency as (
    select counted.place_key, jsonb_object_agg(counted.bucket, counted.count) as latencies
    from (
      select placed.place_key, bucket.key as bucket, sum(bucket.value::bigint) as count
      from placed cross join lateral jsonb_each(placed.latencies) as bucket
      where placed.tool is null or placed.tool_of_place is not null
      group by 1, 2
    ) as counted
    group by counted.place_key
  )
  insert into public.usage (
    tenant_id, grain, namespace_id, begins, agent, model, tool, steps, calls, tool_calls, errors, input_tokens,
    cached_input_tokens, uncached_input_tokens, output_tokens, reasoning_tokens, billed_steps, untold_steps, latencies)
  select owner_id, placed.grain_of_place, placed.namespace_id, placed.hour, placed.agent_of_place, placed.model,
         placed.tool_of_place, sum(placed.steps), sum(placed.calls), sum(placed.tool_calls), sum(placed.errors),
         sum(placed.input_tokens), sum(placed.cached_input_tokens), sum(placed.uncached_input_tokens), sum(placed.output_tokens),
         sum(placed.reasoning_tokens), sum(placed.billed_steps), sum(placed.untold_steps), coalesce(latency.latencies, '{}')
  from placed left join latency using (place_key)
  group by placed.place_key, latency.latencies, placed.grain_of_place, placed.namespace_id, placed.hour, placed.agent_of_place,
           placed.model, placed.tool_of_place;
end $$;

-- Before a tenant is deleted: everything that it has and that no foreign key takes along.
create or replace function internal.delete_all_of_tenant() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(internal.content_lock(old.id));
  perform pg_advisory_xact_lock(internal.fold_lock(old.id));
  delete from public.steps where steps.tenant_id = old.id;
  perform internal.forget_projections(old.id);
  delete from public.usage where usage.tenant_id = old.id;
  delete from public.folds where folds.tenant_id = old.id;
  return old;
end $$;

-- With a namespace or a session its steps and scores are deleted. Alone with the tenant's content, so that none comes to it
-- meanwhile. Before the namespace goes, whose name is still needed to fold (its scores have a foreign key); after the session is
-- gone, whose activity folding would note.
create or replace function internal.delete_steps_with_owner() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(internal.content_lock(old.tenant_id));
  perform pg_advisory_xact_lock(internal.fold_lock(old.tenant_id));
  if tg_table_name = 'sessions' then
    perform internal.delete_scores_of_session(old.tenant_id, old.id);
    delete from public.steps where steps.tenant_id = old.tenant_id and steps.session_id = old.id;
    delete from public.session_summaries
    where session_summaries.tenant_id = old.tenant_id and session_summaries.session_id = old.id
      and session_summaries.step_count = 0;
  else
    delete from public.steps where steps.tenant_id = old.tenant_id and steps.namespace_id = old.id;
    delete from public.usage where usage.tenant_id = old.tenant_id and usage.namespace_id = old.id; -- the past is left
  end if;
  return old;
end $$;

-- Which of the messages were stored within the last 60 seconds, or stand in this request already: their indexes. The
-- others are noted. The primary key settles it: of two uploads at once, the second waits for the first. In the order of
-- the fingerprints, so that two uploads of the same records never wait for each other in a circle.
create or replace function internal.duplicate_records(tenant_id uuid, items jsonb) returns integer[]
language plpgsql set search_path = '' as $$
declare
  fresh integer[];
begin
  with item as (
    select item.index, item.session_id, item.user_id, sha256(convert_to(jsonb_build_array(
             item.namespace, item.session_id, item.agent, coalesce(to_jsonb(item.message_hash), item.content -> 'msg'),
             item.occurred_at)::text, 'UTF8'
           )) as fingerprint
    from jsonb_to_recordset(duplicate_records.items)
      as item (
        index integer, kind text, namespace text, session_id text, user_id text, agent text, occurred_at text,
        message_hash text, content jsonb)
    where item.kind = 'message'
  ), first as (
    select distinct on (item.fingerprint) item.fingerprint, item.index, item.session_id, item.user_id from item
    order by item.fingerprint, item.index
  ), noted as (
    insert into public.record_fingerprints as known (tenant_id, fingerprint, session_id, user_id)
    select duplicate_records.tenant_id, first.fingerprint, first.session_id, first.user_id from first order by first.fingerprint
    on conflict on constraint record_fingerprint_is_unique_within_its_tenant
      do update set stored_at = excluded.stored_at, user_id = excluded.user_id where known.stored_at <= now() - interval '60 seconds'
    returning known.fingerprint
  )
  select array_agg(first.index) into fresh from noted join first using (fingerprint);

  return array(
    select item.index from jsonb_to_recordset(duplicate_records.items) as item (index integer, kind text)
    where item.kind = 'message' and item.index <> all (coalesce(fresh, '{}')) order by item.index);
end $$;

-- When a request that erases should come to an end: its tenant waits for it.
create or replace function internal.end_of_erasing() returns timestamptz
language plpgsql volatile set search_path = '' as $$
begin
  return clock_timestamp() + interval '1 second';
end $$;

-- The answer to a request that has erased; it is written down that it did, and not whose.
create or replace function internal.erased(admission jsonb, subject text, forgotten internal.forgotten, remaining_steps bigint) returns jsonb
language plpgsql set search_path = '' as $$
begin
  insert into public.erasures (tenant_id, token_id, subject, steps, sessions, scores, is_complete)
  values ((admission ->> 'tenant_id')::uuid, (admission ->> 'token_id')::uuid, erased.subject, forgotten.steps, forgotten.sessions,
          forgotten.scores, remaining_steps = 0);
  return admission || jsonb_build_object('data', jsonb_build_object(
    'erased', to_jsonb(forgotten), 'remaining_steps', remaining_steps));
end $$;

create or replace function internal.figure_of_nobody(figure internal.figure) returns internal.figure
language plpgsql immutable set search_path = '' as $$
begin
  figure.session_id := null;
  figure.user_id := null;
  return figure;
end $$;

-- Deletes the idempotency keys of the requests that have stored these steps, and what was answered to them: both are the
-- client's, as is the hash of what it sent. Those without an answer are free, and nobody misses them: who sends holds the
-- content lock. What else such a request has stored is stored again if it is repeated.
create or replace function internal.forget_answers(owner_id uuid, ids_of_requests text[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  delete from public.monkai_idempotency_keys as known
  where known.tenant_id = owner_id
    and (known.response is null or known.response ->> 'ids' = any (forget_answers.ids_of_requests));
end $$;

-- Deletes a session, if it has nothing left in any namespace; else what it says of itself stays with what it has there, but for
-- its metadata. Returns how many are gone.
create or replace function internal.forget_empty_session(owner_id uuid, namespace_ids bigint[], session_id text) returns integer
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if exists (select from internal.steps_of_session(owner_id, forget_empty_session.session_id, null))
    or exists (
      select from public.scores
      where scores.tenant_id = owner_id and scores.session_id = forget_empty_session.session_id
        and scores.namespace_id <> all (forget_empty_session.namespace_ids)) then
    update public.sessions set metadata = '{}'
    where sessions.tenant_id = owner_id and sessions.id = forget_empty_session.session_id
      and sessions.namespace_id = any (forget_empty_session.namespace_ids);
    return 0;
  end if;
  delete from public.sessions
  where sessions.tenant_id = owner_id and sessions.id = forget_empty_session.session_id
    and sessions.namespace_id = any (forget_empty_session.namespace_ids);
  return (case when found then 1 else 0 end);
end $$;

create or replace function internal.forget_projections(owner_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  delete from public.changes where changes.tenant_id = owner_id;
  delete from public.rebuilds where rebuilds.tenant_id = owner_id;
  delete from public.placements where placements.tenant_id = owner_id;
  delete from public.traces where traces.tenant_id = owner_id;
  delete from public.trees where trees.tenant_id = owner_id;
  delete from public.usage where usage.tenant_id = owner_id and usage.grain <> 'past';
  delete from public.session_summaries where session_summaries.tenant_id = owner_id;
  delete from public.counts where counts.tenant_id = owner_id;
end $$;

-- Deletes scores, and what was answered to who gave them. Returns how many they were.
create or replace function internal.forget_scores(ids uuid[]) returns bigint
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  owner_id uuid;
begin
  if forget_scores.ids = '{}' then return 0; end if;
  for owner_id in select distinct scores.tenant_id from public.scores where scores.id = any (forget_scores.ids) loop
    delete from public.monkai_idempotency_keys as known
    where known.tenant_id = owner_id and exists (
      select from jsonb_array_elements(known.response -> 'scores') as score
      where (score.value ->> 'id')::uuid = any (forget_scores.ids));
  end loop;
  delete from public.scores where scores.id = any (forget_scores.ids);
  return cardinality(forget_scores.ids);
end $$;

-- Forgets the steps of a session in these namespaces, piece by piece until about that moment; with a user, those of this user
-- alone. A whole session that has nothing left goes itself. Nothing waits for a piece to end: at least one is done.
create or replace function internal.forget_session(
  owner_id uuid, namespace_ids bigint[], session_id text, user_id text, ends timestamptz) returns internal.forgotten
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  forgotten internal.forgotten := (0, 0, 0);
  piece uuid[];
begin
  if forget_session.user_id is null then
    delete from public.record_fingerprints
    where record_fingerprints.tenant_id = owner_id and record_fingerprints.session_id = forget_session.session_id;
  end if;
  loop
    piece := internal.piece_of_session(owner_id, namespace_ids, forget_session.session_id, forget_session.user_id, 2000);
    exit when piece = '{}';
    forgotten.scores := forgotten.scores + internal.forget_steps(owner_id, piece);
    forgotten.steps := forgotten.steps + cardinality(piece);
    if clock_timestamp() > ends then return forgotten; end if;
  end loop;
  if forget_session.user_id is not null then return forgotten; end if;
  forgotten.scores := forgotten.scores + internal.forget_scores(array(
    select scores.id from public.scores
    where scores.tenant_id = owner_id and scores.session_id = forget_session.session_id
      and scores.namespace_id = any (forget_session.namespace_ids)));
  forgotten.sessions := internal.forget_empty_session(owner_id, namespace_ids, forget_session.session_id);
  return forgotten;
end $$;

-- Forgets these steps and the scores that are about them. Returns how many scores went.
create or replace function internal.forget_steps(owner_id uuid, ids uuid[]) returns bigint
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  trace_ids text[] := array(
    select distinct placements.trace_id
    from unnest(forget_steps.ids) as step (id)
    join public.placements on placements.step_id = step.id);
  scores bigint;
begin
  if forget_steps.ids = '{}' then return 0; end if;
  perform internal.keep_figures(forget_steps.ids);
  scores := internal.forget_scores(array(
    select scores.id from unnest(forget_steps.ids) as step (id)
    cross join lateral (
      select scores.id from public.scores where scores.tenant_id = owner_id and scores.step_id = step.id offset 0
    ) as scores));
  perform internal.forget_answers(owner_id, array(select distinct left(step.id::text, 31) from unnest(forget_steps.ids) as step (id)));
  delete from public.steps where steps.id = any (forget_steps.ids) and steps.tenant_id = owner_id;
  perform internal.fold(owner_id); -- else `rebuilds` would still name their sessions and traces
  return scores + internal.forget_traces(owner_id, trace_ids);
end $$;

-- Scores and notes of purges are about traces: they go with traces that have no steps any more. Returns how many scores went.
create or replace function internal.forget_traces(owner_id uuid, trace_ids text[]) returns bigint
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  empty text[] := array(
    select trace.id from unnest(forget_traces.trace_ids) as trace (id)
    where coalesce((
      select traces.step_count from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = trace.id), 0) = 0);
begin
  delete from public.purges where purges.tenant_id = owner_id and purges.trace_id = any (empty);
  return internal.forget_scores(array(
    select scores.id from unnest(empty) as trace (id)
    cross join lateral (
      select scores.id from public.scores where scores.tenant_id = owner_id and scores.trace_id = trace.id offset 0
    ) as scores));
end $$;

-- Whether a session is this user's: because it says so, or because it says nothing and its steps tell of no other user.
create or replace function internal.is_session_of_user(owner_id uuid, namespace_ids bigint[], session_id text, user_id text) returns boolean
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  told text := (
    select sessions.user_id from public.sessions
    where sessions.tenant_id = owner_id and sessions.id = is_session_of_user.session_id);
  of_steps text[];
begin
  if told is not null then return told = is_session_of_user.user_id; end if;
  of_steps := array(
    select distinct placements.user_id
    from internal.steps_of_session(owner_id, is_session_of_user.session_id, namespace_ids) as step (id)
    join public.placements on placements.step_id = step.id
    where placements.user_id is not null);
  return of_steps = array[is_session_of_user.user_id];
end $$;

-- What the steps used is added to the past, where no session and no user has it. What it was added to is taken back as they go.
create or replace function internal.keep_figures(ids uuid[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  perform internal.add_figures(array(
    select internal.figure_of_nobody(internal.figure_of(internal.counted_step(known.step_id), known.placed, 1))
    from unnest(keep_figures.ids) as step (id)
    cross join lateral (
      select placements.step_id, placements as placed from public.placements where placements.step_id = step.id offset 0
    ) as known), true);
end $$;

-- What steps used in these parts that were forgotten since. Of them the hour is all that is known: it counts where it begins.
create or replace function internal.lines_of_past(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  asked jsonb := query -> 'by';
begin
  if wanted.parts = '{}' or query ? 'user_id' then return '{}'; end if;
  return array(
    select (
      case when wanted.unit is not null then date_trunc(wanted.unit, past.begins, wanted.zone) end,
      (past.begins at time zone 'UTC')::date, case when asked ? 'namespace' then past.namespace_id end,
      case when asked ? 'agent' then past.agent end, past.model, case when asked ? 'tool' then past.tool end, null, past.calls,
      past.tool_calls, past.errors, past.input_tokens, past.cached_input_tokens, past.uncached_input_tokens, past.output_tokens,
      past.reasoning_tokens, past.billed_steps, past.untold_steps,
      case when past.tool is null or asked ? 'tool' or query ? 'tool' then past.latencies else '{}' end,
      null)::internal.usage_line
    from unnest(wanted.parts) as part
    cross join unnest(namespace_ids) as namespace (id)
    cross join lateral (
      select usage.* from public.usage
      where usage.tenant_id = owner_id and usage.grain = 'past' and usage.namespace_id = namespace.id
        and usage.begins >= lower(part) and usage.begins < upper(part)
        and (query ->> 'agent' is null or usage.agent = query ->> 'agent')
        and (query ->> 'model' is null or usage.model = query ->> 'model')
        and (query ->> 'tool' is null or usage.tool = query ->> 'tool')
      offset 0
    ) as past);
end $$;

-- Steps of a session that can be forgotten together, about so many. Of an OpenTelemetry trace all at once: what a span does not say,
-- its session among it, follows from the others. Those by which the session is known to be a user's come last, so that who goes
-- on later still finds it.
create or replace function internal.piece_of_session(owner_id uuid, namespace_ids bigint[], session_id text, user_id text, most integer)
returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    with own as materialized (
      select step.id, step.otel_tree, placed.user_id
      from internal.steps_of_session(owner_id, piece_of_session.session_id, namespace_ids) as known (id)
      cross join lateral (
        select steps.id, case steps.tree_kind when 'otel' then steps.tree_key end as otel_tree
        from public.steps where steps.id = known.id offset 0
      ) as step
      cross join lateral (
        select (select placements.user_id from public.placements where placements.step_id = known.id) as user_id offset 0
      ) as placed
      where piece_of_session.user_id is null or placed.user_id = piece_of_session.user_id
    ), ordered as (
      select own.id, own.otel_tree, case when own.otel_tree is null then own.user_id is not null
        else bool_or(own.user_id is not null) over (partition by own.otel_tree) end as tells_user
      from own
    ), first as materialized (
      select ordered.id, ordered.otel_tree from ordered
      order by ordered.tells_user, ordered.otel_tree nulls first, ordered.id limit most
    )
    select first.id from first
    union
    select own.id from own where own.otel_tree in (select first.otel_tree from first where first.otel_tree is not null));
end $$;

-- The sessions in these namespaces that are a user's, or have steps of theirs.
create or replace function internal.sessions_of_user(owner_id uuid, namespace_ids bigint[], user_id text) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select sessions.id from public.sessions
    where sessions.tenant_id = owner_id and sessions.namespace_id = any (sessions_of_user.namespace_ids)
      and sessions.user_id = sessions_of_user.user_id
    union
    select usage.session_id from public.usage
    where usage.tenant_id = owner_id and usage.grain = 'session' and usage.session_id is not null
      and usage.namespace_id = any (sessions_of_user.namespace_ids)
      and usage.user_id = internal.counted_name(sessions_of_user.user_id)
    order by 1);
end $$;

-- How many steps a user has left in these namespaces; of sessions that are theirs, all.
create or replace function internal.steps_left_of_user(owner_id uuid, namespace_ids bigint[], user_id text) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select count(distinct left_step.id) from (
      select steps.id from public.steps
      where steps.tenant_id = owner_id and steps.user_id = steps_left_of_user.user_id
        and steps.namespace_id = any (steps_left_of_user.namespace_ids)
      union all
      select step.id
      from unnest(internal.sessions_of_user(owner_id, namespace_ids, steps_left_of_user.user_id)) as session (id)
      cross join lateral (
        select internal.is_session_of_user(owner_id, namespace_ids, session.id, steps_left_of_user.user_id) as is_whole offset 0
      ) as whose
      cross join lateral internal.steps_of_session(owner_id, session.id, namespace_ids) as step (id)
      where whose.is_whole or steps_left_of_user.user_id = (
        select placements.user_id from public.placements where placements.step_id = step.id)
    ) as left_step);
end $$;

-- {rows, totals, start_date, end_date?}: what the namespaces used in that time, by what the query asks for.
create or replace function internal.usage_of_time(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  asked jsonb := query -> 'by';
  lines internal.usage_line[] := internal.lines_of_usage(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_steps(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_past(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_scores(owner_id, namespace_ids, query, wanted);
begin
  return (
    with keyed as materialized (
      select dense_rank() over (
               order by line.moment, line.namespace, line.agent, line.model_of_row, line.tool, line.user_id) as number, line.*
      from (
        select line.*, case when asked ? 'model' then line.model end as model_of_row, (
                 select namespaces.name from public.namespaces where namespaces.id = line.namespace_id) as namespace
        from unnest(lines) as line
      ) as line
    ), placed as materialized ( -- each once in its row, and once in the totals
      select place.number as place, keyed.* from keyed cross join lateral (values (keyed.number), (0)) as place (number)
    ), figures as (
      select placed.place, sum(placed.calls) as calls, sum(placed.tool_calls) as tool_calls, sum(placed.errors) as errors,
             sum(placed.input_tokens) as input_tokens, sum(placed.cached_input_tokens) as cached_input_tokens,
             sum(placed.output_tokens) as output_tokens, sum(placed.reasoning_tokens) as reasoning_tokens,
             internal.score_figures(array_agg(placed.score) filter (where (placed.score).name is not null)) as scores
      from placed group by placed.place
    ), latency as (
      select counted.place, internal.percentile(array_agg(counted.bucket order by counted.bucket),
               array_agg(counted.count order by counted.bucket), 0.5) as p50,
             internal.percentile(array_agg(counted.bucket order by counted.bucket),
               array_agg(counted.count order by counted.bucket), 0.95) as p95
      from (
        select placed.place, bucket.key::integer as bucket, sum(bucket.value::bigint) as count
        from placed cross join lateral jsonb_each(placed.latencies) as bucket
        where placed.tool is null or placed.place > 0 or query ? 'tool'
        group by 1, 2
      ) as counted
      group by counted.place
    ), cost as (
      select cost.* from internal.costs_of(owner_id, array(
        select (placed.place, placed.model, placed.day, sum(placed.uncached_input_tokens), sum(placed.cached_input_tokens),
                sum(placed.output_tokens), sum(placed.billed_steps), sum(placed.untold_steps))::internal.cost_line
        from placed group by placed.place, placed.model, placed.day)) as cost
    ), view as (
      select figures.place, jsonb_build_object(
        'calls', figures.calls, 'tool_calls', figures.tool_calls, 'errors', figures.errors,
        'input_tokens', figures.input_tokens, 'cached_input_tokens', figures.cached_input_tokens,
        'output_tokens', figures.output_tokens, 'reasoning_tokens', figures.reasoning_tokens, 'cost', cost.cost,
        'latency_ms', jsonb_build_object('p50', latency.p50, 'p95', latency.p95), 'scores', figures.scores) as figures
      from figures join cost on cost.place = figures.place left join latency on latency.place = figures.place
    )
    select jsonb_build_object(
      'rows', to_jsonb(array(
        select internal.row_of_usage(asked, wanted.zone, row.moment, row.namespace, row.agent, row.model_of_row,
            row.tool, row.user_id)
          || view.figures
        from (
          select distinct keyed.number, keyed.moment, keyed.namespace, keyed.agent, keyed.model_of_row, keyed.tool, keyed.user_id
          from keyed
        ) as row
        join view on view.place = row.number
        order by row.number
        limit 10001)),
      'totals', coalesce((select view.figures from view where view.place = 0), jsonb_build_object(
        'calls', 0, 'tool_calls', 0, 'errors', 0, 'input_tokens', 0, 'cached_input_tokens', 0, 'output_tokens', 0,
        'reasoning_tokens', 0, 'latency_ms', '{"p50": null, "p95": null}'::jsonb, 'scores', '{}'::jsonb, 'cost', jsonb_build_object(
          'amount', '0', 'currency', internal.currency_of_prices(owner_id), 'unpriced_steps', 0))),
      'start_date', internal.timestamp_text(wanted.begins),
      'end_date', case when isfinite(wanted.ends) then internal.timestamp_text(wanted.ends - interval '1 microsecond') end));
end $$;

-- DELETE /sessions/{session_id}. payload.session_id. Erases what was said in the session and all that names it or its user: its
-- steps, scores, metadata, remembered answers. What it used stays, added up. A token that is bound to namespaces erases what is
-- in these. data: {erased: {steps, sessions, scores}, remaining_steps}: more than fits into a request is left to the next one.
create or replace function public.erase_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  admission jsonb := internal.admit_eraser(erase_session.payload);
  owner_id uuid := admission ->> 'tenant_id';
  session text := erase_session.payload ->> 'session_id';
  in_sight bigint[];
  forgotten internal.forgotten;
begin
  if admission ? 'error' then return admission; end if;
  in_sight := internal.namespaces_in_sight(admission, null);
  forgotten := internal.forget_session(owner_id, in_sight, session, null, internal.end_of_erasing());
  return internal.erased(admission, 'session', forgotten, (
    select count(*) from internal.steps_of_session(owner_id, session, in_sight)));
end $$;

-- DELETE /users/{user_id}. payload.user_id. As erase_session, for all that is a user's: sessions that are theirs or where no
-- other user is told go whole; of other sessions, and outside of sessions, the steps that are theirs. data: as there,
-- remaining_steps being those of the sessions that are left.
create or replace function public.erase_user(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  admission jsonb := internal.admit_eraser(erase_user.payload);
  owner_id uuid := admission ->> 'tenant_id';
  whose text := erase_user.payload ->> 'user_id';
  ends timestamptz := internal.end_of_erasing();
  in_sight bigint[];
  forgotten internal.forgotten := (0, 0, 0);
  sessions text[];
  part internal.forgotten;
  piece uuid[];
begin
  if admission ? 'error' then return admission; end if;
  in_sight := internal.namespaces_in_sight(admission, null);
  delete from public.record_fingerprints
  where record_fingerprints.tenant_id = owner_id and record_fingerprints.user_id = whose;
  sessions := internal.sessions_of_user(owner_id, in_sight, whose);
  for place in 1 .. cardinality(sessions) loop
    part := internal.forget_session(owner_id, in_sight, sessions[place], case
      when not internal.is_session_of_user(owner_id, in_sight, sessions[place], whose) then whose end, ends);
    forgotten := (forgotten.steps + part.steps, forgotten.sessions + part.sessions, forgotten.scores + part.scores);
    if clock_timestamp() > ends then exit; end if;
  end loop;
  while clock_timestamp() <= ends loop
    piece := array(
      select steps.id from public.steps
      where steps.tenant_id = owner_id and steps.user_id = whose and steps.namespace_id = any (in_sight)
      order by steps.id limit 2000);
    exit when piece = '{}';
    forgotten.scores := forgotten.scores + internal.forget_steps(owner_id, piece);
    forgotten.steps := forgotten.steps + cardinality(piece);
  end loop;
  return internal.erased(admission, 'user', forgotten, internal.steps_left_of_user(owner_id, in_sight, whose));
end $$;

-- Throws a tenant's projections away and derives them anew from its steps. For steps that came or went behind the API's back, as
-- by a restore without triggers: `select public.rebuild('{"tenant": "acme"}')`. Its writers and readers wait meanwhile.
create or replace function public.rebuild(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := (select tenants.id from public.tenants where tenants.name = rebuild.payload ->> 'tenant');
begin
  if owner_id is null then raise exception 'There is no tenant "%".', rebuild.payload ->> 'tenant'; end if;
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  perform internal.forget_projections(owner_id);
  perform internal.count_past(owner_id);
  perform internal.note_rebuilds(array(
    select distinct tree from public.steps cross join lateral internal.trees_of_step(steps) as tree
    where steps.tenant_id = owner_id));
  perform internal.add_counts(array(
    select (owner_id, steps.list, steps.namespace_id, case steps.list when 'logs' then steps.level else steps.agent end,
            date_trunc('hour', steps.occurred_at, 'UTC'), count(*))::internal.count_change
    from public.steps where steps.tenant_id = owner_id and steps.list <> 'spans'
    group by steps.list, steps.namespace_id, case steps.list when 'logs' then steps.level else steps.agent end,
             date_trunc('hour', steps.occurred_at, 'UTC')));
  perform internal.list_session_without_steps(sessions.tenant_id, sessions.id, sessions.namespace_id)
  from public.sessions where sessions.tenant_id = owner_id and sessions.was_created;
  while not internal.fold(owner_id, 10000) loop null; end loop;
  return jsonb_build_object(
    'steps', (select count(*) from public.steps where steps.tenant_id = owner_id),
    'traces', (select count(*) from public.traces where traces.tenant_id = owner_id));
end $$;

-- The number of the newest migration, for GET /health/ready. Written by `npm run db:migration`.
create or replace function public.schema_version() returns bigint
language sql immutable set search_path = ''
return 20261122025021;

alter table public.usage
  add constraint usage_grain_is_known
    check
    ((grain = ANY (ARRAY['day'::text, 'hour'::text, 'day in detail'::text, 'hour in detail'::text, 'session'::text,
    'past'::text])));

comment on column public.erasures.is_complete is 'False: there was more than one request erases. The next one goes on.';

comment on column public.record_fingerprints.session_id is 'Whose record it was, as user_id: it goes when they are erased.';

comment on table public.erasures is 'One row a request, also where there was nothing to erase.';

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
