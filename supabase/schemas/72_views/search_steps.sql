-- POST /steps/query. payload.query: {namespace?, text?, kind?, status?: ok | error | not_told, agent?, model?, tool_name?, user_id?,
-- session_id?, trace_id?, min_duration_ms?, start_date?, end_date?, limit, after?}, `kind` being that of the skeletons. Without a
-- start_date, the seven days before end_date or now. data: {steps: [skeleton and {session_id, namespace, match?}], next,
-- searched_until?}, newest first. `match`: see match_in_step. Where it gave up looking before the page was full, `searched_until`
-- is when the last step that it looked at happened: the page may be empty though there is a next one.
create function public.search_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := search_steps.payload -> 'query';
  admission jsonb := public.admit(search_steps.payload);
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', internal.page_of_search(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission),
    internal.namespaces_in_sight(admission, query ->> 'namespace'), query));
end $$;

-- A page of the steps that a search finds: {steps, next, searched_until}. `next` has the beginning of the time that is searched,
-- so that all pages search the same time. Stable, so that steps and skeletons are of one moment.
create function internal.page_of_search(owner_id uuid, usable text[], namespace_ids bigint[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  begins timestamptz := coalesce(
    query #>> '{after,begins}', query ->> 'start_date',
    (coalesce((query ->> 'end_date')::timestamptz, now()) - interval '7 days')::text);
  kept jsonb := internal.kept(owner_id);
  found_steps record := internal.found_steps(owner_id, page_of_search.namespace_ids, query, begins, kept);
begin
  return jsonb_build_object(
    'steps', to_jsonb(array(
      select skeleton.value || told.value
      from jsonb_array_elements(internal.skeletons(owner_id, usable, kept, found_steps.ids))
        with ordinality as skeleton (value, place)
      join unnest(found_steps.told) with ordinality as told (value, place) using (place)
      order by place)),
    'next', case when not found_steps.is_whole then jsonb_build_object(
      'occurred_at', internal.timestamp_text(found_steps.last_time), 'id', found_steps.last_id,
      'begins', internal.timestamp_text(begins)) end,
    'searched_until', case when not found_steps.is_whole and cardinality(found_steps.ids) < (query ->> 'limit')::integer then
      internal.timestamp_text(found_steps.last_time) end);
end $$;

-- The sessions of the steps that say a text, among the newest of these namespaces in that time (both ends included), as many as a
-- search looks at. `ends` null: open; `begins` null: the seven days before. Only what is folded.
create function internal.sessions_that_say(
  owner_id uuid, namespace_ids bigint[], said text, begins timestamptz, ends timestamptz) returns text[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  found_steps record := internal.found_steps(
    owner_id, sessions_that_say.namespace_ids,
    jsonb_strip_nulls(jsonb_build_object('text', said, 'end_date', ends, 'limit', internal.most_candidates())),
    coalesce(sessions_that_say.begins, coalesce(least(ends, now()), now()) - interval '7 days'), internal.kept(owner_id));
begin
  return array(
    select distinct told.value ->> 'session_id' from unnest(found_steps.told) as told (value)
    where told.value ->> 'session_id' is not null);
end $$;

-- How many steps a search looks at before it gives up, and through how much content: a request ends in time, whatever it asks for.
-- Measured: 10,000 steps of 1.4 KB take 0.2 to 0.4 s.
create function internal.most_candidates() returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return 10000;
end $$;

create function internal.most_bytes_to_search() returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return 16 * 1024 * 1024;
end $$;

-- The steps of these namespaces since `begins` that a query finds, newest first, up to its `limit`: their ids, and of each {session_id,
-- namespace, match?}; the last step that was looked at; and whether that was all that there is. Without jit: to the planner,
-- thousands of look-ups by id are worth compiling, which takes longer than they do.
create function internal.found_steps(
  owner_id uuid, namespace_ids bigint[], query jsonb, begins timestamptz, kept jsonb,
  out ids uuid[], out told jsonb[], out last_time timestamptz, out last_id uuid, out is_whole boolean)
language plpgsql stable set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  most integer := query ->> 'limit';
  needle text := lower((query ->> 'text') collate "pg_c_utf8");
  needle_in_json text := substr(to_jsonb(needle)::text, 2, length(to_jsonb(needle)::text) - 2);
  unfolded uuid[] := internal.unfolded_steps(owner_id);
  looked integer := 0;
  bytes bigint := 0;
  gives_up_at timestamptz := clock_timestamp() + interval '3 seconds'; -- on a cold disk, whatever it has looked at
  wanted integer := 300; -- many a search has its page then
  candidates uuid[];
  step record;
  match jsonb;
begin
  ids := '{}';
  told := '{}';
  last_time := coalesce(query #>> '{after,occurred_at}', query ->> 'end_date', 'infinity');
  last_id := coalesce(query #>> '{after,id}', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  loop
    candidates := internal.candidates(owner_id, found_steps.namespace_ids, kept, query, begins, last_time, last_id, wanted);
    is_whole := cardinality(candidates) < wanted;
    for step in select * from internal.looked_at(candidates, query, unfolded, kept) loop
      if cardinality(ids) = most or bytes >= internal.most_bytes_to_search()
        or looked > 0 and clock_timestamp() > gives_up_at then
        is_whole := false;
        return;
      end if;
      looked := looked + 1;
      last_time := step.occurred_at;
      last_id := step.id;
      continue when not step.fits;
      if needle is not null then
        bytes := bytes + step.bytes;
        match := internal.match_in_step(step.id, step.agent, needle, needle_in_json, kept);
        continue when match is null;
      end if;
      ids := array_append(ids, step.id);
      told := array_append(told, jsonb_build_object('session_id', step.session_id, 'namespace', step.namespace)
        || jsonb_strip_nulls(jsonb_build_object('match', match)));
    end loop;
    wanted := least(internal.most_candidates() - looked, 2000);
    exit when is_whole or wanted = 0 or cardinality(ids) = most;
  end loop;
end $$;

-- The newest steps before a position that a query may mean, newest first: by what an index finds, the rest is for looked_at.
create function internal.candidates(
  owner_id uuid, namespace_ids bigint[], kept jsonb, query jsonb, begins timestamptz, before_time timestamptz, before_id uuid,
  wanted integer) returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  lists text[] := case
    when query ->> 'kind' = 'log' then array['logs']
    when query ->> 'kind' = 'agent' then array['spans']
    when query ->> 'kind' = 'span' then array['spans', 'records'] -- a model call that is a wrapper is one, too
    when query ? 'kind' or query ? 'tool_name' then array['records']
    else array['records', 'logs', 'spans']
  end;
  of_agent text := query ->> 'agent';
begin
  if query ? 'trace_id' or query ? 'session_id' then
    return internal.newest_of_trace_or_session(
      owner_id, namespace_ids, query, begins, before_time, before_id, candidates.wanted);
  end if;
  if exists (select from public.placements where placements.tenant_id = owner_id and placements.agent = of_agent) then
    of_agent := null; -- steps have it that do not say so themselves: all are looked at
  end if;
  return internal.newest_of_namespaces(
    owner_id, namespace_ids, kept, lists, of_agent, begins, before_time, before_id, candidates.wanted);
end $$;

-- The newest steps of these namespaces and lists before a position, of one agent if one is given. Each namespace's list has an
-- index in the order of time; what they give is merged. Of many namespaces little is asked at a time: slices of time, each four
-- times as long as the one before, so that not each of them gives as much as is wanted in all.
create function internal.newest_of_namespaces(
  owner_id uuid, namespace_ids bigint[], kept jsonb, lists text[], of_agent text, begins timestamptz, before_time timestamptz,
  before_id uuid, wanted integer) returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan
  set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  slice interval := case when cardinality(namespace_ids) > 10 then '1 minute' end; -- null: all at once
  since timestamptz;
  ids uuid[] := '{}';
begin
  loop
    since := coalesce(greatest(begins, least(before_time, now()) - slice), begins);
    ids := ids || array(
      select step.id
      from unnest(newest_of_namespaces.namespace_ids) as namespace (id)
      cross join lateral (select (kept -> 'first_ids' ->> namespace.id::text)::uuid as first_id offset 0) as known
      cross join unnest(newest_of_namespaces.lists) as list (name)
      cross join lateral (
        select steps.id, steps.occurred_at from public.steps
        where steps.tenant_id = owner_id and steps.namespace_id = namespace.id and steps.list = list.name
          and (of_agent is null or steps.agent = of_agent)
          and (steps.occurred_at, steps.id) < (before_time, before_id) and steps.occurred_at >= since
          and (kept is null or known.first_id is null or steps.id >= known.first_id)
        order by steps.occurred_at desc, steps.id desc
        limit wanted - cardinality(ids)
      ) as step
      order by step.occurred_at desc, step.id desc
      limit wanted - cardinality(ids));
    exit when since = begins or cardinality(ids) >= wanted;
    before_time := since;
    before_id := '00000000-0000-0000-0000-000000000000';
    slice := least(slice * 4, interval '1000 years'); -- from any moment, Postgres can go back as far
  end loop;
  return ids;
end $$;

-- The newest steps of a trace, else of a session, in these namespaces and before a position.
create function internal.newest_of_trace_or_session(
  owner_id uuid, namespace_ids bigint[], query jsonb, begins timestamptz, before_time timestamptz, before_id uuid, wanted integer)
returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  of_trace text := query ->> 'trace_id';
  session text := query ->> 'session_id';
begin
  return array(
    with placed as (
      select placements.step_id from public.placements
      where of_trace is not null and placements.tenant_id = owner_id and placements.trace_id = of_trace
      union all
      select placements.step_id from public.placements
      where of_trace is null and placements.tenant_id = owner_id and placements.session_id = session
    ), step as (
      select own.* from placed
      cross join lateral (
        select steps.id, steps.occurred_at, steps.namespace_id from public.steps where steps.id = placed.step_id offset 0
      ) as own
      where own.namespace_id = any (newest_of_trace_or_session.namespace_ids)
        and (own.occurred_at, own.id) < (before_time, before_id) and own.occurred_at >= begins
      union all
      (select steps.id, steps.occurred_at, steps.namespace_id from public.steps
       where of_trace is null and steps.tenant_id = owner_id and steps.session_id = session
         and steps.namespace_id = any (newest_of_trace_or_session.namespace_ids)
         and (steps.occurred_at, steps.id) < (before_time, before_id) and steps.occurred_at >= begins
       order by steps.occurred_at desc, steps.id desc limit newest_of_trace_or_session.wanted)
    )
    select step.id from step
    order by step.occurred_at desc, step.id desc limit newest_of_trace_or_session.wanted);
end $$;

-- Steps in the order of their ids, without what they say, and whether they fit all filters of a query but its text. Those that are
-- not folded yet do not: they are for the next read; nor those that are kept no longer. What a span does not say itself comes from
-- its placement, as in step_view.
create function internal.looked_at(ids uuid[], query jsonb, unfolded uuid[], kept jsonb)
returns table (
  id uuid, occurred_at timestamptz, bytes integer, session_id text, namespace text, agent text, fits boolean)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
begin
  return query
  select step.id, step.occurred_at, step.bytes, coalesce(step.session_id, placed.session_id),
         (select namespaces.name from public.namespaces where namespaces.id = step.namespace_id),
         coalesce(placed.agent, step.agent),
         (unfolded = '{}' or step.id <> all (unfolded))
         and (kept is null or internal.is_kept(kept, step.namespace_id, step.id))
         and (query ->> 'kind' is null
           or case when placed.is_wrapper then 'span' else step.kind end = query ->> 'kind')
         and (query ->> 'status' is null or coalesce(step.status, 'not_told') = query ->> 'status')
         and (query ->> 'model' is null or coalesce(step.model = query ->> 'model', false))
         and (query ->> 'tool_name' is null or step.kind = 'tool' and coalesce(step.name = query ->> 'tool_name', false))
         and (query ->> 'min_duration_ms' is null
           or coalesce(step.latency_ms >= (query ->> 'min_duration_ms')::bigint, false))
         and (query ->> 'agent' is null or coalesce(coalesce(placed.agent, step.agent) = query ->> 'agent', false))
         and (query ->> 'session_id' is null
           or coalesce(coalesce(step.session_id, placed.session_id) = query ->> 'session_id', false))
         and (query ->> 'user_id' is null or coalesce(query ->> 'user_id' = coalesce(step.user_id, placed.user_id), false))
  from unnest(looked_at.ids) with ordinality as wanted (id, place)
  cross join lateral (
    select steps.id, steps.occurred_at, steps.bytes, steps.session_id, steps.namespace_id, steps.agent, steps.kind, steps.status,
           steps.model, steps.name, steps.latency_ms, steps.user_id
    from public.steps where steps.id = wanted.id offset 0
  ) as step
  left join lateral (
    select placements.session_id, placements.agent, placements.user_id, placements.is_wrapper
    from public.placements where placements.step_id = wanted.id offset 0
  ) as placed on true
  order by wanted.place;
end $$;
