-- Made from supabase/schemas/, which says what is true now, by `npm run db:migration`.

-- A function may call one that is made after it.
set check_function_bodies = off;

select internal.begin_migration();

create index steps_by_arrival on public.steps (tenant_id, namespace_id, id);

-- A user's other steps are known by their sessions. Hashed, as a user's name may be longer than an index holds.
create index steps_of_a_user_without_a_session on public.steps (tenant_id, md5(user_id))
  where user_id is not null and session_id is null and otel_trace_id is null;

create index scores_by_arrival on public.scores (tenant_id, namespace_id, id);

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

-- For how many days a tenant keeps what was said, and everything.
create table public.retention (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  version integer not null default 1,
  rules jsonb not null,
  updated_at timestamptz not null default now(),
  constraint retention_version_is_positive check (version > 0),
  constraint retention_has_rules_of_namespaces check (jsonb_typeof(rules -> 'namespaces') = 'object')
);

-- How far that has been done.
create table public.retention_runs (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  version integer not null,
  ran_at timestamptz,
  enforced_on date
);

create table public.forgotten_content (
  tenant_id uuid not null,
  namespace_id bigint not null,
  last_id uuid not null,
  constraint namespace_knows_what_content_was_forgotten primary key (tenant_id, namespace_id),
  constraint forgotten_content_is_of_a_namespace_of_its_tenant
    foreign key (tenant_id, namespace_id) references public.namespaces (tenant_id, id) on delete cascade
);

-- How much was forgotten, and whether that was all.
create type internal.forgotten as (steps bigint, sessions bigint, scores bigint, is_complete boolean);

alter table public.usage
  drop constraint usage_grain_is_known;

drop function internal.add_figures(internal.figure[]);

alter table public.erasures
  enable row level security;

alter table public.forgotten_content
  enable row level security;

alter table public.retention_runs
  enable row level security;

alter table public.retention
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
          forgotten.scores, forgotten.is_complete);
  return admission || jsonb_build_object('data', jsonb_build_object(
    'erased', to_jsonb(forgotten) - 'is_complete', 'complete', forgotten.is_complete, 'remaining_steps', remaining_steps));
end $$;

create or replace function internal.figure_of_nobody(figure internal.figure) returns internal.figure
language plpgsql immutable set search_path = '' as $$
begin
  figure.session_id := null;
  figure.user_id := null;
  return figure;
end $$;

-- The lowest id that a step or a score can have which arrived so many days before a moment. Null: for ever.
create or replace function internal.first_kept(moment timestamptz, days integer) returns uuid
language plpgsql immutable set search_path = '' as $$
declare
  milliseconds bigint := greatest(0, extract(epoch from first_kept.moment) * 1000 - first_kept.days::bigint * 86400000);
begin
  return (rpad(lpad(to_hex(milliseconds), 12, '0'), 32, '0'))::uuid;
end $$;

-- An admission, after its tenant's changes are folded: what is read next has all that was acknowledged, and nothing that is due to
-- be forgotten (internal.without_due). In pieces: where there
-- is more than `patience` worth of it (nobody has read for long, and the schedule does not run), what was folded stays so, and
-- the client is told to come back. Call it in a statement of its own, so that what reads next sees what it has written.
create or replace function internal.folded(admission jsonb, patience interval default '4 seconds') returns jsonb
language plpgsql set search_path = '' as $$
declare
  ends timestamptz := clock_timestamp() + folded.patience;
begin
  admission := internal.without_due(admission); -- first: it takes the content lock, which comes before that of folds
  if admission ? 'error' then return admission; end if;
  loop
    if internal.fold((admission ->> 'tenant_id')::uuid, 5000) then return admission; end if;
    exit when clock_timestamp() > ends;
  end loop;
  return admission || jsonb_build_object('error', jsonb_build_object('code', 'internal_error', 'status', 503,
    'message', 'Much was stored that is being prepared for reading. Please try again in a moment.'));
end $$;

