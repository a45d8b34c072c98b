-- Where the items of a request belong: their namespaces and sessions.

-- Items that give the same session and the same namespace ('' for none) belong to the same place. Without a namespace_id, the
-- session or the namespace is not there yet.
create type internal.place as (session_id text, given_namespace text, namespace_id bigint, namespace text);

-- The places of the items that are not refused: an item's own namespace, else that of its session. What is not there yet is
-- opened: sessions in the first namespace that an item gives for them, else in `default`.
create function internal.places_of(owner_id uuid, items jsonb) returns internal.place[]
language plpgsql set search_path = '' as $$
declare
  places internal.place[] := internal.known_places(owner_id, items);
begin
  if not exists (select from unnest(places) as place where place.namespace_id is null) then return places; end if;
  perform internal.open_sessions(owner_id, items);
  return internal.known_places(owner_id, items);
end $$;

-- The places as they are now. By scalar subqueries: a plan that was made while the tables were small would join by reading them.
create function internal.known_places(owner_id uuid, items jsonb) returns internal.place[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return array(
    select (
      given.session_id, given.namespace,
      case when given.session_id = '' or home.id is not null then coalesce(named.id, case given.namespace when '' then home.id end) end,
      case given.namespace
        when '' then (select namespaces.name from public.namespaces where namespaces.id = home.id)
        else given.namespace end
      )::internal.place
    from (
      select distinct coalesce(item.session_id, '') as session_id, coalesce(item.namespace, '') as namespace
      from jsonb_to_recordset(known_places.items) as item (session_id text, namespace text, refusal jsonb)
      where item.refusal is null
    ) as given
    cross join lateral (
      select (
        select sessions.namespace_id from public.sessions
        where sessions.tenant_id = owner_id and sessions.id = given.session_id) as id offset 0
    ) as home
    cross join lateral (
      select (
        select namespaces.id from public.namespaces
        where namespaces.tenant_id = owner_id and namespaces.name = given.namespace) as id offset 0
    ) as named);
end $$;

-- Opens the sessions of the items that are not there yet, and registers the namespaces. In the order of the ids, so that two
-- requests over the same sessions never wait for each other in a circle. A session that another request is just opening
-- is waited for, and keeps the namespace in which that request opens it.
create function internal.open_sessions(owner_id uuid, items jsonb) returns void
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  new_sessions text[];
  namespaces_of_sessions text[];
begin
  select array_agg(wanted.id order by wanted.id), array_agg(wanted.namespace order by wanted.id)
  into new_sessions, namespaces_of_sessions
  from (
    select item.session_id as id, coalesce(
      (array_agg(item.namespace order by item.index) filter (where item.namespace is not null))[1], 'default') as namespace
    from jsonb_to_recordset(open_sessions.items) as item (index integer, session_id text, namespace text, refusal jsonb)
    where item.refusal is null and item.session_id is not null
    group by item.session_id
  ) as wanted
  where ( -- looked up one by one: a join might read all sessions of the tenant
    select known.id from public.sessions as known where known.tenant_id = owner_id and known.id = wanted.id) is null;
  perform internal.register_namespaces(owner_id, namespaces_of_sessions || array(
    select distinct item.namespace from jsonb_to_recordset(open_sessions.items) as item (namespace text, refusal jsonb)
    where item.refusal is null and item.namespace is not null));
  insert into public.sessions (tenant_id, id, namespace_id)
  select owner_id, wanted.id, internal.namespace_id(owner_id, wanted.namespace)
  from unnest(new_sessions, namespaces_of_sessions) as wanted (id, namespace)
  order by wanted.id
  on conflict on constraint session_id_is_unique_within_its_tenant do nothing;
end $$;

-- The items, and among them refused (forbidden) what the token may not store. Sessions that are not there yet are opened: another
-- request may be opening them elsewhere at this moment, and then its namespace decides.
create function internal.permitted(admission jsonb, items jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(permitted.admission);
  checked jsonb;
begin
  if usable is null then return items; end if;
  checked := internal.with_refusals(owner_id, usable, items);
  perform internal.places_of(owner_id, checked);
  return internal.with_refusals(owner_id, usable, checked);
end $$;

-- The items, refused where they are given a namespace that is not among the usable ones, belong to a session in one, or name a
-- trace that has steps in one. A session that is not there yet counts as where it would be opened.
create function internal.with_refusals(owner_id uuid, usable text[], items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select jsonb_agg(case when refused.refusal is null then item.value
      else item.value || jsonb_build_object('refusal', refused.refusal -> 'error') end order by item.number)
    from jsonb_array_elements(with_refusals.items) with ordinality as item (value, number)
    cross join lateral (
      select case
        when item.value ? 'refusal' then null
        when item.value ->> 'namespace' <> all (usable) then internal.namespace_refusal(item.value ->> 'namespace')
        when item.value ? 'session_id'
          and internal.namespace_of_session(owner_id, usable, with_refusals.items, item.value ->> 'session_id') <> all (usable) then
          internal.refusal('forbidden', 'This tracer token may not use the namespace of this session. '
            || 'A session that is new and names none is opened in "default".')
        when item.value ? 'trace_id' and exists (
          select from public.steps
          where steps.tree_key = internal.tree_key(owner_id, 'claimed', item.value ->> 'trace_id')
            and steps.tenant_id = owner_id
            and (select namespaces.name from public.namespaces where namespaces.id = steps.namespace_id) <> all (usable)) then
          internal.refusal('forbidden', 'trace_id: this trace is in a namespace that this tracer token may not use.')
      end as refusal
    ) as refused);
end $$;

-- The namespace of a session; of one that is not there, where the items would open it, as far as the token may use theirs.
create function internal.namespace_of_session(owner_id uuid, usable text[], items jsonb, session_id text) returns text
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(
    (select (select namespaces.name from public.namespaces where namespaces.id = sessions.namespace_id)
     from public.sessions where sessions.tenant_id = owner_id and sessions.id = namespace_of_session.session_id),
    (select item.namespace
     from jsonb_to_recordset(namespace_of_session.items) as item (index integer, session_id text, namespace text, refusal jsonb)
     where item.refusal is null and item.session_id = namespace_of_session.session_id and item.namespace = any (usable)
     order by item.index limit 1),
    'default');
end $$;
