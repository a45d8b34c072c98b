-- The way of a step through the database, again, in fewer and cheaper statements: items are read once, and what needs no order
-- (all but handoffs and the ids of clients) is placed at once and not one by one. First: its session and its namespace.

-- An item on its way into the database, without its content. What its sender says: index, type (llm, tool, handoff, message
-- or log), session_id, agent, occurred_at, trace_id and parent_trace_id (where the client knows its own tree), handoffs
-- ([{from, to}]). What is found out: its namespace and that one's id; its trace (none for log entries without a session or
-- an id), that one's public id and its number in it; or the error for which it is not stored.
create type public.step as (
  index integer, type text, session_id text, agent text, occurred_at timestamptz, trace_id text, parent_trace_id text,
  handoffs jsonb, namespace text, namespace_id bigint, trace bigint, public_trace_id text, step_number integer, error jsonb);

-- The items of a request as steps in their namespaces: an item's own, else that of its session. The sessions are touched, and
-- opened where they are not known yet: in the first namespace that an item gives for it, else in `default`. What the token
-- may not use becomes the error forbidden. Items that are refused already are left out.
create function public.place_in_sessions(admission jsonb, items jsonb) returns public.step[]
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := public.usable_namespaces(place_in_sessions.admission);
  session_ids text[];
  session_namespaces text[];
  given_namespaces text[];
  some_are_new boolean;
  placed public.step[];
begin
  with given as materialized (
    select item.session_id as id, item.namespace, min(item.index) as index
    from jsonb_to_recordset(place_in_sessions.items) as item (index integer, session_id text, namespace text, error jsonb)
    where item.error is null and (usable is null or item.namespace is null or item.namespace = any (usable))
    group by item.session_id, item.namespace
  ), session as (
    select given.id, (
        select namespaces.name from public.sessions join public.namespaces on namespaces.id = sessions.namespace_id
        where sessions.tenant_id = owner_id and sessions.id = given.id) as known_namespace,
      (array_agg(given.namespace order by given.index) filter (where given.namespace is not null))[1] as given_namespace
    from given where given.id is not null group by given.id
  ), usable_session as (
    select session.id, session.known_namespace is null as is_new,
           coalesce(session.known_namespace, session.given_namespace, 'default') as namespace
    from session
    where usable is null or coalesce(session.known_namespace, session.given_namespace, 'default') = any (usable)
  )
  select array_agg(usable_session.id order by usable_session.id),
         array_agg(usable_session.namespace order by usable_session.id),
         array(select distinct given.namespace from given
               where given.namespace is not null
                 and (given.id is null or given.id in (select usable_session.id from usable_session))),
         coalesce(bool_or(usable_session.is_new), false)
  into session_ids, session_namespaces, given_namespaces, some_are_new
  from usable_session;

  if some_are_new or exists (
    select from unnest(given_namespaces) as given (name)
    where not exists (
      select from public.namespaces where namespaces.tenant_id = owner_id and namespaces.name = given.name)) then
    perform public.register_namespaces(owner_id, session_namespaces || given_namespaces);
    -- In the order of the ids, here and below, so that two batches over the same sessions never wait for each other in a
    -- circle. One that another request is just opening is waited for, and keeps the namespace which that one gives it.
    insert into public.sessions (tenant_id, id, namespace_id)
    select owner_id, wanted.id, public.namespace_id(owner_id, wanted.namespace)
    from unnest(session_ids, session_namespaces) as wanted (id, namespace)
    where not exists (
      select from public.sessions known where known.tenant_id = owner_id and known.id = wanted.id)
    order by wanted.id
    on conflict on constraint session_id_is_unique_within_its_tenant do nothing;
  end if;
  if cardinality(session_ids) > 1 then
    perform from public.sessions
    where sessions.tenant_id = owner_id and sessions.id = any (session_ids)
    order by sessions.id for no key update;
  end if;

  with touched as (
    update public.sessions set last_activity_at = greatest(sessions.last_activity_at, now())
    where sessions.tenant_id = owner_id and sessions.id = any (session_ids)
    returning sessions.id, (select namespaces.name from public.namespaces where namespaces.id = sessions.namespace_id) as namespace
  ), session as materialized (
    select touched.* from touched where usable is null or touched.namespace = any (usable)
  ), item as materialized (
    select item.index, item.type, item.session_id, item.agent, coalesce(item.occurred_at, now()) as occurred_at, item.trace_id,
           item.parent_trace_id, item.namespace as given_namespace, coalesce(item.namespace, session.namespace) as namespace,
           item.number::integer - 1 as place,
           item.session_id is null or session.id is not null as has_session
    from rows from (jsonb_to_recordset(place_in_sessions.items) as (
      index integer, type text, session_id text, namespace text, agent text, occurred_at timestamptz, trace_id text,
      parent_trace_id text, error jsonb)) with ordinality as item (
      index, type, session_id, namespace, agent, occurred_at, trace_id, parent_trace_id, error, number)
    left join session on session.id = item.session_id
    where item.error is null
  ), namespace as materialized (
    select named.name, (
      select namespaces.id from public.namespaces
      where namespaces.tenant_id = owner_id and namespaces.name = named.name) as id
    from (select distinct item.namespace as name from item) as named
  )
  select array_agg((
    item.index, item.type, item.session_id, item.agent, item.occurred_at, item.trace_id, item.parent_trace_id,
    case item.type
      when 'handoff' then jsonb_build_array(jsonb_build_object(
        'from', place_in_sessions.items -> item.place -> 'content' -> 'from_agent',
        'to', place_in_sessions.items -> item.place -> 'content' -> 'to_agent'))
      when 'message' then
        coalesce(nullif(place_in_sessions.items -> item.place -> 'content' -> 'transfers', 'null'), '[]')
      else '[]' end,
    item.namespace, namespace.id, null, null, null,
    case
      when item.given_namespace <> all (usable) then public.namespace_refusal(item.given_namespace)
      when not item.has_session then
        public.refusal('forbidden', 'This tracer token may not use the namespace of this session. '
          || 'A session that is new and names none is opened in "default".')
    end)::public.step order by item.index)
  into placed
  from item left join namespace on namespace.name = item.namespace;
  return placed;
end $$;

revoke all on type public.step from public, anon, authenticated;
grant usage on type public.step to service_role;
revoke execute on function
  public.place_in_sessions
  from public, anon, authenticated;
grant execute on function
  public.place_in_sessions
  to service_role;
