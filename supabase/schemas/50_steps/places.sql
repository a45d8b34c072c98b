-- Where the items of a request belong: their namespaces and sessions.

-- Items that give the same session and the same namespace ('' for none) belong to the same place. Without a namespace_id, the
-- session or the namespace is not there yet.
create type internal.place as (session_id text, given_namespace text, namespace_id bigint, namespace text);

-- The places of the items: an item's own namespace, else that of its session. What is not there yet is opened: sessions in the
-- first namespace that an item gives for them, else in `default`.
create function internal.places_of(owner_id uuid, items jsonb) returns internal.place[]
language plpgsql set search_path = '' as $$
declare
  places internal.place[] := internal.known_places(owner_id, items);
begin
  if not exists (select from unnest(places) as place where place.namespace_id is null) then return places; end if;
  perform internal.open_places(owner_id, places);
  return internal.known_places(owner_id, items);
end $$;

-- The places as they are now, in the order in which the items first give them. By scalar subqueries: a plan that was made while
-- the tables were small would join by reading them.
create function internal.known_places(owner_id uuid, items jsonb) returns internal.place[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return array(
    select (
      given.session_id, given.namespace,
      case when given.session_id = '' or home.id is not null then coalesce(named.id, case given.namespace when '' then home.id end) end,
      case given.namespace
        when '' then (select namespaces.name from public.namespaces where namespaces.id = home.id)
        else given.namespace
      end
    )::internal.place
    from (
      select coalesce(item.session_id, '') as session_id, coalesce(item.namespace, '') as namespace
      from jsonb_to_recordset(known_places.items) as item (index integer, session_id text, namespace text)
      group by item.session_id, item.namespace
      order by min(item.index)
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

-- Opens the sessions that are not there yet, and registers the namespaces. In the order of the ids, so that two requests over
-- the same sessions never wait for each other in a circle. A session that another request is just opening is waited for, and
-- keeps the namespace in which that request opens it.
create function internal.open_places(owner_id uuid, places internal.place[]) returns void
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  new_sessions text[];
  namespaces_of_sessions text[];
begin
  select array_agg(wanted.id order by wanted.id), array_agg(wanted.namespace order by wanted.id)
  into new_sessions, namespaces_of_sessions
  from (
    select place.session_id as id, coalesce(
      (array_agg(place.given_namespace order by place.number) filter (where place.given_namespace <> ''))[1],
      'default') as namespace
    from unnest(open_places.places) with ordinality as place (session_id, given_namespace, namespace_id, namespace, number)
    where place.session_id <> ''
    group by place.session_id
  ) as wanted
  where ( -- looked up one by one: a join might read all sessions of the tenant
    select known.id from public.sessions as known where known.tenant_id = owner_id and known.id = wanted.id) is null;
  perform internal.register_namespaces(owner_id, namespaces_of_sessions || array(
    select distinct place.given_namespace from unnest(open_places.places) as place where place.given_namespace <> ''));
  insert into public.sessions (tenant_id, id, namespace_id)
  select owner_id, wanted.id, internal.namespace_id(owner_id, wanted.namespace)
  from unnest(new_sessions, namespaces_of_sessions) as wanted (id, namespace)
  order by wanted.id
  on conflict on constraint session_id_is_unique_within_its_tenant do nothing;
end $$;

-- Spans that say neither a namespace nor a session are put where the first span of their tree that was stored is, else in
-- `default`: the agents of OpenAI name their run once, before its spans, and often in another request.
create function internal.in_namespaces_of_trees(owner_id uuid, items jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  if not jsonb_path_exists(in_namespaces_of_trees.items, '$[*] ? (!exists(@.namespace) && !exists(@.session_id))') then
    return items;
  end if;
  return to_jsonb(array(
    select case when item.value ?| array['namespace', 'session_id'] then item.value
      else item.value || jsonb_build_object('namespace', coalesce((
        select (select namespaces.name from public.namespaces where namespaces.id = steps.namespace_id)
        from public.steps
        where steps.tree_key = internal.tree_key(owner_id, 'otel', item.value ->> 'otel_trace_id')
        order by steps.id limit 1), 'default'))
      end
    from jsonb_array_elements(in_namespaces_of_trees.items) with ordinality as item (value, number)
    order by item.number));
end $$;
