-- DELETE /sessions/{session_id}. payload.session_id. Erases what was said in the session and all that names it or its user: its
-- steps, scores, metadata, remembered answers. What it used stays, added up. A token that is bound to namespaces erases what is
-- in these. data: {erased: {steps, sessions, scores}, complete, remaining_steps}: what does not fit into a request is left to the
-- next one.
create function public.erase_session(payload jsonb) returns jsonb
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

-- admit, for a request that erases: alone with the tenant's content, so that steps that are being stored are waited for and go
-- too, and with its projections. All that was stored is folded.
create function internal.admit_eraser(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(admit_eraser.payload);
begin
  if admission ? 'error' then return admission; end if;
  perform pg_advisory_xact_lock(internal.content_lock((admission ->> 'tenant_id')::uuid));
  perform pg_advisory_xact_lock(internal.fold_lock((admission ->> 'tenant_id')::uuid));
  return internal.folded(admission);
end $$;

-- When a request that erases should come to an end: its tenant waits for it.
create function internal.end_of_erasing() returns timestamptz
language plpgsql volatile set search_path = '' as $$
begin
  return clock_timestamp() + interval '1 second';
end $$;

-- Forgets the steps of a session in these namespaces, piece by piece until about that moment; with a user, those of this user
-- alone. One piece at least, so that who comes again comes to an end; with `-infinity` none. A whole session that has nothing left
-- goes itself.
create function internal.forget_session(
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

create function internal.size_of_pieces() returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return 2000;
end $$;

-- Steps of a session that can be forgotten together: about so many, and more of a long session, whose figures and trees are made
-- anew of what is left after each piece. Of an OpenTelemetry trace all at once: what a span does not say,
-- its session among it, follows from the others. Those by which the session is known to be a user's come last, so that who goes
-- on later still finds it.
create function internal.piece_of_session(owner_id uuid, namespace_ids bigint[], session_id text, user_id text, most integer)
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

-- Deletes a session, if it has nothing left in any namespace; else what it says of itself stays with what it has there, but for
-- its metadata. Returns how many are gone.
create function internal.forget_empty_session(owner_id uuid, namespace_ids bigint[], session_id text) returns integer
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

-- The answer to a request that has erased; it is written down that it did, and not whose.
create function internal.erased(admission jsonb, subject text, forgotten internal.forgotten, remaining_steps bigint) returns jsonb
language plpgsql set search_path = '' as $$
begin
  insert into public.erasures (tenant_id, token_id, subject, steps, sessions, scores, is_complete)
  values ((admission ->> 'tenant_id')::uuid, (admission ->> 'token_id')::uuid, erased.subject, forgotten.steps, forgotten.sessions,
          forgotten.scores, forgotten.is_complete);
  return admission || jsonb_build_object('data', jsonb_build_object(
    'erased', to_jsonb(forgotten) - 'is_complete', 'complete', forgotten.is_complete, 'remaining_steps', remaining_steps));
end $$;
