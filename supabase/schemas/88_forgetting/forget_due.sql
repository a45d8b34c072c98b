-- Forgets what is kept no longer, oldest first, for about a twentieth of a second: a tenant's writers and readers wait meanwhile. The
-- schedule comes back for the rest, and for other tenants. Returns {forgotten: how many steps, scores and sessions, whole or their
-- content}.
create function public.forget_due(payload jsonb default '{}') returns jsonb
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  owner_id uuid;
  known_version integer;
  -- By the clock, an hour late: so the spans of one trace, which come within seconds, are not parted. See piece_of_old_steps.
  moment constant timestamptz := now() - interval '1 hour';
  ends timestamptz := clock_timestamp() + interval '0.05 seconds';
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

-- Up to which step or score retention has taken away what was said.
create function internal.last_forgotten(owner_id uuid, namespace_id bigint) returns uuid
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return coalesce((
    select forgotten_content.last_id from public.forgotten_content
    where forgotten_content.tenant_id = owner_id and forgotten_content.namespace_id = last_forgotten.namespace_id),
    '00000000-0000-0000-0000-000000000000');
end $$;

-- Whether a tenant has anything that is due at this moment.
create function internal.has_due(owner_id uuid, moment timestamptz) returns boolean
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

-- Forgets a piece of what is due at this moment, in one namespace. Returns 0 once nothing is left, else about how many steps, scores
-- and sessions it forgot. The caller must hold the tenant's content lock and fold lock.
create function internal.forget_due_piece(owner_id uuid, moment timestamptz, most integer) returns integer
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

-- The oldest steps and scores of a namespace that are kept no longer, and the sessions that have nothing left.
create function internal.forget_old_steps(
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

-- The oldest steps of a namespace below an id, about so many. Of OpenTelemetry traces, those below the later id as well: what counts
-- as a model call, and with which tokens, follows from the spans around it.
create function internal.piece_of_old_steps(owner_id uuid, namespace_id bigint, first_id uuid, later_id uuid, most integer)
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

-- The sessions of a namespace that clients have created before a moment, and that have no steps, nor were found since.
create function internal.idle_sessions(owner_id uuid, namespace_id bigint, before timestamptz) returns table (session_id text)
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

-- Takes away what was said in the oldest steps of a namespace that still have it, below an id, and in scores as old.
create function internal.forget_old_content(owner_id uuid, namespace_id bigint, first_id uuid, most integer) returns integer
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
  update public.scores set text_value = null, comment = null, sealed = null
  where scores.tenant_id = owner_id and scores.namespace_id = forget_old_content.namespace_id
    and scores.id > last_id and scores.id <= until_id;
  get diagnostics emptied_scores = row_count;
  if emptied_scores + cardinality(piece) = 0 then return 0; end if;
  insert into public.forgotten_content as known (tenant_id, namespace_id, last_id)
  values (owner_id, forget_old_content.namespace_id, until_id)
  on conflict on constraint namespace_knows_what_content_was_forgotten do update set last_id = excluded.last_id;
  return emptied_scores + cardinality(piece);
end $$;
