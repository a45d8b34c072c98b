-- GET /sessions/{session_id}. payload.query: {session_id, namespace?}. payload.known: see unless_known. data: the session_view of
-- all that is in the namespaces that the token may use, or in the one that is named, and {namespaces, root_trace_ids, metadata}.
create function public.get_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := get_session.payload -> 'query';
  admission jsonb := public.admit(get_session.payload);
  session jsonb;
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  session := internal.whole_session(
    (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace'), query ->> 'session_id');
  if session is null then return admission || internal.refusal('not_found', 'There is no such session.'); end if;
  return internal.unless_known(admission, session, get_session.payload);
end $$;

-- A session in these namespaces; null where it is in none of them.
create function internal.whole_session(owner_id uuid, namespace_ids bigint[], session_id text) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  kept jsonb := internal.kept(owner_id);
  places bigint[] := array(
    select summary.namespace_id from public.session_summaries as summary
    where summary.tenant_id = owner_id and summary.session_id = whole_session.session_id
      and summary.namespace_id = any (whole_session.namespace_ids)
      and (kept is null or internal.is_kept_session(kept, owner_id, summary.session_id, summary.namespace_id))
    order by summary.last_activity_at desc, summary.namespace_id);
begin
  if places = '{}' then return null; end if;
  return internal.session_views(owner_id, array[(whole_session.session_id, places)::internal.listed_session]) -> 0
    || jsonb_build_object(
      -- In all that are in sight: a score that came before its session may stand where that has no steps.
      'scores', internal.scores_of_session(owner_id, whole_session.namespace_ids, kept, whole_session.session_id),
      'namespaces', to_jsonb(array(
        select namespaces.name from public.namespaces where namespaces.id = any (places) order by 1)),
      'root_trace_ids', to_jsonb(array(
        select traces.trace_id from public.traces
        where traces.tenant_id = owner_id and traces.session_id = whole_session.session_id
          and traces.namespace_id = any (places)
          and (traces.parent_trace_id is null or kept is not null and not internal.has_kept_parent(kept, traces))
          and (kept is null or internal.is_kept_trace(kept, traces))
        order by traces.created_at, traces.trace_id)),
      'metadata', coalesce((
        -- Encrypted metadata is bound to the session's own user, who is not always the one that is shown.
        select case jsonb_typeof(sessions.metadata)
          when 'string' then jsonb_build_array(sessions.metadata, sessions.user_id) else sessions.metadata end
        from public.sessions
        where sessions.tenant_id = owner_id and sessions.id = whole_session.session_id
          and sessions.namespace_id = any (places)), '{}'));
end $$;
