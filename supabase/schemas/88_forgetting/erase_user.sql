-- DELETE /users/{user_id}. payload.user_id. As erase_session, for all that is a user's: sessions that are theirs or where no
-- other user is told go whole; of other sessions, and outside of sessions, the steps that are theirs. data: as there.
create function public.erase_user(payload jsonb) returns jsonb
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

-- The sessions in these namespaces that are a user's, or have steps of theirs.
create function internal.sessions_of_user(owner_id uuid, namespace_ids bigint[], user_id text) returns text[]
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

-- Whether a session is this user's: because it says so, or because it says nothing and its steps tell of no other user.
create function internal.is_session_of_user(owner_id uuid, namespace_ids bigint[], session_id text, user_id text) returns boolean
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

-- The steps of a user in these namespaces that are in no session.
create function internal.steps_without_session(owner_id uuid, namespace_ids bigint[], user_id text) returns setof uuid
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return query
  select steps.id from public.steps
  where steps.tenant_id = owner_id and md5(steps.user_id) = md5(steps_without_session.user_id)
    and steps.user_id = steps_without_session.user_id and steps.session_id is null and steps.otel_trace_id is null
    and steps.namespace_id = any (steps_without_session.namespace_ids);
end $$;

-- How many steps a user has left in these namespaces; of sessions that are theirs, all.
create function internal.steps_left_of_user(owner_id uuid, namespace_ids bigint[], user_id text) returns bigint
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
