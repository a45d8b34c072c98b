-- Where the items of a request belong: their namespaces and sessions.

-- Items that give the same session and the same namespace ('' for none) belong to the same place.
create type internal.place as (
  session_id text,
  given_namespace text,
  session_namespace text, -- in which the session is, or is to be opened; null without a session
  is_new boolean, -- whether the session or the namespace is not there yet
  namespace text,
  namespace_id bigint,
  refusal jsonb); -- why the token may store nothing here; null where it may

-- The places of the items that are not refused already: an item's own namespace, else that of its session. What is not there
-- yet is opened: sessions in the first namespace that an item gives for them, else in `default`. What the token may not use
-- is refused, and opens nothing.
create function internal.places_of(admission jsonb, items jsonb) returns internal.place[]
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(places_of.admission);
  places internal.place[] := internal.known_places(owner_id, usable, places_of.items);
begin
  if not exists (select from unnest(places) as place where place.is_new and place.refusal is null) then
    return places;
  end if;
  perform internal.register_namespaces(owner_id, array(
    select name from unnest(places) as place, unnest(array[place.namespace, place.session_namespace]) as name
    where place.refusal is null and name is not null));
  -- In the order of the ids, so that two requests over the same sessions never wait for each other in a circle. A session
  -- that another request is just opening is waited for, and keeps the namespace in which that request opens it.
  insert into public.sessions (tenant_id, id, namespace_id)
  select distinct on (place.session_id) owner_id, place.session_id, internal.namespace_id(owner_id, place.session_namespace)
  from unnest(places) as place
  where place.is_new and place.refusal is null and place.session_id <> ''
  order by place.session_id
  on conflict on constraint session_id_is_unique_within_its_tenant do nothing;
  return internal.known_places(owner_id, usable, places_of.items);
end $$;

-- The places as they are now. `usable`: the namespaces that the token may use, null for all.
create function internal.known_places(owner_id uuid, usable text[], items jsonb) returns internal.place[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  return array(
    select (
      place.session_id, place.given_namespace, place.session_namespace,
      place.namespace_id is null or place.is_new_session, place.namespace, place.namespace_id,
      case
        when usable is null then null
        when place.given_namespace <> all (usable) and place.given_namespace <> ''
          then internal.namespace_refusal(place.given_namespace)
        when place.session_namespace <> all (usable) then
          internal.refusal('forbidden', 'This tracer token may not use the namespace of this session. '
            || 'A session that is new and names none is opened in "default".')
      end)::internal.place
    from (
      select given.session_id, given.namespace as given_namespace, session.namespace as session_namespace,
             session.is_new as is_new_session, named.name as namespace, (
               select namespaces.id from public.namespaces
               where namespaces.tenant_id = known_places.owner_id and namespaces.name = named.name) as namespace_id
      from (
        select coalesce(item.session_id, '') as session_id, coalesce(item.namespace, '') as namespace,
               -- what opens a session that is not there: '' sorts last, and so does what the token may not use
               first_value(nullif(item.namespace, '')) over (
                 partition by coalesce(item.session_id, '')
                 order by coalesce(item.namespace, '') = '' or item.namespace <> all (usable), item.index) as first_namespace,
               row_number() over (
                 partition by coalesce(item.session_id, ''), coalesce(item.namespace, '') order by item.index) as repetition
        from jsonb_to_recordset(known_places.items) as item (index integer, session_id text, namespace text, refusal jsonb)
        where item.refusal is null
      ) as given
      cross join lateral (
        select (
          select (select namespaces.name from public.namespaces where namespaces.id = sessions.namespace_id)
          from public.sessions
          where sessions.tenant_id = known_places.owner_id and sessions.id = given.session_id) as namespace
      ) as known
      cross join lateral (
        select case when given.session_id <> '' then coalesce(
                 known.namespace,
                 case when usable is null or given.first_namespace = any (usable) then given.first_namespace end,
                 'default') end as namespace,
               given.session_id <> '' and known.namespace is null as is_new
      ) as session
      cross join lateral (
        select coalesce(nullif(given.namespace, ''), session.namespace) as name
      ) as named
      where given.repetition = 1
    ) as place);
end $$;