-- Deletes the idempotency keys of the requests that have stored these steps, with the answers that are remembered under them and
-- the hashes of what was sent. Keys without an answer go too: no request is using one, because a request that stores something
-- holds the content lock until it has its answer. If such a request is repeated, all that it stores is stored again.
create or replace function internal.forget_answers(owner_id uuid, ids_of_requests text[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  delete from public.monkai_idempotency_keys as known
  where known.tenant_id = owner_id
    and (known.response is null or known.response ->> 'ids' = any (forget_answers.ids_of_requests));
end $$;

-- Forgets a piece of what is due at this moment, in one namespace. Returns 0 once nothing is left, else about how many steps, scores
-- and sessions it forgot. The caller must hold the tenant's content lock and fold lock.
create or replace function internal.forget_due_piece(owner_id uuid, moment timestamptz, most integer) returns integer
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  kept record;
  forgotten integer;
begin
  if not internal.has_due(owner_id, forget_due_piece.moment) then return 0; end if;
  if not internal.fold(owner_id, 2000) then return 1; end if; -- what is not folded is in no figures yet
  for kept in select * from internal.kept_days(owner_id) loop
    forgotten := internal.forget_old_steps(owner_id, kept.namespace_id, forget_due_piece.moment, kept.days, most);
    if forgotten > 0 then return forgotten; end if;
    forgotten := internal.forget_old_content(
      owner_id, kept.namespace_id, internal.first_kept(forget_due_piece.moment, kept.content_days), most);
    if forgotten > 0 then return forgotten; end if;
  end loop;
  return 0;
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

-- Takes away what was said in the oldest steps of a namespace that still have it, below an id, and in scores as old.
create or replace function internal.forget_old_content(owner_id uuid, namespace_id bigint, first_id uuid, most integer) returns integer
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  last_id uuid := internal.last_forgotten(owner_id, namespace_id);
  piece uuid[] := array(
    select steps.id from public.steps
    where steps.tenant_id = owner_id and steps.namespace_id = forget_old_content.namespace_id
      and steps.id > last_id and steps.id < forget_old_content.first_id
    order by steps.id limit most);
  until_id uuid;
  emptied_scores integer;
begin
  if forget_old_content.first_id is null or forget_old_content.first_id <= last_id then return 0; end if;
  perform internal.take_content(owner_id, piece);
  until_id := case when cardinality(piece) = most then piece[most] else forget_old_content.first_id end;
  update public.scores set text_value = null, comment = null
  where scores.tenant_id = owner_id and scores.namespace_id = forget_old_content.namespace_id
    and scores.id > last_id and scores.id <= until_id;
  get diagnostics emptied_scores = row_count;
  if emptied_scores + cardinality(piece) = 0 then return 0; end if;
  insert into public.forgotten_content as known (tenant_id, namespace_id, last_id)
  values (owner_id, forget_old_content.namespace_id, until_id)
  on conflict on constraint namespace_knows_what_content_was_forgotten do update set last_id = excluded.last_id;
  return emptied_scores + cardinality(piece);
end $$;

-- The oldest steps and scores of a namespace that are kept no longer, and the sessions that have nothing left.
create or replace function internal.forget_old_steps(
  owner_id uuid, namespace_id bigint, moment timestamptz, days integer, most integer) returns integer
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  first_id uuid := internal.first_kept(forget_old_steps.moment, forget_old_steps.days);
  piece uuid[] := internal.piece_of_old_steps(owner_id, namespace_id, first_id, internal.first_kept(now(), days), most);
  left_sessions text[];
  gone_scores bigint;
begin
  if forget_old_steps.days is null then return 0; end if;
  left_sessions := array(
    select distinct coalesce(steps.session_id, placements.session_id)
    from unnest(piece) as step (id)
    join public.steps on steps.id = step.id
    left join public.placements on placements.step_id = step.id);
  perform internal.forget_steps(owner_id, piece);
  gone_scores := internal.forget_scores(array(
    select scores.id from public.scores
    where scores.tenant_id = owner_id and scores.namespace_id = forget_old_steps.namespace_id and scores.id < first_id
    order by scores.id limit most));
  left_sessions := array(
    select session.id from unnest(left_sessions) as session (id)
    where not exists (select from internal.steps_of_session(owner_id, session.id, null))
    union
    select idle.session_id from internal.idle_sessions(
      owner_id, namespace_id, forget_old_steps.moment - forget_old_steps.days * interval '24 hours') as idle limit most);
  delete from public.sessions
  where sessions.tenant_id = owner_id and sessions.id = any (left_sessions)
    and sessions.namespace_id = forget_old_steps.namespace_id
    and sessions.last_activity_at < now() - forget_old_steps.days * interval '24 hours';
  return cardinality(piece) + gone_scores + cardinality(left_sessions);
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
-- alone. One piece at least, so that who comes again comes to an end; with `-infinity` none. A whole session that has nothing left
-- goes itself.
create or replace function internal.forget_session(
  owner_id uuid, namespace_ids bigint[], session_id text, user_id text, ends timestamptz) returns internal.forgotten
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  forgotten internal.forgotten := (0, 0, 0, false);
  piece uuid[];
begin
  if forget_session.user_id is null then
    delete from public.record_fingerprints
    where record_fingerprints.tenant_id = owner_id and record_fingerprints.session_id = forget_session.session_id;
  end if;
  loop
    piece := internal.piece_of_session(owner_id, namespace_ids, forget_session.session_id, forget_session.user_id, internal.size_of_pieces());
    exit when piece = '{}';
    if clock_timestamp() > ends and (forgotten.steps > 0 or ends = '-infinity') then return forgotten; end if;
    forgotten.scores := forgotten.scores + internal.forget_steps(owner_id, piece);
    forgotten.steps := forgotten.steps + cardinality(piece);
  end loop;
  forgotten.is_complete := true;
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

-- Whether a tenant has anything that is due at this moment.
create or replace function internal.has_due(owner_id uuid, moment timestamptz) returns boolean
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return exists (
    select from internal.kept_days(owner_id) as kept
    cross join lateral (
      select internal.first_kept(has_due.moment, kept.days) as first_id,
             internal.first_kept(has_due.moment, kept.content_days) as first_with_content,
             internal.last_forgotten(owner_id, kept.namespace_id) as last_forgotten
    ) as limits
    where exists (
        select from public.steps
        where steps.tenant_id = owner_id and steps.namespace_id = kept.namespace_id and steps.id < limits.first_id)
      or exists (
        select from public.scores
        where scores.tenant_id = owner_id and scores.namespace_id = kept.namespace_id and scores.id < limits.first_id)
      or exists (
        select from public.steps
        where steps.tenant_id = owner_id and steps.namespace_id = kept.namespace_id
          and steps.id > limits.last_forgotten and steps.id < limits.first_with_content)
      or exists (
        select from public.scores
        where scores.tenant_id = owner_id and scores.namespace_id = kept.namespace_id
          and scores.id > limits.last_forgotten and scores.id < limits.first_with_content)
      or exists (
        select from internal.idle_sessions(owner_id, kept.namespace_id, has_due.moment - kept.days * interval '24 hours')));
end $$;

-- The sessions of a namespace that clients have created before a moment, and that have no steps, nor were found since.
create or replace function internal.idle_sessions(owner_id uuid, namespace_id bigint, before timestamptz) returns table (session_id text)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return query
  select summary.session_id
  from (
    select session_summaries.session_id from public.session_summaries
    where session_summaries.tenant_id = owner_id and session_summaries.namespace_id = idle_sessions.namespace_id
      and session_summaries.step_count = 0
    offset 0
  ) as summary
  where (
    select sessions.last_activity_at from public.sessions
    where sessions.tenant_id = owner_id and sessions.id = summary.session_id
      and sessions.namespace_id = idle_sessions.namespace_id) < idle_sessions.before;
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

-- How long each namespace of a tenant keeps things, where not for ever.
create or replace function internal.kept_days(owner_id uuid) returns table (namespace_id bigint, content_days integer, days integer)
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return query
  select kept.* from (
    select namespaces.id, (rule.value ->> 'content_days')::integer as content_days, (rule.value ->> 'days')::integer as days
    from public.retention
    join public.namespaces on namespaces.tenant_id = retention.tenant_id
    cross join lateral (
      select coalesce(retention.rules -> 'namespaces' -> namespaces.name, retention.rules) as value
    ) as rule
    where retention.tenant_id = owner_id
  ) as kept
  where kept.content_days is not null or kept.days is not null
  order by kept.id;
end $$;

-- Up to which step or score retention has taken away what was said.
create or replace function internal.last_forgotten(owner_id uuid, namespace_id bigint) returns uuid
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return coalesce((
    select forgotten_content.last_id from public.forgotten_content
    where forgotten_content.tenant_id = owner_id and forgotten_content.namespace_id = last_forgotten.namespace_id),
    '00000000-0000-0000-0000-000000000000');
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

-- The oldest steps of a namespace below an id, about so many. Of OpenTelemetry traces, those below the later id as well: what counts
-- as a model call, and with which tokens, follows from the spans around it.
create or replace function internal.piece_of_old_steps(owner_id uuid, namespace_id bigint, first_id uuid, later_id uuid, most integer)
returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    with first as materialized (
      select steps.id, case steps.tree_kind when 'otel' then steps.tree_key end as otel_tree from public.steps
      where steps.tenant_id = owner_id and steps.namespace_id = piece_of_old_steps.namespace_id
        and steps.id < piece_of_old_steps.first_id
      order by steps.id limit most
    )
    select first.id from first
    union
    select together.id from (select distinct first.otel_tree from first where first.otel_tree is not null) as tree
    cross join lateral (
      select steps.id, steps.namespace_id from public.steps
      where steps.tree_key = tree.otel_tree and steps.id < piece_of_old_steps.later_id offset 0
    ) as together
    where together.namespace_id = piece_of_old_steps.namespace_id);
end $$;

-- Steps of a session that can be forgotten together: about so many, and more of a long session, whose figures and trees are made
-- anew of what is left after each piece. Of an OpenTelemetry trace all at once: what a span does not say,
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
      order by ordered.tells_user, ordered.otel_tree nulls first, ordered.id
      limit greatest(most, least(10 * most, (select count(*) / 2 from own)))
    )
    select first.id from first
    union
    select own.id from own where own.otel_tree in (select first.otel_tree from first where first.otel_tree is not null));
