-- Made from supabase/schemas/, which says what is true now, by `npm run db:migration`.

-- A function may call one that is made after it.
set check_function_bodies = off;

select internal.begin_migration();

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

-- Whether a session's metadata (`"NUMBER.BASE64"`) was encrypted with a data key that was forgotten.
create or replace function internal.is_forgotten(owner_id uuid, metadata jsonb) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_typeof(is_forgotten.metadata) = 'string' and exists (
    select from public.data_keys
    where data_keys.tenant_id = owner_id and data_keys.wrapped is null
      and data_keys.number = split_part(is_forgotten.metadata #>> '{}', '.', 1)::integer);
end $$;

-- Forgets what is kept no longer, oldest first, for about a twentieth of a second: a tenant's writers and readers wait meanwhile. The
-- schedule comes back for the rest, and for other tenants. Returns {forgotten: how many steps, scores and sessions, whole or their
-- content}.
create or replace function public.forget_due(payload jsonb default '{}') returns jsonb
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

-- POST /sessions/get-or-create. payload.session: {namespace, user_id, inactivity_timeout?, metadata?, force_new?}.
-- Answers with the user's most recently active session if its last activity is within inactivity_timeout seconds; to be found
-- is activity too. One whose metadata nobody can read any more is not found, since the user could not go on with it.
create or replace function public.get_or_create_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := get_or_create_session.payload -> 'session';
  admission jsonb;
  session public.sessions;
  reused boolean := false;
begin
  -- That wants the content lock alone: so before the share of it, and before the count, for which others wait that have a share.
  perform internal.without_due(internal.identify(get_or_create_session.payload));
  admission := internal.stopped_for_data_keys(get_or_create_session.payload, wanted -> 'metadata');
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
      and not internal.is_forgotten(sessions.tenant_id, sessions.metadata)
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

-- GET /steps. payload.query: {ids: [uuid], max_bytes}. payload.known: see unless_known. data: {steps: [step_view]}, in the
-- order of the ids; those that are not there, or not in the token's namespaces, are absent.
create or replace function public.get_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := get_steps.payload -> 'query';
  admission jsonb := internal.folded(public.admit(get_steps.payload));
  max_bytes integer := query ->> 'max_bytes';
  ids uuid[];
  found_steps jsonb;
begin
  if admission ? 'error' then return admission; end if;
  ids := internal.seen_steps(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission),
    array(select jsonb_array_elements_text(query -> 'ids'))::uuid[]);
  -- One alone is always read: where it is encrypted and large, nobody could ask for less. Else too much is not even read.
  if cardinality(ids) = 1 or internal.bytes_of_steps(ids, max_bytes) <= 16 * 1024 * 1024 then
    found_steps := internal.whole_steps(ids, max_bytes);
  end if;
  if cardinality(ids) <> 1 and coalesce(octet_length(found_steps::text) > 16 * 1024 * 1024, true) then
    return admission || internal.refusal('invalid_payload', 'ids: these are more than 16 MiB. Ask for fewer at a time.');
  end if;
  return internal.unless_known(admission, jsonb_build_object('steps', found_steps), get_steps.payload);
end $$;

-- The number of the newest migration, for GET /health/ready. Written by `npm run db:migration`.
create or replace function public.schema_version() returns bigint
language sql immutable set search_path = ''
return 20261122040409;

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
