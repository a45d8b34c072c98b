-- POST /sessions/create. payload.session: {namespace, user_id?, inactivity_timeout?, metadata?}.
create function public.create_session(payload jsonb) returns jsonb
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

-- Opens a session {namespace, user_id, inactivity_timeout, metadata} named {namespace}-{user_id}-{YYYYMMDDHHMMSS} (UTC).
-- The primary key settles two in one second: the second one waits for the first, finds the name gone, takes -1.
create function internal.open_session(tenant_id uuid, wanted jsonb) returns public.sessions
language plpgsql set search_path = '' as $$
declare
  base text := format('%s-%s-%s', wanted ->> 'namespace', coalesce(wanted ->> 'user_id', 'anonymous'),
                      to_char(now() at time zone 'UTC', 'YYYYMMDDHH24MISS'));
  suffix text := '';
  namespace_id bigint;
  session public.sessions;
begin
  perform internal.register_namespaces(open_session.tenant_id, array[wanted ->> 'namespace']);
  namespace_id := internal.namespace_id(open_session.tenant_id, wanted ->> 'namespace');

  for attempt in 1 .. 1000000 loop
    insert into public.sessions (tenant_id, id, namespace_id, user_id, inactivity_timeout, metadata, was_created)
    values (open_session.tenant_id, base || suffix, namespace_id, wanted ->> 'user_id',
            coalesce((wanted ->> 'inactivity_timeout')::integer, 120), coalesce(wanted -> 'metadata', '{}'), true)
    on conflict on constraint session_id_is_unique_within_its_tenant do nothing
    returning * into session;
    exit when found;
    suffix := '-' || attempt;
  end loop;
  perform internal.list_session_without_steps(session.tenant_id, session.id, session.namespace_id);
  return session;
end $$;

-- A session as clients get it. The namespace's name is passed in: a lookup here would not see one that the same
-- statement has just registered.
create function internal.session_view(session public.sessions, namespace text) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'session_id', (session_view.session).id,
    'namespace', session_view.namespace,
    'user_id', (session_view.session).user_id,
    'inactivity_timeout', (session_view.session).inactivity_timeout,
    'created_at', internal.timestamp_text((session_view.session).created_at),
    'metadata', (session_view.session).metadata);
end $$;