end $$;

-- A tenant's retention as clients get it: {version, content_days, days, content_since, since, namespaces: [{namespace, content_days,
-- days, content_since, since}], last_run_at, catching_up}. `since`: when what is shown arrived, at the earliest.
create or replace function internal.retention_view(owner_id uuid, usable text[]) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  own public.retention := (select retention from public.retention where retention.tenant_id = owner_id);
  runs public.retention_runs := (select retention_runs from public.retention_runs where retention_runs.tenant_id = owner_id);
begin
  return jsonb_build_object('version', coalesce(own.version, 0)) || internal.rule_view(coalesce(own.rules, '{}'))
    || jsonb_build_object(
      'namespaces', to_jsonb(array(
        select jsonb_build_object('namespace', named.key) || internal.rule_view(named.value)
        from jsonb_each(own.rules -> 'namespaces') as named
        where usable is null or named.key = any (usable)
        order by named.key)),
      'last_run_at', internal.timestamp_text(runs.ran_at),
      'catching_up', own.version is not null and runs.enforced_on is null);
end $$;

create or replace function internal.rule_view(rule jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'content_days', rule -> 'content_days',
    'days', rule -> 'days',
    'content_since', internal.timestamp_text(internal.shown_since() - (rule ->> 'content_days')::integer * interval '24 hours'),
    'since', internal.timestamp_text(internal.shown_since() - (rule ->> 'days')::integer * interval '24 hours'));
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

