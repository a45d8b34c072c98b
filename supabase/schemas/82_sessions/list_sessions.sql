-- GET /sessions. payload.query: {namespace?, status?: ok | error, agent?, model?, user_id?, text?, start_date?, end_date?, limit,
-- after?}, the dates being those of the last activity. payload.known: see unless_known. data: {rows: [session_views], count,
-- count_is_at_least?, next}, the latest activity first.
create function public.list_sessions(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := internal.with_counted_names(list_sessions.payload -> 'query');
  admission jsonb := public.admit(list_sessions.payload);
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  return internal.unless_known(
    admission,
    internal.page_of_sessions(
      (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace'), query),
    list_sessions.payload);
end $$;

-- A page of sessions. The first one says how many match in all: where there are filters, up to 500 are counted. The others
-- carry that on.
create function internal.page_of_sessions(owner_id uuid, namespace_ids bigint[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  counted constant integer := 500;
  wanted integer := (query ->> 'limit')::integer;
  is_filtered boolean := query ?| '{status, agent, model, user_id, text, start_date, end_date}';
  found_sessions internal.found_session[] := internal.find_sessions(
    owner_id, namespace_ids, query,
    case when is_filtered and not query ? 'after' then greatest(wanted, counted) else wanted end + 1);
  total bigint := coalesce((query #>> '{after,count}')::bigint, case
    when is_filtered then least(cardinality(found_sessions), counted)
    else internal.count_sessions(owner_id, namespace_ids) end);
  is_at_least boolean := coalesce(
    (query #>> '{after,is_at_least}')::boolean, is_filtered and cardinality(found_sessions) > counted);
  last internal.found_session := case when cardinality(found_sessions) > wanted then found_sessions[wanted] end;
begin
  return jsonb_build_object(
    'rows', internal.session_views(owner_id, array(
      select (session.session_id, array[session.namespace_id])::internal.listed_session
      from unnest(found_sessions[1 : wanted]) with ordinality as session (session_id, namespace_id, last_activity_at, place)
      order by session.place)),
    'count', total,
    'next', case when last.session_id is not null then jsonb_build_object(
      'occurred_at', internal.timestamp_text(last.last_activity_at), 'id', last.session_id, 'namespace_id', last.namespace_id,
      'count', total, 'is_at_least', is_at_least) end
    ) || case when is_at_least then '{"count_is_at_least": true}' else '{}'::jsonb end;
end $$;

create type internal.found_session as (session_id text, namespace_id bigint, last_activity_at timestamptz);

-- The sessions that match, so many at most. Where few have the agent, model or user, those are looked at and no others; where many
-- do, they are met soon. Planned anew for the filters that a call really has.
create function internal.find_sessions(owner_id uuid, namespace_ids bigint[], query jsonb, wanted integer)
returns internal.found_session[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
declare
  kept jsonb := internal.kept(owner_id);
  few text[] := internal.few_sessions(owner_id, namespace_ids, query); -- null: all may match
begin
  return array(
    select (summary.session_id, summary.namespace_id, summary.last_activity_at)::internal.found_session
    from public.session_summaries as summary
    where summary.tenant_id = owner_id and summary.namespace_id = any (namespace_ids)
      and (cardinality(namespace_ids) <> 1 or summary.namespace_id = namespace_ids[1])
      and (few is null or summary.session_id = any (few))
      and (query ->> 'status' is distinct from 'error' or summary.error_count > 0)
      and (query ->> 'status' is distinct from 'ok' or summary.error_count = 0)
      and (query ->> 'start_date' is null or summary.last_activity_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or summary.last_activity_at <= (query ->> 'end_date')::timestamptz)
      -- Each by an index for one session after the other: `exists` might read the usage of all of them.
      and (query ->> 'agent' is null or (
        select true from public.usage
        where usage.tenant_id = owner_id and usage.grain = 'session' and usage.agent = query ->> 'agent'
          and usage.session_id = summary.session_id and usage.namespace_id = summary.namespace_id limit 1))
      and (query ->> 'model' is null or (
        select true from public.usage
        where usage.tenant_id = owner_id and usage.grain = 'session' and usage.model = query ->> 'model'
          and usage.session_id = summary.session_id and usage.namespace_id = summary.namespace_id limit 1))
      and (query ->> 'user_id' is null or (
        select true from public.usage
        where usage.tenant_id = owner_id and usage.grain = 'session' and usage.user_id = query ->> 'user_id'
          and usage.session_id = summary.session_id and usage.namespace_id = summary.namespace_id limit 1) or (
        select sessions.user_id = query ->> 'user_id' from public.sessions
        where sessions.tenant_id = owner_id and sessions.id = summary.session_id
          and sessions.namespace_id = summary.namespace_id))
      and (query -> 'after' is null or (summary.last_activity_at, summary.session_id, summary.namespace_id) < (
        (query #>> '{after,occurred_at}')::timestamptz, query #>> '{after,id}', (query #>> '{after,namespace_id}')::bigint))
      -- As internal.is_kept_session has it. Where much is due, many are looked at.
      and (kept is null or not kept -> 'first_ids' ? summary.namespace_id::text
        or summary.last_step_id >= (kept -> 'first_ids' ->> summary.namespace_id::text)::uuid or (
          select sessions.last_activity_at from public.sessions
          where sessions.tenant_id = owner_id and sessions.id = summary.session_id
            and sessions.namespace_id = summary.namespace_id
        ) >= (kept -> 'since' ->> summary.namespace_id::text)::timestamptz)
    order by summary.last_activity_at desc, summary.session_id desc, summary.namespace_id desc
    limit find_sessions.wanted);
end $$;

-- Sessions of which all must be that match: those that say the text, and where one of the other filters has 500 at most,
-- these. Null: not known to be few.
create function internal.few_sessions(owner_id uuid, namespace_ids bigint[], query jsonb) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashagg = off as $$
declare
  most constant integer := 500;
  few text[];
  found_ids text[];
begin
  if query ? 'text' then
    few := internal.sessions_that_say(owner_id, namespace_ids, query ->> 'text',
      (query ->> 'start_date')::timestamptz, (query ->> 'end_date')::timestamptz);
  end if;
  if query ? 'agent' then
    found_ids := array(
      select distinct usage.session_id from public.usage
      where usage.tenant_id = owner_id and usage.grain = 'session' and usage.agent = query ->> 'agent'
        and usage.session_id is not null and usage.namespace_id = any (namespace_ids)
      limit most + 1);
    if cardinality(found_ids) <= most then few := internal.in_both(few, found_ids); end if;
  end if;
  if query ? 'model' then
    found_ids := array(
      select distinct usage.session_id from public.usage
      where usage.tenant_id = owner_id and usage.grain = 'session' and usage.model = query ->> 'model'
        and usage.session_id is not null and usage.namespace_id = any (namespace_ids)
      limit most + 1);
    if cardinality(found_ids) <= most then few := internal.in_both(few, found_ids); end if;
  end if;
  if query ? 'user_id' then
    found_ids := array(
      (select distinct usage.session_id from public.usage
       where usage.tenant_id = owner_id and usage.grain = 'session' and usage.user_id = query ->> 'user_id'
         and usage.session_id is not null and usage.namespace_id = any (namespace_ids)
       limit most + 1)
      union
      (select sessions.id from public.sessions
       where sessions.tenant_id = owner_id and sessions.namespace_id = any (namespace_ids)
         and sessions.user_id = query ->> 'user_id'
       limit most + 1));
    if cardinality(found_ids) <= most then few := internal.in_both(few, found_ids); end if;
  end if;
  return few;
end $$;

-- What is in both lists; null stands for everything.
create function internal.in_both(one text[], other text[]) returns text[]
language plpgsql immutable set search_path = '' as $$
begin
  if one is null or other is null then return coalesce(one, other); end if;
  return array(select unnest(one) intersect select unnest(other));
end $$;

-- How many sessions there are in these namespaces. A figure: with those that are kept no longer, until they are deleted.
create function internal.count_sessions(owner_id uuid, namespace_ids bigint[]) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select coalesce(sum(counts.count), 0) from public.counts
    where counts.tenant_id = owner_id and counts.list = 'sessions' and counts.namespace_id = any (namespace_ids)
  ) + (
    select count(*) from public.session_summaries as summary
    where summary.tenant_id = owner_id and summary.namespace_id = any (namespace_ids) and summary.step_count = 0);
end $$;
