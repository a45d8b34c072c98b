-- POST /sessions/get-or-create. payload.session: {namespace, user_id, inactivity_timeout?, metadata?, force_new?}.
-- Answers with the user's most recently active session if its last activity is within inactivity_timeout seconds; to be found
-- is activity too. One whose metadata nobody can read any more is not found, since the user could not go on with it.
create function public.get_or_create_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := get_or_create_session.payload -> 'session';
  admission jsonb := internal.stopped_for_data_keys(get_or_create_session.payload, wanted -> 'metadata');
  kept jsonb;
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
    kept := internal.kept((admission ->> 'tenant_id')::uuid);
    select sessions.* into session
    from public.sessions
    where sessions.tenant_id = (admission ->> 'tenant_id')::uuid
      and sessions.namespace_id = internal.namespace_id((admission ->> 'tenant_id')::uuid, wanted ->> 'namespace')
      and sessions.user_id = wanted ->> 'user_id'
      and sessions.last_activity_at >=
        now() - make_interval(secs => coalesce((wanted ->> 'inactivity_timeout')::integer, 120))
      and not internal.is_forgotten(sessions.tenant_id, sessions.metadata)
      and (kept is null or internal.is_kept_session(kept, sessions.tenant_id, sessions.id, sessions.namespace_id))
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