create or replace function internal.shown_day() returns date
language plpgsql stable set search_path = '' as $$
begin
  return (internal.shown_since() at time zone 'UTC')::date;
end $$;

-- The day (UTC) that what is shown is counted from. It begins at two o'clock: until then the schedule, which goes by the clock and an
-- hour late, has done the last of the day before.
create or replace function internal.shown_since() returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return date_trunc('day', now() - interval '2 hours', 'UTC');
end $$;

create or replace function internal.size_of_pieces() returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return 2000;
end $$;

-- How many steps a user has left in these namespaces; of sessions that are theirs, all.
create or replace function internal.steps_left_of_user(owner_id uuid, namespace_ids bigint[], user_id text) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select count(distinct left_step.id) from (
      select step.id from internal.steps_without_session(owner_id, namespace_ids, steps_left_of_user.user_id) as step (id)
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

-- The steps of a user in these namespaces that are in no session.
create or replace function internal.steps_without_session(owner_id uuid, namespace_ids bigint[], user_id text) returns setof uuid
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return query
  select steps.id from public.steps
  where steps.tenant_id = owner_id and md5(steps.user_id) = md5(steps_without_session.user_id)
    and steps.user_id = steps_without_session.user_id and steps.session_id is null and steps.otel_trace_id is null
    and steps.namespace_id = any (steps_without_session.namespace_ids);
end $$;

-- Takes away what was said in these steps, and notes when in their traces. Who has read them before is to read them again: the
-- caller holds the tenant's fold lock.
create or replace function internal.take_content(owner_id uuid, ids uuid[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  emptied uuid[];
  purge_number bigint;
begin
  with taken as (
    update public.steps set
      content = null, error = null,
      name = case when steps.kind in ('llm', 'span') then null else steps.name end -- whatever a program has made of it
    where steps.id = any (take_content.ids) and steps.tenant_id = owner_id
      and (steps.content is not null or steps.error is not null or steps.kind in ('llm', 'span') and steps.name is not null)
    returning steps.id
  )
  select array_agg(taken.id) into emptied from taken;
  if emptied is null then return; end if;
  purge_number := internal.next_fold_number(owner_id);
  with renumbered as (
    update public.placements set fold_number = purge_number where placements.step_id = any (emptied)
    returning placements.trace_id
  )
  insert into public.purges (tenant_id, trace_id, purged_at)
  select distinct owner_id, renumbered.trace_id, now() from renumbered
  on conflict on constraint trace_knows_its_last_purge do update set purged_at = excluded.purged_at;
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

-- Returns the admission once nothing is left that is due, so that the read cannot show any of it. The schedule has usually deleted it
-- before. If the schedule stands still, this read deletes it; if that takes too long, the client is told to try again. After new
-- rules, what they make due is shown until the schedule has deleted it for the first time.
create or replace function internal.without_due(admission jsonb) returns jsonb
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
  today constant timestamptz := internal.shown_since();
  ends timestamptz := clock_timestamp() + interval '4 seconds';
begin
  if admission ? 'error' or not exists (
    select from public.retention_runs
    where retention_runs.tenant_id = owner_id and retention_runs.enforced_on < internal.shown_day()) then
    return admission;
  end if;
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  loop
    if internal.forget_due_piece(owner_id, today, 2000) = 0 then
      update public.retention_runs set enforced_on = internal.shown_day()
      where retention_runs.tenant_id = owner_id and retention_runs.enforced_on < internal.shown_day();
      return admission;
    end if;
    exit when clock_timestamp() > ends;
  end loop;
  return admission || jsonb_build_object('error', jsonb_build_object('code', 'internal_error', 'status', 503,
    'message', 'Much is being deleted that is kept no longer. Please try again in a moment.'));
end $$;

-- DELETE /scores/{score_id}. payload.score_id: a UUID. data: the score that is gone. One of another tenant, or in a namespace that
-- the token may not use, looks like one that never was.
create or replace function public.delete_score(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.without_due(internal.admit_writer(delete_score.payload));
  usable text[] := internal.usable_namespaces(admission);
  gone public.scores;
begin
  if admission ? 'error' then return admission; end if;
  delete from public.scores
  where scores.id = (delete_score.payload ->> 'score_id')::uuid and scores.tenant_id = (admission ->> 'tenant_id')::uuid
    and (usable is null or (
      select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable))
  returning scores.* into gone;
  if not found then return admission || internal.refusal('not_found', 'There is no such score.'); end if;
  return admission || jsonb_build_object('data', internal.score_view(gone));
end $$;

-- DELETE /sessions/{session_id}. payload.session_id. Erases what was said in the session and all that names it or its user: its
-- steps, scores, metadata, remembered answers. What it used stays, added up. A token that is bound to namespaces erases what is
-- in these. data: {erased: {steps, sessions, scores}, complete, remaining_steps}: what does not fit into a request is left to the
-- next one.
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
-- other user is told go whole; of other sessions, and outside of sessions, the steps that are theirs. data: as there.
create or replace function public.erase_user(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  admission jsonb := internal.admit_eraser(erase_user.payload);
  owner_id uuid := admission ->> 'tenant_id';
  whose text := erase_user.payload ->> 'user_id';
  ends timestamptz := internal.end_of_erasing();
  in_sight bigint[];
  forgotten internal.forgotten := (0, 0, 0, true);
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
    if forgotten.steps > 0 and clock_timestamp() > ends then ends := '-infinity'; end if;
    part := internal.forget_session(owner_id, in_sight, sessions[place], case
      when not internal.is_session_of_user(owner_id, in_sight, sessions[place], whose) then whose end, ends);
    forgotten := (forgotten.steps + part.steps, forgotten.sessions + part.sessions, forgotten.scores + part.scores,
                  part.is_complete);
    exit when not part.is_complete;
  end loop;
  while forgotten.is_complete loop
    piece := array(
      select step.id from internal.steps_without_session(owner_id, in_sight, whose) as step (id) limit internal.size_of_pieces());
    exit when piece = '{}';
    if forgotten.steps > 0 and clock_timestamp() > ends then forgotten.is_complete := false; end if;
    exit when not forgotten.is_complete;
    forgotten.scores := forgotten.scores + internal.forget_steps(owner_id, piece);
    forgotten.steps := forgotten.steps + cardinality(piece);
  end loop;
  return internal.erased(admission, 'user', forgotten, internal.steps_left_of_user(owner_id, in_sight, whose));
end $$;

-- Forgets what is kept no longer, oldest first, for about a fifth of a second: a tenant's writers and readers wait meanwhile. The
-- schedule comes back for the rest, and for other tenants. Returns {forgotten: how many steps, scores and sessions, whole or their
-- content}.
create or replace function public.forget_due(payload jsonb default '{}') returns jsonb
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  owner_id uuid;
  known_version integer;
  -- By the clock, an hour late: so the spans of one trace, which come within seconds, are not parted. See piece_of_old_steps.
  moment constant timestamptz := now() - interval '1 hour';
  ends timestamptz := clock_timestamp() + interval '0.2 seconds';
  piece integer;
  forgotten integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('forget_due', 0)) then return '{"forgotten": 0}'; end if;
  for owner_id, known_version in select retention.tenant_id, retention.version from public.retention order by random() loop
    piece := 0;
    if internal.has_due(owner_id, moment) then
      perform pg_advisory_xact_lock(internal.content_lock(owner_id));
      perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
      loop
        piece := internal.forget_due_piece(owner_id, moment, 500);
        exit when piece = 0;
        forgotten := forgotten + piece;
        exit when clock_timestamp() > ends;
      end loop;
    end if;
    if piece = 0 then
      update public.retention_runs set ran_at = now(), enforced_on = internal.shown_day()
      where retention_runs.tenant_id = owner_id and retention_runs.version = known_version; -- none newer since it was looked at
    end if;
    exit when forgotten > 0; -- one tenant's locks at a time: with two, it and fold_all() could wait for each other
  end loop;
  return jsonb_build_object('forgotten', forgotten);
end $$;

-- GET /retention. data: see retention_view, of the namespaces that the token may use.
create or replace function public.get_retention(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(get_retention.payload);
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', internal.retention_view(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission)));
end $$;

-- GET /scores. payload.query: {trace_id?, session_id?, step_id?, name?, source?, namespace?, start_date?, end_date?, limit,
-- after?}. payload.known: see unless_known. data: {rows: [score_view], next}, newest first, of the namespaces that the token may
-- use.
create or replace function public.list_scores(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := list_scores.payload -> 'query';
  admission jsonb := public.admit(list_scores.payload);
  answer jsonb;
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.without_due(admission);
  if admission ? 'error' then return admission; end if;
  answer := internal.page_answer(
    admission,
    internal.page_of_scores(
      (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace'), query),
    (query ->> 'limit')::integer);
  if answer ? 'error' then return answer; end if;
  return internal.unless_known(admission, answer -> 'data', list_scores.payload);
end $$;

-- DELETE /traces/{trace_id}/content. payload.trace_id. Takes away for good what was said in the trace and in all below it, and in
-- the scores of these, and leaves the skeleton: ids, times, counts. Again it changes nothing, but for steps and scores that have
-- come since. data: the trace, as in get_trace.
create or replace function public.purge_trace_content(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  admission jsonb := internal.admit_writer(purge_trace_content.payload);
  owner_id uuid := admission ->> 'tenant_id';
  usable text[];
  purged text[];
begin
  if admission ? 'error' then return admission; end if;
  -- Alone with the tenant's content: steps that are being stored are waited for, and are taken too.
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  -- And with its projections: who has read the steps before is to read them again, in the order of its folds.
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  admission := internal.folded(admission);
  admission := internal.with_trace(admission, purge_trace_content.payload ->> 'trace_id');
  if admission ? 'error' then return admission; end if;
  usable := internal.usable_namespaces(admission);
  purged := internal.traces_below(owner_id, usable, admission ->> 'trace_id');

  perform internal.take_content(owner_id, array(
    select placements.step_id
    from unnest(purged) as wanted (trace_id)
    join public.placements on placements.tenant_id = owner_id and placements.trace_id = wanted.trace_id
    where usable is null or internal.namespace_of(placements.step_id) = any (usable)));
  insert into public.purges (tenant_id, trace_id, purged_at)
  select owner_id, wanted.trace_id, now() from unnest(purged) as wanted (trace_id)
  on conflict on constraint trace_knows_its_last_purge do nothing;
  perform internal.purge_scores(owner_id, usable, purged);
  return internal.trace_answer(admission);
end $$;

-- PUT /retention. payload.rules: as the table has them, payload.expected_version?. data: see retention_view. Refuses forbidden for
-- a token that is bound to namespaces, since the rules are the whole tenant's, and with status 409 when they are not at
-- expected_version.
create or replace function public.put_retention(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(put_retention.payload);
  owner_id uuid := admission ->> 'tenant_id';
  expected_version integer := put_retention.payload ->> 'expected_version';
  current_version integer;
  put public.retention;
begin
  if admission ? 'error' then return admission; end if;
  if exists (
    select from public.tracer_tokens
    where tracer_tokens.id = (admission ->> 'token_id')::uuid and tracer_tokens.namespaces is not null) then
    return admission || internal.refusal('forbidden',
      'This tracer token is bound to namespaces: it may read how long things are kept, but not change it.');
  end if;

  -- One change at a time, and none while something is being forgotten.
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  current_version := coalesce((select retention.version from public.retention where retention.tenant_id = owner_id), 0);
  if expected_version <> current_version then
    return admission || jsonb_build_object('error', jsonb_build_object(
      'code', 'bad_request', 'status', 409, 'version', current_version,
      'message', format('The retention is at version %s by now, not at the expected_version %s. Read it and try again.',
                        current_version, expected_version)));
  end if;

  insert into public.retention as own (tenant_id, rules)
  values (owner_id, put_retention.payload -> 'rules')
  on conflict on constraint retention_pkey
    do update set rules = excluded.rules, version = own.version + 1, updated_at = now()
  returning own.* into put;
  insert into public.retention_runs as known (tenant_id, version, enforced_on)
  values (owner_id, put.version, case when not internal.has_due(owner_id, internal.shown_since()) then internal.shown_day() end)
  on conflict on constraint retention_runs_pkey do update set version = excluded.version, enforced_on = excluded.enforced_on;
  return admission || jsonb_build_object('data', internal.retention_view(owner_id, null));
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
return 20261122032609;

alter table public.usage
  add constraint usage_grain_is_known
    check
    ((grain = ANY (ARRAY['day'::text, 'hour'::text, 'day in detail'::text, 'hour in detail'::text, 'session'::text,
    'past'::text])));

comment on column public.erasures.is_complete is 'False: there was more than one request erases. The next one goes on.';

comment on column public.forgotten_content.last_id is 'Of the steps and scores up to this id, retention has taken away what was said.';

comment on column public.record_fingerprints.session_id is 'Whose record it was, as user_id: it goes when they are erased.';

comment on column public.retention.rules is '{content_days, days, namespaces: {name: {content_days, days}}}. Null: for ever. A namespace that is named has its own rule alone.';

comment on column public.retention_runs.enforced_on is 'The last day on which nothing was left that is due. From then on no read shows any (internal.without_due). Null: since the rules were put, that was never so.';

comment on column public.retention_runs.ran_at is 'When the schedule last found nothing that is due, or had just forgotten it all.';

comment on column public.retention_runs.version is 'Of the rules that this is about.';

comment on table public.erasures is 'One row a request, also where there was nothing to erase.';

-- By hand: one more schedule.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    -- As long as there is something: a short piece, and a pause four times as long for those who wait.
    perform cron.schedule('agent-trace-forget', '10 seconds', 'do $do$ begin while (public.forget_due() ->> ''forgotten'')::integer > 0 and clock_timestamp() < statement_timestamp() + interval ''9 seconds'' loop commit; perform pg_sleep(0.2); end loop; end $do$');
  end if;
exception when others then
  raise warning 'forget_due() is not scheduled (%). Call it every ten seconds.', sqlerrm;
end $$;

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
