-- Sessions: create, and get-or-create.

-- Makes sure that these namespaces of the tenant exist: first use registers.
-- Ordered, so that two requests registering the same names never wait for each other in a circle.
create function public.register_namespaces(tenant_id uuid, names text[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.namespaces (tenant_id, name)
  select distinct register_namespaces.tenant_id, wanted.name
  from unnest(register_namespaces.names) as wanted (name)
  where not exists (
    select from public.namespaces known
    where known.tenant_id = register_namespaces.tenant_id and known.name = wanted.name)
  order by wanted.name
  on conflict do nothing;
end $$;

-- A session as clients get it. The namespace's name is passed in: a lookup here would not see one that the same
-- statement has just registered.
create function public.session_view(session public.sessions, namespace text) returns jsonb
language sql stable set search_path = ''
return jsonb_build_object(
  'session_id', (session_view.session).id,
  'namespace', session_view.namespace,
  'user_id', (session_view.session).user_id,
  'inactivity_timeout', (session_view.session).inactivity_timeout,
  'created_at', public.timestamp_text((session_view.session).created_at),
  'metadata', (session_view.session).metadata);

-- Opens a session {namespace, user_id, inactivity_timeout, metadata} named {namespace}-{user_id}-{YYYYMMDDHHMMSS} (UTC).
-- The primary key settles two in one second: the second one waits for the first, finds the name gone, takes -1.
create function public.open_session(tenant_id uuid, wanted jsonb) returns public.sessions
language plpgsql set search_path = '' as $$
declare
  base text := format('%s-%s-%s', wanted ->> 'namespace', coalesce(wanted ->> 'user_id', 'anonymous'),
                      to_char(now() at time zone 'UTC', 'YYYYMMDDHH24MISS'));
  suffix text := '';
  namespace_id bigint;
  session public.sessions;
begin
  perform public.register_namespaces(open_session.tenant_id, array[wanted ->> 'namespace']);
  namespace_id := public.namespace_id(open_session.tenant_id, wanted ->> 'namespace');

  for attempt in 1 .. 1000000 loop
    insert into public.sessions (tenant_id, id, namespace_id, user_id, inactivity_timeout, metadata)
    values (open_session.tenant_id, base || suffix, namespace_id, wanted ->> 'user_id',
            coalesce((wanted ->> 'inactivity_timeout')::integer, 120), coalesce(wanted -> 'metadata', '{}'))
    on conflict on constraint session_id_is_unique_within_its_tenant do nothing
    returning * into session;
    exit when found;
    suffix := '-' || attempt;
  end loop;
  return session;
end $$;

-- POST /sessions/create. payload.session: {namespace, user_id?, inactivity_timeout?, metadata?}.
create function public.create_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := create_session.payload -> 'session';
  admission jsonb := public.admit_to_namespace(create_session.payload, wanted ->> 'namespace');
begin
  if admission ? 'error' then return admission; end if;

  return admission || jsonb_build_object('data',
    public.session_view(public.open_session((admission ->> 'tenant_id')::uuid, wanted), wanted ->> 'namespace'));
end $$;

-- POST /sessions/get-or-create. payload.session: {namespace, user_id, inactivity_timeout?, metadata?, force_new?}.
-- Answers with the user's most recently active session if its last activity is within inactivity_timeout seconds.
create function public.get_or_create_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := get_or_create_session.payload -> 'session';
  admission jsonb := public.admit_to_namespace(get_or_create_session.payload, wanted ->> 'namespace');
  session public.sessions;
  reused boolean := false;
begin
  if admission ? 'error' then return admission; end if;

  -- One at a time per user: a concurrent caller waits here until the first has committed, and then finds its session.
  perform pg_advisory_xact_lock(hashtextextended(
    jsonb_build_array(admission -> 'tenant_id', wanted -> 'namespace', wanted -> 'user_id')::text, 0));

  if not coalesce((wanted ->> 'force_new')::boolean, false) then
    select sessions.* into session
    from public.sessions
    where sessions.tenant_id = (admission ->> 'tenant_id')::uuid
      and sessions.namespace_id = public.namespace_id((admission ->> 'tenant_id')::uuid, wanted ->> 'namespace')
      and sessions.user_id = wanted ->> 'user_id'
      and sessions.last_activity_at >=
        now() - make_interval(secs => coalesce((wanted ->> 'inactivity_timeout')::integer, 120))
    order by sessions.last_activity_at desc, sessions.created_at desc, sessions.id desc
    limit 1;
    reused := found;
  end if;
  if not reused then
    session := public.open_session((admission ->> 'tenant_id')::uuid, wanted);
  end if;

  return admission || jsonb_build_object('data',
    public.session_view(session, wanted ->> 'namespace') || jsonb_build_object('reused', reused));
end $$;

revoke execute on function
  public.register_namespaces, public.session_view, public.open_session, public.create_session,
  public.get_or_create_session
  from public, anon, authenticated;
grant execute on function
  public.register_namespaces, public.session_view, public.open_session, public.create_session,
  public.get_or_create_session
  to service_role;
