-- Made from supabase/schemas/, which says what is true now, by `npm run db:migration`.

-- A function may call one that is made after it.
set check_function_bodies = off;

select internal.begin_migration();

drop function internal.candidates(uuid, bigint[], jsonb, timestamp with time zone, timestamp
  with time zone, uuid, integer);

drop function internal.first_words(uuid);

drop function internal.found_steps(uuid, bigint[], jsonb, timestamp with time zone);

drop function internal.is_seen_trace(uuid, text[], text);

drop function internal.linked_traces(uuid, text[], text[]);

drop function internal.looked_at(uuid[], jsonb, uuid[]);

drop function internal.match_in_step(uuid, text, text, text);

drop function internal.messages_of_call(public.steps);

drop function internal.newest_of_namespaces(uuid, bigint[], text[], text, timestamp with time zone, timestamp
  with time zone, uuid, integer);

drop function internal.reached_traces(uuid, text[], text, boolean);

drop function internal.root_of(uuid, text[], text);

drop function internal.score_view(public.scores);

drop function internal.scores_of_session(uuid, bigint[], text);

drop function internal.scores_of_trace(uuid, text[], text);

drop function internal.seen_steps(uuid, text[], uuid[]);

drop function internal.seen_trace(uuid, text[], text);

drop function internal.skeleton_page(uuid, text[], text[], uuid[], bigint, bigint, bigint, integer);

drop function internal.skeletons(uuid, text[], uuid[]);

drop function internal.step_view(public.steps, text);

drop function internal.told_by_child(uuid, text, bigint, timestamp with time zone);

drop function internal.traces_below(uuid, text[], text);

drop function internal.traces_with_those_above(uuid, text[], text[]);

drop function internal.whole_steps(uuid[], integer);

drop function internal.without_due(jsonb);

alter table public.session_summaries
  add column last_step_id uuid;

alter table public.traces
  add column last_step_id uuid;

-- Of what is there already.
update public.traces set last_step_id = coalesce((
  select max(placements.step_id::text)::uuid from public.placements
  where placements.tenant_id = traces.tenant_id and placements.trace_id = traces.trace_id
), (
  select max(steps.id::text)::uuid from public.steps where steps.tree_key = traces.tree_key
), (
  select max(steps.id::text)::uuid from public.steps
  where steps.tenant_id = traces.tenant_id and steps.parent_trace_id = traces.trace_id
), '00000000-0000-0000-0000-000000000000');

update public.session_summaries set last_step_id = (
  select max(own.id::text)::uuid from internal.steps_of_session(
    session_summaries.tenant_id, session_summaries.session_id, array[session_summaries.namespace_id]) as own (id));

alter table public.traces
  alter column last_step_id set not null;

alter type internal.told_trace add attribute last_step_id uuid cascade;

alter type internal.tree add attribute last_step_id uuid cascade;

-- admit, for a request that changes it: refuses forbidden for a token that is bound to namespaces. `what`: as in `the model prices`.
create or replace function internal.admit_to_change(payload jsonb, what text) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(admit_to_change.payload);
begin
  if not admission ? 'error' and exists (
    select from public.tracer_tokens
    where tracer_tokens.id = (admission ->> 'token_id')::uuid and tracer_tokens.namespaces is not null) then
    return admission || internal.refusal('forbidden', format(
      'This tracer token is bound to namespaces: it may read %s, but not change what holds for all of them.', what));
  end if;
  return admission;
end $$;

-- The admission; with status 409, and the version that there is, where the client expects another. By a caller who holds the lock
-- of what is changed: of two that expect the same version, the second finds the first.
create or replace function internal.at_version(admission jsonb, what text, version integer, expected_version text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  version := coalesce(version, 0);
  if coalesce(at_version.expected_version::integer, version) = version then return admission; end if;
  return admission || jsonb_build_object('error', jsonb_build_object(
    'code', 'bad_request', 'status', 409, 'version', version,
    'message', format('By now, version %s of %s holds, and not the expected_version %s. Read them and try again.',
                      version, what, at_version.expected_version)));
end $$;

-- The newest steps before a position that a query may mean, newest first: by what an index finds, the rest is for looked_at.
create or replace function internal.candidates(
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

-- Derives what the requests and the rebuilds ask for. Stable: it sees the steps as the statement does that takes them.
create or replace function internal.derive_changes(owner_id uuid, requests public.changes[], rebuilds public.rebuilds[])
returns internal.derivation
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  changes internal.change[] := internal.changes_of(owner_id, requests) || internal.changes_of_rebuilds(rebuilds);
  result internal.derivation;
  settled uuid[] := internal.settled_trees(changes);
  trees internal.tree[];
  appended internal.appended_step[];
begin
  result.changes := changes;
  result.remade := array(
    select distinct change.tree_key from unnest(changes) as change
    where change.tree_key not in (select unnest(settled)) and (change.tree_kind <> 'claimed' or change.is_rebuild));
  trees := array(
    select internal.derive_tree(change) from (
      select distinct on (change.tree_key) change
      from unnest(changes) as change
      where change.tree_kind <> 'claimed' and change.tree_key not in (select unnest(settled))
      order by change.tree_key
    ) as changed);
  appended := internal.appended_steps(changes, settled, result.remade);

  result.placed := array(
    select (
      step.id, step.happened_at, trace.id, step.session_id, step.user_id, step.agent, coalesce(step.is_wrapper, false),
      step.input_tokens, step.output_tokens, step.cached_input_tokens, step.reasoning_tokens,
      step.to_trace_id)::internal.placed_step
    from unnest(trees) as tree
    cross join lateral unnest(
      tree.step_ids, tree.step_times, tree.step_traces, tree.step_sessions, tree.step_users, tree.step_agents,
      tree.step_wrappers, tree.step_input_tokens, tree.step_output_tokens, tree.step_cached_input_tokens,
      tree.step_reasoning_tokens, tree.step_to_traces
    ) as step (id, happened_at, trace, session_id, user_id, agent, is_wrapper, input_tokens, output_tokens, cached_input_tokens,
      reasoning_tokens, to_trace_id)
    join lateral unnest(tree.trace_ids) with ordinality as trace (id, place) on trace.place = step.trace
    union all
    select (step.step_id, step.happened_at, step.trace_id, null, null, null, false, null, null, null, null,
      null)::internal.placed_step
    from unnest(appended) as step);
  result.told := array(
    select (
      trace.id, 0, tree.tree_key, trace.namespace_id, trace.session_id, trace.agent, trace.opened_at, parent.id,
      trace.is_latest, null, null, tree.last_step_id)::internal.told_trace
    from unnest(trees) as tree
    cross join lateral unnest(
      tree.trace_ids, tree.agents, tree.namespace_ids, tree.session_ids, tree.parents, tree.opened_at, tree.latest_of_agents
    ) with ordinality as trace (id, agent, namespace_id, session_id, parent, opened_at, is_latest, place)
    left join lateral unnest(tree.trace_ids) with ordinality as parent (id, place) on parent.place = trace.parent
    union all
    select internal.told_by_step(step) from unnest(appended) as step where step.is_claimed
    union all
    select internal.told_by_child(owner_id, step.parent_trace_id, step.namespace_id, step.happened_at, step.step_id)
    from unnest(appended) as step where step.is_claimed and step.parent_trace_id is not null
    union all
    select internal.told_by_child(
      owner_id, steps.parent_trace_id, steps.namespace_id, coalesce(steps.started_at, steps.occurred_at), steps.id)
    from unnest(changes) as change
    join public.steps on steps.tenant_id = owner_id and steps.parent_trace_id = change.trace_id
    where change.is_rebuild and change.tree_kind = 'claimed');
  result.trees := array(
    select (tree.tree_key, owner_id, tree.trace_ids[tree.active], tree.last_event_at)::public.trees
    from unnest(trees) as tree where tree.active is not null);
  return result;
end $$;

-- The tree of a change, derived from all of its steps. Those of sessions are in one namespace and session: the change's.
create or replace function internal.derive_tree(change internal.change) returns internal.tree
language plpgsql stable set search_path = '' as $$
declare
  tree internal.tree;
begin
  if change.tree_kind = 'otel' then
    tree := internal.derive_spans(change.tree_key);
  else
    tree := internal.derive_session(change.tree_key);
    tree.namespace_ids := array_fill(change.namespace_id, array[cardinality(tree.trace_ids)]);
    tree.session_ids := array_fill(change.session_id, array[cardinality(tree.trace_ids)]);
    if change.tree_kind <> 'session' then tree.active := null; end if; -- no more steps come to it
  end if;
  tree.tree_key := change.tree_key;
  tree.last_step_id := (select step.id from unnest(tree.step_ids) as step (id) order by step.id desc limit 1);
  return tree;
end $$;

-- The sessions that match, so many at most. Where few have the agent, model or user, those are looked at and no others; where many
-- do, they are met soon. Planned anew for the filters that a call really has.
create or replace function internal.find_sessions(owner_id uuid, namespace_ids bigint[], query jsonb, wanted integer)
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

-- The steps that a query asks for: {list: records | logs, agent?, session_id?, trace_id?, level?, resource_id?, start_date?,
-- end_date?, limit, offset?, after?}, newest first, one more than `limit`; and, where query.counted, how many match in all.
-- Only what is folded: what came since the fold is for the next read. All in one snapshot, so page and count agree.
-- Planned anew for the filters that a call really has, so that each of them finds its index.
create or replace function internal.find_steps(
  tenant_id uuid, namespace_id bigint, query jsonb, out ids uuid[], out total bigint)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  first_id uuid := internal.kept(find_steps.tenant_id) -> 'first_ids' ->> find_steps.namespace_id::text; -- null: all is kept
  unfolded uuid[] := internal.unfolded_steps(find_steps.tenant_id);
  wanted uuid[] := internal.wanted_steps(find_steps.tenant_id, find_steps.query);
  of_agent text := internal.agent_to_look_for(find_steps.tenant_id, find_steps.query);
begin
  ids := array(
    select steps.id from public.steps
    where steps.tenant_id = find_steps.tenant_id
      and steps.namespace_id = find_steps.namespace_id
      and steps.list = query ->> 'list'
      and (query ->> 'agent' is null or of_agent is not null or steps.agent = query ->> 'agent')
      and (of_agent is null or internal.agent_of(steps.id, steps.agent) = of_agent)
      and (query ->> 'session_id' is null or wanted is not null or steps.session_id = query ->> 'session_id')
      and (query ->> 'level' is null or steps.level = query ->> 'level')
      and (query ->> 'resource_id' is null or steps.resource_id = query ->> 'resource_id')
      and (wanted is null or steps.id = any (wanted))
      and (query ->> 'start_date' is null or steps.occurred_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or steps.occurred_at <= (query ->> 'end_date')::timestamptz)
      and (query -> 'after' is null or (steps.occurred_at, steps.id)
        < ((query #>> '{after,occurred_at}')::timestamptz, (query #>> '{after,id}')::uuid))
      and (steps.kind <> 'llm' or steps.span_id is null or not internal.is_wrapper(steps.id))
      and (unfolded = '{}' or steps.id <> all (unfolded))
      and (first_id is null or steps.id >= first_id)
    order by steps.occurred_at desc, steps.id desc
    limit (query ->> 'limit')::integer + 1 offset (query ->> 'offset')::bigint);
  if (query ->> 'counted')::boolean then
    total := internal.count_steps(find_steps.tenant_id, find_steps.namespace_id, find_steps.query, unfolded);
  end if;
end $$;

-- The traces of a page, and how many match in all (a figure: with those that are kept no longer, until they are deleted). Where there
-- is one namespace, that is said by `=`: an index gives rows in order for one value, not for an array of them.
create or replace function internal.find_traces(owner_id uuid, namespace_ids bigint[], query jsonb, out ids text[], out total bigint)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  kept jsonb := internal.kept(owner_id);
begin
  ids := array(
    select traces.trace_id from public.traces
    where traces.tenant_id = owner_id
      and traces.namespace_id = any (namespace_ids)
      and (cardinality(namespace_ids) <> 1 or traces.namespace_id = namespace_ids[1])
      and (query ->> 'agent' is null or traces.agent = query ->> 'agent')
      and (query ->> 'session_id' is null or traces.session_id = query ->> 'session_id')
      and (query ->> 'start_date' is null or traces.created_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or traces.created_at <= (query ->> 'end_date')::timestamptz)
      and (query ->> 'root_only' is distinct from 'true' or traces.parent_trace_id is null
        or kept is not null and not internal.has_kept_parent(kept, traces))
      -- As internal.is_kept_trace has it. Where much is due, many are looked at.
      and (kept is null or coalesce(traces.last_step_id >= (kept ->> 'highest_first_id')::uuid, true)
        or coalesce(traces.last_step_id >= (kept ->> 'lowest_first_id')::uuid, true) and internal.is_kept_trace(kept, traces))
    order by traces.created_at desc, traces.trace_id desc
    limit (query ->> 'limit')::integer offset (query ->> 'offset')::bigint);
  total := internal.count_traces(owner_id, namespace_ids, query);
  if kept is not null then -- of one root that is due, several below it may be roots: who reads on finds them
    total := greatest(total, (query ->> 'offset')::bigint + cardinality(ids)
      + case when cardinality(ids) = (query ->> 'limit')::integer then 1 else 0 end);
  end if;
end $$;

-- The lowest id that a step or a score can have which arrived so many days before a moment. Null: for ever.
create or replace function internal.first_kept(moment timestamptz, days integer) returns uuid
language plpgsql immutable strict set search_path = '' as $$
declare
  milliseconds bigint := greatest(0, extract(epoch from first_kept.moment) * 1000 - first_kept.days::bigint * 86400000);
begin
  return (rpad(lpad(to_hex(milliseconds), 12, '0'), 32, '0'))::uuid;
end $$;

-- How a conversation begins: of a model call what it was asked, of a record what it says.
create or replace function internal.first_words(step_id uuid, kept jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select internal.shown_text(steps.id, steps.error, case
      when steps.kind <> 'llm' or jsonb_typeof(steps.error) = 'string' then steps.preview
      else coalesce(
        internal.step_preview('llm', steps.name, jsonb_build_object('input', steps.content -> 'input')), steps.preview) end)
    from public.steps
    where steps.id = first_words.step_id
      and (kept is null or internal.is_kept_with_content(kept, steps.namespace_id, steps.id)));
end $$;

-- An admission, after its tenant's changes are folded: what is read next has all that was acknowledged. In pieces: where there is
-- more than `patience` worth of it (nobody has read for long, and the schedule does not run), what was folded stays so, and the client
-- is told to come back. Call it in a statement of its own, so that what reads next sees what it has written.
create or replace function internal.folded(admission jsonb, patience interval default '4 seconds') returns jsonb
language plpgsql set search_path = '' as $$
declare
  ends timestamptz := clock_timestamp() + folded.patience;
begin
  if admission ? 'error' then return admission; end if;
  loop
    if internal.fold((admission ->> 'tenant_id')::uuid, 5000) then return admission; end if;
    exit when clock_timestamp() > ends;
  end loop;
  return admission || jsonb_build_object('error', jsonb_build_object('code', 'internal_error', 'status', 503,
    'message', 'Much was stored that is being prepared for reading. Please try again in a moment.'));
end $$;

-- The steps of these namespaces since `begins` that a query finds, newest first, up to its `limit`: their ids, and of each {session_id,
-- namespace, match?}; the last step that was looked at; and whether that was all that there is. Without jit: to the planner,
-- thousands of look-ups by id are worth compiling, which takes longer than they do.
create or replace function internal.found_steps(
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

-- Whether the trace above one is kept. If not, the one below is shown as a root.
create or replace function internal.has_kept_parent(kept jsonb, trace public.traces) returns boolean
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return coalesce((
    select internal.is_kept_trace(kept, above) from public.traces as above
    where above.tenant_id = trace.tenant_id and above.trace_id = trace.parent_trace_id), false);
end $$;

-- Whether a step or a score of a namespace is kept. `kept`: as internal.kept() has it, likewise below.
create or replace function internal.is_kept(kept jsonb, namespace_id bigint, id uuid) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(is_kept.id >= (kept -> 'first_ids' ->> is_kept.namespace_id::text)::uuid, true);
end $$;

-- Whether a score is kept, and the step or the steps that it is about, if they are known.
create or replace function internal.is_kept_score(kept jsonb, score public.scores) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return internal.is_kept(kept, score.namespace_id, score.id)
    and (score.step_id is null or internal.is_kept_step(kept, score.step_id))
    and (score.trace_id is null or coalesce((
      select internal.is_kept_trace(kept, traces) from public.traces
      where traces.tenant_id = score.tenant_id and traces.trace_id = score.trace_id and traces.step_count > 0), true));
end $$;

-- Whether a session has, in a namespace, steps that are kept; or was active itself since.
create or replace function internal.is_kept_session(kept jsonb, owner_id uuid, session_id text, namespace_id bigint) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return not kept -> 'first_ids' ? namespace_id::text or exists (
    select from public.session_summaries as summary
    where summary.tenant_id = owner_id and summary.session_id = is_kept_session.session_id
      and summary.namespace_id = is_kept_session.namespace_id
      and summary.last_step_id >= (kept -> 'first_ids' ->> is_kept_session.namespace_id::text)::uuid
  ) or exists (
    select from public.sessions
    where sessions.tenant_id = owner_id and sessions.id = is_kept_session.session_id
      and sessions.namespace_id = is_kept_session.namespace_id
      and sessions.last_activity_at >= (kept -> 'since' ->> is_kept_session.namespace_id::text)::timestamptz);
end $$;

create or replace function internal.is_kept_step(kept jsonb, id uuid) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return internal.is_kept(kept, (select steps.namespace_id from public.steps where steps.id = is_kept_step.id), is_kept_step.id);
end $$;

-- Whether a trace has steps that are kept; of one without steps, whether the last one is that tells of it. Steps of one trace may be in
-- several namespaces: where these keep things for different times, each step is looked at.
create or replace function internal.is_kept_trace(kept jsonb, trace public.traces) returns boolean
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if coalesce(trace.last_step_id >= (kept ->> 'highest_first_id')::uuid, true) then return true; end if;
  if trace.last_step_id < (kept ->> 'lowest_first_id')::uuid then return false; end if;
  if trace.step_count = 0 then return internal.is_kept_step(kept, trace.last_step_id); end if;
  return exists (
    select from public.placements
    where placements.tenant_id = trace.tenant_id and placements.trace_id = trace.trace_id
      and internal.is_kept_step(kept, placements.step_id));
end $$;

-- Whether a user, by the name that usage knows them by, took part in a session that is kept, or has other steps that are.
create or replace function internal.is_kept_user(kept jsonb, owner_id uuid, namespace_ids bigint[], user_id text) returns boolean
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return exists (
    select from public.usage
    where usage.tenant_id = owner_id and usage.grain = 'session' and usage.user_id = is_kept_user.user_id
      and usage.session_id is not null and usage.namespace_id = any (namespace_ids)
      and internal.is_kept_session(kept, owner_id, usage.session_id, usage.namespace_id)
  ) or exists (
    select from internal.steps_without_session(owner_id, namespace_ids, is_kept_user.user_id) as own (id)
    where internal.is_kept_step(kept, own.id));
end $$;

-- Whether it is kept with what it says.
create or replace function internal.is_kept_with_content(kept jsonb, namespace_id bigint, id uuid) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(id >= (kept -> 'first_ids' ->> namespace_id::text)::uuid, true)
    and coalesce(id >= (kept -> 'first_ids_with_content' ->> namespace_id::text)::uuid, true);
end $$;

-- Whether the token may see the trace, and the trace is kept.
create or replace function internal.is_seen(usable text[], kept jsonb, trace public.traces) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return (usable is null
      or (select namespaces.name from public.namespaces where namespaces.id = trace.namespace_id) = any (usable))
    and (kept is null or internal.is_kept_trace(kept, trace));
end $$;

-- Whether the token may see the trace.
create or replace function internal.is_seen_trace(owner_id uuid, usable text[], kept jsonb, trace_id text) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return exists (select from internal.seen_trace(owner_id, usable, kept, is_seen_trace.trace_id));
end $$;

-- The summaries of sessions to which these steps have come are raised by them. Only under the fold lock of their tenant.
create or replace function internal.join_sessions(members internal.session_member[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if not exists (select from unnest(members) as member where member.session_id is not null) then return; end if;
  insert into public.session_summaries as known
  select summary.* from internal.summaries_of(members) as summary
  order by summary.session_id, summary.namespace_id
  on conflict on constraint session_has_one_summary_in_a_namespace do update set
    step_count = known.step_count + excluded.step_count,
    error_count = known.error_count + excluded.error_count,
    last_activity_at = case when known.step_count = 0 then excluded.last_activity_at
      else greatest(known.last_activity_at, excluded.last_activity_at) end,
    began_at = least(known.began_at, excluded.began_at),
    ended_at = greatest(known.ended_at, excluded.ended_at),
    last_step_id = greatest(known.last_step_id, excluded.last_step_id),
    (first_message_at, first_message_id) = (
      select said.at, said.id from (
        values (known.first_message_at, known.first_message_id), (excluded.first_message_at, excluded.first_message_id)
      ) as said (at, id) order by said.at, said.id limit 1),
    (last_message_at, last_message_id) = (
      select said.at, said.id from (
        values (known.last_message_at, known.last_message_id), (excluded.last_message_at, excluded.last_message_id)
      ) as said (at, id) order by said.at desc nulls last, said.id desc limit 1);
end $$;

-- What a tenant keeps, while something may be there that it does not: {first_ids: {namespace_id: id}, first_ids_with_content: likewise,
-- since: {namespace_id: moment}, lowest_first_id, highest_first_id}: of a namespace that is not in there all is kept, and so there is no
-- lowest. Null: all that is there is kept. Each read asks, so that one row is looked up and no more where the schedule runs.
create or replace function internal.kept(owner_id uuid) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  if not exists (
    select from public.retention_runs
    where retention_runs.tenant_id = owner_id
      and (retention_runs.enforced_on is null or retention_runs.enforced_on < internal.shown_day())) then
    return null;
  end if;
  return (
    select jsonb_strip_nulls(jsonb_build_object(
      'first_ids', jsonb_object_agg(kept.namespace_id, kept.first_id),
      'first_ids_with_content', jsonb_object_agg(kept.namespace_id, kept.first_id_with_content),
      'since', jsonb_object_agg(kept.namespace_id, internal.shown_since() - kept.days * interval '24 hours'),
      'lowest_first_id', case when count(kept.first_id) = (
        select count(*) from public.namespaces where namespaces.tenant_id = owner_id) then min(kept.first_id::text) end,
      'highest_first_id', max(kept.first_id::text)))
    from (
      select known.namespace_id, known.days, internal.first_kept(internal.shown_since(), known.days) as first_id,
             internal.first_kept(internal.shown_since(), known.content_days) as first_id_with_content
      from internal.kept_days(owner_id) as known
    ) as kept having count(*) > 0);
end $$;

-- These lines, but a user of whom nothing is kept is told no longer: what they used is nobody's, and nothing to who asks for them.
create or replace function internal.lines_of_kept_users(
  lines internal.usage_line[], owner_id uuid, namespace_ids bigint[], query jsonb)
returns internal.usage_line[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  kept jsonb := internal.kept(owner_id);
  forgotten text[];
begin
  if kept is null then return lines; end if;
  if query ? 'user_id' and not internal.is_kept_user(kept, owner_id, namespace_ids, query ->> 'user_id') then return '{}'; end if;
  forgotten := array(
    select told.user_id from (select distinct line.user_id from unnest(lines) as line where line.user_id is not null) as told
    where not internal.is_kept_user(kept, owner_id, namespace_ids, told.user_id));
  for place in 1 .. cardinality(lines) loop
    if lines[place].user_id = any (forgotten) then lines[place].user_id := null; end if;
  end loop;
  return lines;
end $$;

-- The scores that were given in that time, each where what it is about stands: a step under its agent, model, tool and user; a trace
-- under its agent; a session under its user. What stands in other namespaces, where a score may have come first, tells nothing.
create or replace function internal.lines_of_scores(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  needs_agent boolean := query -> 'by' ? 'agent' or query ? 'agent';
  needs_user boolean := query -> 'by' ? 'user' or query ? 'user_id';
  kept jsonb := internal.kept(owner_id);
  needs_step boolean := needs_agent or needs_user or query -> 'by' ?| '{model, tool}' or query ?| '{model, tool}';
begin
  return array(
    with stands as ( -- what is not asked for is not looked up
      select case when wanted.unit is not null then date_trunc(wanted.unit, scores.created_at, wanted.zone)
               else wanted.begins end as moment,
             scores.namespace_id, about.figure, scores.name,
             coalesce(scores.number_value::text::numeric, scores.boolean_value::integer) as value,
             case when needs_agent and scores.trace_id is not null then (
               select internal.counted_name(traces.agent) from public.traces
               where traces.tenant_id = owner_id and traces.trace_id = scores.trace_id
                 and traces.namespace_id = any (lines_of_scores.namespace_ids)) end as agent,
             case when needs_user and scores.session_id is not null then (
               select internal.counted_name(sessions.user_id) from public.sessions
               where sessions.tenant_id = owner_id and sessions.id = scores.session_id
                 and sessions.namespace_id = any (lines_of_scores.namespace_ids)) end as user_id
      from public.scores
      left join lateral (
        select internal.figure_of(internal.counted_step(placements.step_id), placements, 0) as figure
        from public.placements
        where needs_step and placements.step_id = scores.step_id and placements.tenant_id = owner_id
        offset 0
      ) as about on (about.figure).namespace_id = any (lines_of_scores.namespace_ids)
      where scores.tenant_id = owner_id and scores.namespace_id = any (lines_of_scores.namespace_ids)
        and scores.created_at >= wanted.begins and scores.created_at < wanted.ends
        and (kept is null or internal.is_kept_score(kept, scores))
    ), added as (
      select stands.moment, stands.namespace_id, coalesce((stands.figure).agent, stands.agent) as agent,
             (stands.figure).model, (stands.figure).tool, coalesce((stands.figure).user_id, stands.user_id) as user_id,
             (stands.name, count(*), sum(stands.value), count(stands.value))::internal.counted_score as score
      from stands group by 1, 2, 3, 4, 5, 6, stands.name
    )
    select internal.line_of_figure(query, wanted, added.moment, placed.figure, added.score)
    from added
    cross join lateral (
      select (owner_id, null, added.namespace_id, null, added.agent, added.model, added.tool, added.user_id, 0, 0, 0, 0, 0, 0, 0,
              0, 0, 0, 0, null)::internal.figure as figure
    ) as placed
    where internal.is_wanted(query, placed.figure));
end $$;

-- Of each of these traces that the token may see, its id, its parent as the token sees it, and its agent.
create or replace function internal.linked_traces(owner_id uuid, usable text[], kept jsonb, trace_ids text[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return to_jsonb(array(
    select jsonb_build_object('id', trace.trace_id, 'agent', trace.agent, 'parent_trace_id', case
      when usable is null and kept is null then trace.parent_trace_id
      when internal.is_seen_trace(owner_id, usable, kept, trace.parent_trace_id) then trace.parent_trace_id
    end)
    from unnest(linked_traces.trace_ids) with ordinality as wanted (id, place)
    cross join lateral (
      select traces.trace_id, traces.agent, traces.parent_trace_id from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = wanted.id
        and (usable is null and kept is null or internal.is_seen(usable, kept, traces))
      offset 0
    ) as trace
    order by wanted.place));
end $$;

-- Steps in the order of their ids, without what they say, and whether they fit all filters of a query but its text. Those that are
-- not folded yet do not: they are for the next read; nor those that are kept no longer. What a span does not say itself comes from
-- its placement, as in step_view.
create or replace function internal.looked_at(ids uuid[], query jsonb, unfolded uuid[], kept jsonb)
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

-- Where a step says a text: {field, before, found, after}, null: nowhere. `field`: the member of its content, or error, name, model
-- or agent; around what was found some characters, with ... where they are cut. `agent`: whose step it is. `needle`: the text in
-- lower case; `needle_in_json`: the same as JSON has it between its quotes. Called for each candidate of a search: first a cheap test
-- of the content's JSON, which may be of a member's name, then an exact look.
create or replace function internal.match_in_step(step_id uuid, agent text, needle text, needle_in_json text, kept jsonb)
returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  step public.steps;
  match jsonb;
begin
  select steps.* into step from public.steps where steps.id = match_in_step.step_id;
  if kept is not null then step := internal.shown_step(step, kept); end if;
  if position(needle_in_json in lower(step.content::text collate "pg_c_utf8")) > 0 then
    match := internal.match_within(step.content - 'messages_of_call', needle); -- which is read back as custom_object
  end if;
  if match is null
    and position(needle in lower(concat_ws(
      ' ', step.error ->> 'message', step.error ->> 'type', step.name, step.model, match_in_step.agent) collate "pg_c_utf8")) > 0 then
    match := internal.match_within(jsonb_build_object(
      'error', array[step.error ->> 'message', step.error ->> 'type'], 'name', step.name, 'model', step.model,
      'agent', match_in_step.agent), needle);
  end if;
  return match;
end $$;

-- What others tell of a model call: log entries within its span, and the span around it if that has the call's input:
-- [[{side: input | output, message}]]. Of one that is encrypted, {id, sealed} in the place of its list.
create or replace function internal.messages_of_call(step public.steps, kept jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return to_jsonb(array(
    select case when entry.content ? 'sealed' then jsonb_build_object('id', entry.id, 'sealed', entry.content -> 'sealed')
      else entry.content -> 'messages_of_call' end
    from public.steps as entry
    where entry.tree_key = step.tree_key and entry.parent_span_id = step.span_id and entry.kind = 'log'
      and entry.content ? 'messages_of_call'
      and (kept is null or internal.is_kept_with_content(kept, entry.namespace_id, entry.id))
    order by entry.occurred_at, entry.id)) || to_jsonb(array(
    select case when around.content ? 'sealed' then jsonb_build_object('id', around.id, 'sealed', around.content -> 'sealed')
      else jsonb_agg(jsonb_build_object('side', 'input', 'message', said.message) order by said.place) end
    from public.steps as around
    cross join lateral jsonb_array_elements(case jsonb_typeof(around.content -> 'input')
      when 'array' then around.content -> 'input' else jsonb_build_array(around.content -> 'input') end)
      with ordinality as said (message, place)
    where around.tenant_id = step.tenant_id and around.otel_trace_id = step.otel_trace_id
      and around.span_id = step.parent_span_id and around.namespace_id = step.namespace_id
      and around.content ? 'has_input_of_call' and around.content ? 'input'
      and (kept is null or internal.is_kept_with_content(kept, around.namespace_id, around.id))
    group by around.id));
end $$;

-- The newest steps of these namespaces and lists before a position, of one agent if one is given. Each namespace's list has an
-- index in the order of time; what they give is merged. Of many namespaces little is asked at a time: slices of time, each four
-- times as long as the one before, so that not each of them gives as much as is wanted in all.
create or replace function internal.newest_of_namespaces(
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

-- A page of the scores that match: {rows, next}. Planned anew for the filters that a call really has. Where there is one namespace,
-- that is said by `=`: an index gives rows in order for one value, not for an array of them.
create or replace function internal.page_of_scores(owner_id uuid, namespace_ids bigint[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  kept jsonb := internal.kept(owner_id);
  source refcursor;
begin
  open source for
    select internal.score_view(scores, kept) as view, scores.created_at as moment, scores.id
    from public.scores
    where scores.tenant_id = owner_id
      and scores.namespace_id = any (namespace_ids)
      and (cardinality(namespace_ids) <> 1 or scores.namespace_id = namespace_ids[1])
      and (query ->> 'trace_id' is null or scores.trace_id = query ->> 'trace_id')
      and (query ->> 'session_id' is null or scores.session_id = query ->> 'session_id')
      and (query ->> 'step_id' is null or scores.step_id = (query ->> 'step_id')::uuid)
      and (query ->> 'name' is null or scores.name = query ->> 'name')
      and (query ->> 'source' is null or scores.source = query ->> 'source')
      and (query ->> 'start_date' is null or scores.created_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or scores.created_at <= (query ->> 'end_date')::timestamptz)
      and (query -> 'after' is null or (scores.created_at, scores.id)
        < ((query #>> '{after,occurred_at}')::timestamptz, (query #>> '{after,id}')::uuid))
      and (kept is null or internal.is_kept_score(kept, scores))
    order by scores.created_at desc, scores.id desc
    limit (query ->> 'limit')::integer + 1;
  return internal.page_of(source, (query ->> 'limit')::integer, 16 * 1024 * 1024);
end $$;

-- A page of the steps that a search finds: {steps, next, searched_until}. `next` has the beginning of the time that is searched,
-- so that all pages search the same time. Stable, so that steps and skeletons are of one moment.
create or replace function internal.page_of_search(owner_id uuid, usable text[], namespace_ids bigint[], query jsonb) returns jsonb
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

-- A page of the steps of a session in these namespaces (null: in all), see page_of_traces; null where the token sees no such session.
create or replace function internal.page_of_session(owner_id uuid, usable text[], namespace_ids bigint[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_nestloop = off as $$
declare
  kept jsonb := internal.kept(owner_id);
  session text := query ->> 'session_id';
  span record := internal.span_of_folds(owner_id, query);
  wanted integer := (query ->> 'limit')::integer + 1;
  total bigint := query #>> '{after,count}';
  trace_ids text[];
  newer bigint;
  ids uuid[];
begin
  with step as materialized (
    select placed.* from internal.steps_of_session(owner_id, session, page_of_session.namespace_ids) as own (id)
    cross join lateral (
      select placements.step_id, placements.trace_id, placements.to_trace_id, placements.happened_at, placements.fold_number
      from public.placements where placements.step_id = own.id offset 0
    ) as placed
    where kept is null or internal.is_kept_step(kept, own.id)
  )
  select array(select step.trace_id from step union select step.to_trace_id from step where step.to_trace_id is not null),
         (select count(*) from step where step.fold_number > span.since),
         array(
           select step.step_id from step
           where (step.happened_at, step.step_id) > (span.after_time, span.after_id)
             and step.fold_number > span.since and step.fold_number <= span.until
           order by step.happened_at, step.step_id limit wanted)
  into trace_ids, newer, ids;
  if trace_ids = '{}' and not exists (
    select from public.sessions
    where sessions.tenant_id = owner_id and sessions.id = session
      and (page_of_session.namespace_ids is null or sessions.namespace_id = any (page_of_session.namespace_ids))
      and (kept is null or internal.is_kept_session(kept, owner_id, session, sessions.namespace_id))) then
    return null;
  end if;
  return internal.skeleton_page(
    owner_id, usable, kept, internal.traces_with_those_above(owner_id, usable, kept, trace_ids), ids, coalesce(total, newer),
    span.since, span.until, wanted);
end $$;

-- A page of the steps that find_steps finds in query.namespace: {rows: [step_view], next, count, namespace_known}. Stable, so that
-- all of it sees one moment: a step that is deleted meanwhile does not end the page early.
create or replace function internal.page_of_steps(tenant_id uuid, query jsonb, bytes integer) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  namespace text := query ->> 'namespace';
  namespace_id bigint := internal.namespace_id(page_of_steps.tenant_id, namespace);
  kept jsonb := internal.kept(page_of_steps.tenant_id);
  found_steps record;
  source refcursor;
begin
  found_steps := internal.find_steps(page_of_steps.tenant_id, namespace_id, query);
  open source for -- with a limit, so that each view is made when it is fetched
    select internal.step_view(steps, namespace, kept) as view, steps.occurred_at as moment, steps.id
    from unnest(found_steps.ids) with ordinality as wanted (id, place)
    join public.steps on steps.id = wanted.id
    order by wanted.place
    limit cardinality(found_steps.ids);
  return internal.page_of(source, (query ->> 'limit')::integer, page_of_steps.bytes)
    || jsonb_build_object('count', found_steps.total, 'namespace_known', namespace_id is not null);
end $$;

-- A page of the steps of a trace, or of the whole tree that it is in, in the order in which they happened: {traces, steps, count,
-- next, watermark}. `since`: only what was folded after that number. `after`: what the page before gave as `next`, so that all
-- pages are of the moment of the first one. Stable, so that steps and watermark are of one moment.
create or replace function internal.page_of_traces(owner_id uuid, usable text[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  kept jsonb := internal.kept(owner_id);
  reached record := internal.reached_traces(
    owner_id, usable, kept, query ->> 'trace_id', query ->> 'scope' = 'tree');
  span record := internal.span_of_folds(owner_id, query);
  wanted integer := (query ->> 'limit')::integer + 1;
  total bigint := query #>> '{after,count}';
  ids uuid[];
begin
  if total is null and usable is null and kept is null and span.since = 0 then
    total := (
      select coalesce(sum(traces.step_count), 0) from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = any (reached.ids));
  elsif total is null then
    total := (
      select count(*) from unnest(reached.ids, reached.fold_numbers) as trace (id, fold_number)
      cross join lateral (
        select placements.step_id from public.placements
        where placements.tenant_id = owner_id and placements.trace_id = trace.id
          and greatest(placements.fold_number, trace.fold_number) > span.since
          and (usable is null or internal.namespace_of(placements.step_id) = any (usable))
          and (kept is null or internal.is_kept_step(kept, placements.step_id))
        offset 0
      ) as step);
  end if;
  ids := array(
    select step.step_id from unnest(reached.ids, reached.fold_numbers) as trace (id, fold_number)
    cross join lateral (
      select placements.step_id, placements.happened_at from public.placements
      where placements.tenant_id = owner_id and placements.trace_id = trace.id
        and (placements.happened_at, placements.step_id) > (span.after_time, span.after_id)
        and greatest(placements.fold_number, trace.fold_number) > span.since
        and greatest(placements.fold_number, trace.fold_number) <= span.until
        and (usable is null or internal.namespace_of(placements.step_id) = any (usable))
        and (kept is null or internal.is_kept_step(kept, placements.step_id))
      order by placements.happened_at, placements.step_id limit wanted
    ) as step
    order by step.happened_at, step.step_id limit wanted);
  return internal.skeleton_page(owner_id, usable, kept, reached.ids, ids, total, span.since, span.until, wanted);
end $$;

-- Writes the placements of steps, and what follows from them: the steps of traces, counts, usage, the figures of sessions.
create or replace function internal.place_steps(owner_id uuid, placed internal.placed_step[], fold_number bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  moved internal.moved_step[] := internal.moved_steps(owner_id, place_steps.placed, place_steps.fold_number);
begin
  if moved = '{}' then return; end if;
  insert into public.placements as known
  select (move.after).* from unnest(moved) as move
  on conflict on constraint step_has_one_placement do update set
    trace_id = excluded.trace_id, session_id = excluded.session_id, user_id = excluded.user_id, agent = excluded.agent,
    is_wrapper = excluded.is_wrapper, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cached_input_tokens = excluded.cached_input_tokens, reasoning_tokens = excluded.reasoning_tokens,
    to_trace_id = excluded.to_trace_id, fold_number = excluded.fold_number;

  update public.traces set
    step_count = traces.step_count + growth.steps,
    last_step_id = case when traces.step_count = 0 then growth.last_step_id -- its first ones
      else greatest(traces.last_step_id, growth.last_step_id) end
  from (
    select change.trace_id, sum(change.steps) as steps, max(change.step_id::text)::uuid as last_step_id
    from unnest(moved) as move
    cross join lateral (
      values ((move.after).trace_id, 1, (move.after).step_id), ((move.before).trace_id, -1, null)
    ) as change (trace_id, steps, step_id)
    where change.trace_id is not null
    group by change.trace_id
  ) as growth
  where traces.tenant_id = owner_id and traces.trace_id = growth.trace_id
    and (growth.steps <> 0 or growth.last_step_id > traces.last_step_id);

  perform internal.correct_counts(owner_id, moved);
  perform internal.add_figures(array(
    select internal.figure_of(move.step, side.placed, side.change)
    from unnest(moved) as move
    cross join lateral (values (move.before, -1), (move.after, 1)) as side (placed, change)
    where (side.placed).step_id is not null and internal.counts_otherwise(move.before, move.after)));
  perform internal.join_sessions(array(
    select internal.member_of_session(move.step, move.after) from unnest(moved) as move
    where (move.before).step_id is null or (move.before).session_id is distinct from (move.after).session_id));
  perform internal.leave_sessions(array(
    select internal.member_of_session(move.step, move.before) from unnest(moved) as move
    where (move.before).step_id is not null and (move.before).session_id is distinct from (move.after).session_id));
end $$;

-- The trace, or all of the tree that it is in, as far as the token may see them, in order of creation; and the highest number of
-- a fold that changed how each is linked to the first one. A step is as new as that link: a whole trace may come to a tree late.
create or replace function internal.reached_traces(
  owner_id uuid, usable text[], kept jsonb, trace_id text, whole_tree boolean, out ids text[], out fold_numbers bigint[])
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  here text := reached_traces.trace_id;
  above text;
  linked bigint := 0;
begin
  if not whole_tree then
    ids := array[here];
    fold_numbers := '{0}';
    return;
  end if;
  loop
    linked := greatest(linked, (
      select traces.fold_number from public.traces where traces.tenant_id = owner_id and traces.trace_id = here));
    select seen.parent_trace_id into above from internal.seen_trace(owner_id, usable, kept, here) as seen;
    exit when above is null;
    here := above;
  end loop;
  with recursive below as (
    select traces.trace_id, traces.created_at, linked as fold_number from public.traces
    where traces.tenant_id = owner_id and traces.trace_id = here
    union all
    select child.trace_id, child.created_at, greatest(below.fold_number, child.fold_number)
    from below cross join lateral (
      select traces.trace_id, traces.created_at, traces.fold_number from public.traces
      where traces.tenant_id = owner_id and traces.parent_trace_id = below.trace_id
        and (usable is null and kept is null or internal.is_seen(usable, kept, traces))
      offset 0
    ) as child
  )
  select array_agg(below.trace_id order by below.created_at, below.trace_id),
         array_agg(below.fold_number order by below.created_at, below.trace_id)
  into ids, fold_numbers from below;
end $$;

-- The users of the 200 sessions that were active last.
create or replace function internal.recent_users(owner_id uuid, namespace_ids bigint[]) returns table (session_id text, user_id text)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return query
  select recent.session_id, used.user_id
  from unnest(internal.find_sessions(owner_id, recent_users.namespace_ids, '{}', 200)) as recent
  cross join lateral (
    select usage.user_id from public.usage
    where usage.tenant_id = owner_id and usage.grain = 'session' and usage.session_id = recent.session_id
      and usage.namespace_id = recent.namespace_id and usage.user_id is not null
    offset 0
  ) as used;
end $$;

-- The highest trace on the way up from this one that the token may see.
create or replace function internal.root_of(owner_id uuid, usable text[], kept jsonb, trace_id text) returns text
language plpgsql stable set search_path = '' as $$
declare
  here text := root_of.trace_id;
  above text;
begin
  loop
    select seen.parent_trace_id into above from internal.seen_trace(owner_id, usable, kept, here) as seen;
    if above is null then return here; end if;
    here := above;
  end loop;
end $$;

-- A score as clients get it: `value` is null once it was taken away, and what was not told is not there.
create or replace function internal.score_view(score public.scores, kept jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if kept is not null and not internal.is_kept_with_content(kept, score.namespace_id, score.id) then
    score.text_value := null;
    score.comment := null;
    score.sealed := null;
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'id', score.id,
    'namespace', (select namespaces.name from public.namespaces where namespaces.id = score.namespace_id),
    'trace_id', score.trace_id,
    'session_id', score.session_id,
    'step_id', score.step_id,
    'name', score.name,
    'comment', score.comment,
    'sealed', score.sealed,
    'source', score.source,
    'created_at', internal.timestamp_text(score.created_at)
  )) || jsonb_build_object('value', coalesce(
    to_jsonb(score.number_value), to_jsonb(score.boolean_value), to_jsonb(score.text_value)));
end $$;

-- Of a session, its traces and its steps, as far as they are in these namespaces.
create or replace function internal.scores_of_session(owner_id uuid, namespace_ids bigint[], kept jsonb, session_id text) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  found_scores internal.counted_score[];
begin
  if not internal.has_scores(owner_id) then return '{}'; end if;
  found_scores := array(
    select internal.counted_score(scores) from public.scores
    where scores.tenant_id = owner_id and scores.session_id = scores_of_session.session_id
      and scores.namespace_id = any (scores_of_session.namespace_ids)
      and (kept is null or internal.is_kept_score(kept, scores))
    union all
    select score.counted
    from public.traces
    cross join lateral (
      select internal.counted_score(scores) as counted from public.scores
      where scores.tenant_id = owner_id and scores.trace_id = traces.trace_id
        and scores.namespace_id = any (scores_of_session.namespace_ids)
        and (kept is null or internal.is_kept_score(kept, scores))
      offset 0
    ) as score
    where traces.tenant_id = owner_id and traces.session_id = scores_of_session.session_id);
  if internal.has_scores_of_steps(owner_id) then
    found_scores := found_scores || array(
      select score.counted
      from internal.steps_of_session(owner_id, scores_of_session.session_id, null) as own (id)
      cross join lateral (
        select internal.counted_score(scores) as counted from public.scores
        where scores.tenant_id = owner_id and scores.step_id = own.id
          and scores.namespace_id = any (scores_of_session.namespace_ids)
          and (kept is null or internal.is_kept_score(kept, scores))
        offset 0
      ) as score);
  end if;
  return internal.score_figures(found_scores);
end $$;

-- Of a trace and its steps, as far as the token may use their namespaces.
create or replace function internal.scores_of_trace(owner_id uuid, usable text[], kept jsonb, trace_id text) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  found_scores internal.counted_score[];
begin
  if not internal.has_scores(owner_id) then return '{}'; end if;
  found_scores := array(
    select internal.counted_score(scores) from public.scores
    where scores.tenant_id = owner_id and scores.trace_id = scores_of_trace.trace_id
      and (kept is null or internal.is_kept_score(kept, scores))
      and (usable is null or (
        select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable)));
  if internal.has_scores_of_steps(owner_id) then
    found_scores := found_scores || array(
      select score.counted
      from public.placements
      cross join lateral (
        select internal.counted_score(scores) as counted from public.scores
        where scores.tenant_id = owner_id and scores.step_id = placements.step_id
          and (kept is null or internal.is_kept_score(kept, scores))
          and (usable is null or (
            select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable))
        offset 0
      ) as score
      where placements.tenant_id = owner_id and placements.trace_id = scores_of_trace.trace_id);
  end if;
  return internal.score_figures(found_scores);
end $$;

-- Those of the ids that are of steps which the token may see, in their order.
create or replace function internal.seen_steps(owner_id uuid, usable text[], kept jsonb, ids uuid[]) returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select wanted.id from unnest(seen_steps.ids) with ordinality as wanted (id, place)
    where (select steps.tenant_id from public.steps where steps.id = wanted.id) = owner_id
      and (usable is null or internal.namespace_of(wanted.id) = any (usable))
      and (kept is null or internal.is_kept_step(kept, wanted.id))
    order by wanted.place);
end $$;

-- The trace's parent as the token sees it; no row where it may not see the trace, or the trace is kept no longer.
create or replace function internal.seen_trace(owner_id uuid, usable text[], kept jsonb, wanted text) returns table (parent_trace_id text)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if usable is null and kept is null then
    return query
    select traces.parent_trace_id from public.traces where traces.tenant_id = owner_id and traces.trace_id = wanted;
    return;
  end if;
  return query
  select (
    select parents.trace_id from public.traces as parents
    where parents.tenant_id = owner_id and parents.trace_id = traces.parent_trace_id
      and internal.is_seen(usable, kept, parents))
  from public.traces
  where traces.tenant_id = owner_id and traces.trace_id = wanted and internal.is_seen(usable, kept, traces);
end $$;

-- The views of these sessions, as an array in their order. What a session is named for, its own namespace and user, is told only
-- to who sees that namespace.
create or replace function internal.session_views(owner_id uuid, listed internal.listed_session[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  kept jsonb := internal.kept(owner_id);
  used internal.used_session[] := internal.used_sessions(owner_id, listed);
begin
  return to_jsonb(array(
    select jsonb_build_object(
      'session_id', wanted.session_id,
      'namespace', (
        select namespaces.name from public.namespaces where namespaces.id = coalesce(home.namespace_id, wanted.namespace_ids[1])),
      'user_id', coalesce(home.user_id, figures.user_id),
      'created_at', internal.timestamp_text(coalesce(home.created_at, summary.began_at)),
      'last_activity_at', internal.timestamp_text(summary.last_activity_at),
      'active', summary.last_activity_at >= now() - coalesce(home.inactivity_timeout, 120) * interval '1 second',
      'agents', to_jsonb(figures.agents),
      'models', to_jsonb(figures.models),
      'trace_count', (
        select count(*) from public.traces
        where traces.tenant_id = owner_id and traces.session_id = wanted.session_id
          and traces.namespace_id = any (wanted.namespace_ids)),
      'step_count', summary.step_count,
      'error_count', summary.error_count,
      'input_tokens', figures.input_tokens,
      'cached_input_tokens', figures.cached_input_tokens,
      'output_tokens', figures.output_tokens,
      'reasoning_tokens', figures.reasoning_tokens,
      'cost', cost.cost,
      'duration_ms', round(extract(epoch from summary.ended_at - summary.began_at) * 1000)::bigint,
      'first_message', internal.first_words(summary.first_message_id, kept),
      'last_message', (
        select internal.shown_text(steps.id, steps.error, steps.preview) from public.steps
        where steps.id = summary.last_message_id
          and (kept is null or internal.is_kept_with_content(kept, steps.namespace_id, steps.id))),
      'scores', internal.scores_of_session(owner_id, wanted.namespace_ids, kept, wanted.session_id))
    from unnest(session_views.listed) with ordinality as wanted (session_id, namespace_ids, place)
    cross join lateral internal.summed_summary(owner_id, wanted.session_id, wanted.namespace_ids) as summary
    left join lateral (
      select sessions.* from public.sessions
      where sessions.tenant_id = owner_id and sessions.id = wanted.session_id
        and sessions.namespace_id = any (wanted.namespace_ids)
      offset 0
    ) as home on true
    join internal.costs_of(owner_id, array(
      select (line.place, line.model, line.day, line.uncached_input_tokens, line.cached_input_tokens, line.output_tokens,
              line.billed_steps, line.untold_steps)::internal.cost_line from unnest(used) as line)) as cost
      on cost.place = wanted.place
    join (
      select line.place, min(line.user_id) as user_id, sum(line.input_tokens) as input_tokens,
             sum(line.cached_input_tokens) as cached_input_tokens, sum(line.output_tokens) as output_tokens,
             sum(line.reasoning_tokens) as reasoning_tokens,
             coalesce(array_agg(distinct line.agent) filter (where line.agent is not null), '{}') as agents,
             coalesce(array_agg(distinct line.model) filter (where line.model is not null), '{}') as models
      from unnest(used) as line group by line.place
    ) as figures on figures.place = wanted.place
    order by wanted.place));
end $$;

-- The sessions of the steps that say a text, among the newest of these namespaces in that time (both ends included), as many as a
-- search looks at. `ends` null: open; `begins` null: the seven days before. Only what is folded.
create or replace function internal.sessions_that_say(
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

-- What each trace is: of all that is told of it, and was told before, the lowest rank counts, then the earliest; and of the
-- parents that were claimed for it, the one that was claimed first is its parent, unless break_cycles takes it back.
create or replace function internal.settled_facts(told internal.told_trace[], standing public.traces[]) returns internal.told_trace[]
language plpgsql immutable set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  return array(
    with every as materialized (
      select told.* from unnest(settled_facts.told) as told
      union all
      select known.trace_id, case when not known.is_claimed then 0 when known.is_named_only then 2 else 1 end, known.tree_key,
             known.namespace_id, known.session_id, known.agent, known.created_at, known.parent_trace_id,
             known.takes_steps_of_its_agent, known.claimed_parent_id, known.parent_claimed_at, known.last_step_id
      from unnest(settled_facts.standing) as known
    ), first as (
      select distinct on (every.trace_id) every.*,
             max(every.last_step_id::text) over (partition by every.trace_id)::uuid as last_of_all
      from every
      order by every.trace_id, every.rank, every.opened_at, every.agent, every.namespace_id, every.session_id
    ), claim as (
      select distinct on (every.trace_id) every.trace_id, every.claimed_parent_id, every.parent_claimed_at
      from every where every.claimed_parent_id is not null
      order by every.trace_id, every.parent_claimed_at, every.claimed_parent_id
    )
    select (
      first.trace_id, first.rank, first.tree_key, first.namespace_id, first.session_id, first.agent, first.opened_at,
      case when first.rank = 0 then first.parent_trace_id else claim.claimed_parent_id end, first.is_latest,
      case when first.rank > 0 then claim.claimed_parent_id end, case when first.rank > 0 then claim.parent_claimed_at end,
      first.last_of_all)::internal.told_trace
    from first left join claim on claim.trace_id = first.trace_id);
end $$;

-- A step, without what was said once that is kept no longer: as internal.take_content leaves it.
create or replace function internal.shown_step(step public.steps, kept jsonb) returns public.steps
language plpgsql immutable set search_path = '' as $$
begin
  if internal.is_kept_with_content(kept, step.namespace_id, step.id) then return step; end if;
  step.content := null;
  step.error := null;
  step.bytes := 0;
  step.preview := null;
  if step.kind in ('llm', 'span') then step.name := null; end if;
  return step;
end $$;

-- A page of steps: {traces, steps, count, next, watermark}, of ids that are one more than the page where there is a next one.
create or replace function internal.skeleton_page(
  owner_id uuid, usable text[], kept jsonb, trace_ids text[], ids uuid[], total bigint, since bigint, until bigint, wanted integer)
returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  last_id uuid := case when cardinality(ids) = wanted then ids[wanted - 1] end;
begin
  return jsonb_build_object(
    'traces', internal.linked_traces(owner_id, usable, kept, trace_ids),
    'steps', internal.skeletons(owner_id, usable, kept, ids[1 : wanted - 1]),
    'count', total,
    'next', (
      select jsonb_build_object('occurred_at', placements.happened_at, 'id', last_id, 'since', skeleton_page.since,
        'until', skeleton_page.until, 'count', total)
      from public.placements where placements.step_id = last_id),
    'watermark', skeleton_page.until);
end $$;

-- The skeletons of these steps, in their order. A step's number is its place in the order of arrival in its trace (of log entries
-- that belong to none both are null); and to a trace that the token may not see, no step leads. Tokens are told where they count:
-- what spans say of the calls below them is in the steps themselves. Of an encrypted step, `error` is {sealed}, which has the preview
-- and the name, too. Column by column: a whole row would bring its content along.
create or replace function internal.skeletons(owner_id uuid, usable text[], kept jsonb, ids uuid[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_nestloop = off as $$
begin
  return to_jsonb(array(
    with placed as materialized (
      select given.place, given.id, found.*
      from unnest(skeletons.ids) with ordinality as given (id, place)
      left join lateral (select placements.* from public.placements where placements.step_id = given.id offset 0) as found on true
    ), numbered as materialized (
      select step.id, step.number
      from (select distinct placed.trace_id from placed) as trace
      cross join lateral (
        select placements.step_id as id, row_number() over (order by placements.step_id) as number from public.placements
        where placements.tenant_id = owner_id and placements.trace_id = trace.trace_id
        offset 0
      ) as step
    )
    select jsonb_build_object(
      'id', step.id,
      'trace_id', placed.trace_id,
      'step_number', numbered.number,
      'kind', case when placed.is_wrapper then 'span' else step.kind end,
      'agent', coalesce(placed.agent, step.agent),
      'name', case step.kind when 'llm' then coalesce(step.model, step.name) else step.name end,
      'started_at', internal.timestamp_text(internal.start_of(step.started_at, step.occurred_at, step.latency_ms)),
      'duration_ms', step.latency_ms,
      'time_told', step.started_at is not null,
      'status', step.status,
      'error', case when jsonb_typeof(step.error) = 'string' then jsonb_build_object('sealed', step.error)
        else to_jsonb(left(coalesce(step.error ->> 'message', step.error ->> 'type'), 120)) end,
      'input_tokens', case when counts.here then coalesce(step.input_tokens, placed.input_tokens) end,
      'output_tokens', case when counts.here then coalesce(step.output_tokens, placed.output_tokens) end,
      'cost', cost.cost,
      'to_trace_id', case
        when usable is null and kept is null or internal.is_seen_trace(owner_id, usable, kept, placed.to_trace_id)
        then placed.to_trace_id end,
      'bytes', step.bytes,
      'preview', step.preview)
    from placed
    left join numbered on numbered.id = placed.id
    cross join lateral (
      select steps.id, steps.list, steps.kind, steps.agent, steps.model, steps.started_at, steps.occurred_at, steps.latency_ms,
             steps.status, steps.input_tokens, steps.output_tokens, -- and, as internal.take_content leaves them:
             case when is_told or steps.kind not in ('llm', 'span') then steps.name end as name,
             case when is_told then steps.error end as error, case when is_told then steps.bytes else 0 end as bytes,
             case when is_told then steps.preview end as preview
      from public.steps
      cross join lateral (
        select kept is null or internal.is_kept_with_content(kept, steps.namespace_id, steps.id) as is_told
      ) as content
      where steps.id = placed.id offset 0
    ) as step
    cross join lateral (select step.list = 'records' and not placed.is_wrapper as here) as counts
    left join internal.costs_of_steps(owner_id, skeletons.ids) as cost on cost.step_id = step.id
    order by placed.place));
end $$;

-- The rows that are there already of the traces that are told of, but those which are remade. Planned anew: while the table was
-- empty, all of its indexes looked as good as the primary key.
create or replace function internal.standing_traces(owner_id uuid, derivation internal.derivation) returns public.traces[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
begin
  return array(
    select known from (select distinct told.trace_id from unnest(derivation.told) as told) as wanted
    cross join lateral (
      select traces as known from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = wanted.trace_id offset 0
    ) as row
    where (known).tree_key not in (select unnest(derivation.remade)));
end $$;

-- A step as it is read: its columns, and what was said apart. The API makes a record or a log entry of it. What a span does not
-- say itself comes from its placement; `messages` are what log entries tell of the model call that is their span. `kept`: see
-- internal.kept.
create or replace function internal.step_view(step public.steps, namespace text, kept jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  placed public.placements := (select placements from public.placements where placements.step_id = step.id);
begin
  if kept is not null then step := internal.shown_step(step, kept); end if;
  return jsonb_build_object(
    'id', step.id,
    'kind', case when placed.is_wrapper then 'span' else step.kind end,
    'is_span', step.otel_trace_id is not null or step.fingerprint is not null,
    'name', step.name,
    'namespace', step_view.namespace,
    'session_id', coalesce(step.session_id, placed.session_id),
    'user_id', coalesce(step.user_id, placed.user_id),
    'trace_id', placed.trace_id,
    'agent', coalesce(placed.agent, step.agent),
    'status', step.status,
    'error', step.error,
    'started_at', internal.timestamp_text(internal.start_of(step.started_at, step.occurred_at, step.latency_ms)),
    'occurred_at', internal.timestamp_text(step.occurred_at),
    'latency_ms', step.latency_ms,
    'model', step.model,
    'input_tokens', coalesce(step.input_tokens, placed.input_tokens),
    'output_tokens', coalesce(step.output_tokens, placed.output_tokens),
    'process_tokens', step.process_tokens,
    'memory_tokens', step.memory_tokens,
    'total_tokens', coalesce(step.total_tokens, placed.input_tokens + placed.output_tokens),
    'cached_input_tokens', coalesce(step.cached_input_tokens, placed.cached_input_tokens),
    'reasoning_tokens', coalesce(step.reasoning_tokens, placed.reasoning_tokens),
    'level', step.level,
    'resource_id', step.resource_id,
    'content', step.content,
    'messages', case when step.kind = 'llm' and step.span_id is not null then internal.messages_of_call(step, kept) end);
end $$;

-- What these steps make of their sessions, each session and namespace by itself.
create or replace function internal.summaries_of(members internal.session_member[]) returns setof public.session_summaries
language plpgsql stable set search_path = '' as $$
begin
  return query
  select member.tenant_id, member.session_id, member.namespace_id, count(*), count(*) filter (where member.is_error),
         max(member.active_at), min(member.began_at), max(member.ended_at),
         min(member.began_at) filter (where member.says),
         (array_agg(member.step_id order by member.began_at, member.step_id) filter (where member.says))[1],
         max(member.began_at) filter (where member.says),
         (array_agg(member.step_id order by member.began_at desc, member.step_id desc) filter (where member.says))[1],
         max(member.step_id::text)::uuid
  from unnest(summaries_of.members) as member
  where member.session_id is not null
  group by member.tenant_id, member.session_id, member.namespace_id;
end $$;

-- What a step tells of the trace that it names as a parent: that there is one.
create or replace function internal.told_by_child(
  owner_id uuid, trace_id text, namespace_id bigint, happened_at timestamptz, step_id uuid) returns internal.told_trace
language plpgsql stable set search_path = '' as $$
begin
  return (
    told_by_child.trace_id, 2, internal.tree_key(owner_id, 'claimed', told_by_child.trace_id), told_by_child.namespace_id,
    null, (select namespaces.name from public.namespaces where namespaces.id = told_by_child.namespace_id),
    told_by_child.happened_at, null, false, null, null, told_by_child.step_id)::internal.told_trace;
end $$;

-- What a step tells of the trace that it names as its own.
create or replace function internal.told_by_step(step internal.appended_step) returns internal.told_trace
language plpgsql stable set search_path = '' as $$
begin
  return (
    step.trace_id, 1, step.tree_key, step.namespace_id, step.session_id,
    coalesce(step.agent, (select namespaces.name from public.namespaces where namespaces.id = step.namespace_id)),
    step.happened_at, null, false, step.parent_trace_id,
    case when step.parent_trace_id is not null then step.happened_at end, step.step_id)::internal.told_trace;
end $$;

-- The traces with these ids, in this order: SOAT's Trace, and after it our own members.
create or replace function internal.trace_views(owner_id uuid, usable text[], trace_ids text[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  kept jsonb := internal.kept(owner_id);
begin
  return (
    with recursive above as (
      select wanted.trace_id, seen.parent_trace_id
      from unnest(trace_views.trace_ids) as wanted (trace_id)
      cross join lateral internal.seen_trace(owner_id, usable, kept, wanted.trace_id) as seen
      union
      select above.parent_trace_id, seen.parent_trace_id
      from above cross join lateral internal.seen_trace(owner_id, usable, kept, above.parent_trace_id) as seen
      where above.parent_trace_id is not null
    ), rooted as materialized (
      select roots.* from (
        select array_agg(above.trace_id) as ids, array_agg(above.parent_trace_id) as parent_ids from above
      ) as every cross join lateral internal.roots_of_traces(every.ids, every.parent_ids) as roots
    )
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', trace.trace_id,
      'project_id', trace.project_id,
      'agent_id', internal.public_id('agt_', jsonb_build_array(owner_id, trace.namespace_id, trace.agent)::text),
      'file_id', case when trace.step_count > 0 then 'file_' || trace.trace_id end,
      'step_count', trace.step_count,
      'parent_trace_id', above.parent_trace_id,
      'root_trace_id', case when above.parent_trace_id is not null then rooted.root_trace_id end,
      'created_at', internal.timestamp_text(trace.created_at),
      'namespace', trace.namespace,
      'agent', trace.agent,
      'session_id', trace.session_id,
      'content_redacted_at', internal.timestamp_text(trace.purged_at),
      'scores', internal.scores_of_trace(owner_id, usable, kept, wanted.trace_id)) order by wanted.place), '[]')
    from unnest(trace_views.trace_ids) with ordinality as wanted (trace_id, place)
    join above on above.trace_id = wanted.trace_id
    join rooted on rooted.trace_id = wanted.trace_id
    cross join lateral (
      select traces.*, namespaces.public_id as project_id, namespaces.name as namespace, (
        select purges.purged_at from public.purges
        where purges.tenant_id = owner_id and purges.trace_id = traces.trace_id) as purged_at
      from public.traces join public.namespaces on namespaces.id = traces.namespace_id
      where traces.tenant_id = owner_id and traces.trace_id = wanted.trace_id
      offset 0 -- one by one: the planner does not know how few they are
    ) as trace);
end $$;

-- A trace and all below it that the token may see, in order of creation.
create or replace function internal.traces_below(owner_id uuid, usable text[], kept jsonb, trace_id text) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    with recursive below as (
      select traces.trace_id, traces.created_at from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = traces_below.trace_id
      union all
      select child.trace_id, child.created_at
      from below cross join lateral (
        select traces.trace_id, traces.created_at from public.traces
        where traces.tenant_id = owner_id and traces.parent_trace_id = below.trace_id
          and (usable is null and kept is null or internal.is_seen(usable, kept, traces))
        offset 0
      ) as child
    )
    select below.trace_id from below order by below.created_at, below.trace_id);
end $$;

-- These traces, and all above them as far as the token may see them, in order of creation.
create or replace function internal.traces_with_those_above(owner_id uuid, usable text[], kept jsonb, trace_ids text[]) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    with recursive above as (
      select wanted.trace_id, seen.parent_trace_id
      from unnest(traces_with_those_above.trace_ids) as wanted (trace_id)
      cross join lateral internal.seen_trace(owner_id, usable, kept, wanted.trace_id) as seen
      union
      select above.parent_trace_id, seen.parent_trace_id
      from above cross join lateral internal.seen_trace(owner_id, usable, kept, above.parent_trace_id) as seen
      where above.parent_trace_id is not null
    )
    select above.trace_id from above
    order by (
      select traces.created_at from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = above.trace_id), above.trace_id);
end $$;

-- {rows, totals, start_date, end_date?}: what the namespaces used in that time, by what the query asks for.
create or replace function internal.usage_of_time(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  asked jsonb := query -> 'by';
  lines internal.usage_line[] := internal.lines_of_usage(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_steps(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_past(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_scores(owner_id, namespace_ids, query, wanted);
begin
  lines := internal.lines_of_kept_users(lines, owner_id, namespace_ids, query);
  return (
    with keyed as materialized (
      select dense_rank() over (
               order by line.moment, line.namespace, line.agent, line.model_of_row, line.tool, line.user_id) as number, line.*
      from (
        select line.*, case when asked ? 'model' then line.model end as model_of_row, (
                 select namespaces.name from public.namespaces where namespaces.id = line.namespace_id) as namespace
        from unnest(lines) as line
      ) as line
    ), placed as materialized ( -- each once in its row, and once in the totals
      select place.number as place, keyed.* from keyed cross join lateral (values (keyed.number), (0)) as place (number)
    ), figures as (
      select placed.place, sum(placed.calls) as calls, sum(placed.tool_calls) as tool_calls, sum(placed.errors) as errors,
             sum(placed.input_tokens) as input_tokens, sum(placed.cached_input_tokens) as cached_input_tokens,
             sum(placed.output_tokens) as output_tokens, sum(placed.reasoning_tokens) as reasoning_tokens,
             internal.score_figures(array_agg(placed.score) filter (where (placed.score).name is not null)) as scores
      from placed group by placed.place
    ), latency as (
      select counted.place, internal.percentile(array_agg(counted.bucket order by counted.bucket),
               array_agg(counted.count order by counted.bucket), 0.5) as p50,
             internal.percentile(array_agg(counted.bucket order by counted.bucket),
               array_agg(counted.count order by counted.bucket), 0.95) as p95
      from (
        select placed.place, bucket.key::integer as bucket, sum(bucket.value::bigint) as count
        from placed cross join lateral jsonb_each(placed.latencies) as bucket
        where placed.tool is null or placed.place > 0 or query ? 'tool'
        group by 1, 2
      ) as counted
      group by counted.place
    ), cost as (
      select cost.* from internal.costs_of(owner_id, array(
        select (placed.place, placed.model, placed.day, sum(placed.uncached_input_tokens), sum(placed.cached_input_tokens),
                sum(placed.output_tokens), sum(placed.billed_steps), sum(placed.untold_steps))::internal.cost_line
        from placed group by placed.place, placed.model, placed.day)) as cost
    ), view as (
      select figures.place, jsonb_build_object(
        'calls', figures.calls, 'tool_calls', figures.tool_calls, 'errors', figures.errors,
        'input_tokens', figures.input_tokens, 'cached_input_tokens', figures.cached_input_tokens,
        'output_tokens', figures.output_tokens, 'reasoning_tokens', figures.reasoning_tokens, 'cost', cost.cost,
        'latency_ms', jsonb_build_object('p50', latency.p50, 'p95', latency.p95), 'scores', figures.scores) as figures
      from figures join cost on cost.place = figures.place left join latency on latency.place = figures.place
    )
    select jsonb_build_object(
      'rows', to_jsonb(array(
        select internal.row_of_usage(asked, wanted.zone, row.moment, row.namespace, row.agent, row.model_of_row,
            row.tool, row.user_id)
          || view.figures
        from (
          select distinct keyed.number, keyed.moment, keyed.namespace, keyed.agent, keyed.model_of_row, keyed.tool, keyed.user_id
          from keyed
        ) as row
        join view on view.place = row.number
        order by row.number
        limit 10001)),
      'totals', coalesce((select view.figures from view where view.place = 0), jsonb_build_object(
        'calls', 0, 'tool_calls', 0, 'errors', 0, 'input_tokens', 0, 'cached_input_tokens', 0, 'output_tokens', 0,
        'reasoning_tokens', 0, 'latency_ms', '{"p50": null, "p95": null}'::jsonb, 'scores', '{}'::jsonb, 'cost', jsonb_build_object(
          'amount', '0', 'currency', internal.currency_of_prices(owner_id), 'unpriced_steps', 0))),
      'start_date', internal.timestamp_text(wanted.begins),
      'end_date', case when isfinite(wanted.ends) then internal.timestamp_text(wanted.ends - interval '1 microsecond') end));
end $$;

-- A session in these namespaces; null where it is in none of them.
create or replace function internal.whole_session(owner_id uuid, namespace_ids bigint[], session_id text) returns jsonb
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

-- The views of these steps, none with more content than so much.
create or replace function internal.whole_steps(ids uuid[], kept jsonb, max_bytes integer) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return to_jsonb(array(
    select internal.cut_view(internal.step_view(said.step, (
      select namespaces.name from public.namespaces where namespaces.id = (said.step).namespace_id), kept), max_bytes)
    from unnest(whole_steps.ids) with ordinality as wanted (id, place)
    cross join lateral (select steps as step from public.steps where steps.id = wanted.id offset 0) as said
    order by wanted.place));
end $$;

-- admit, for a request about one trace: adds {trace_id}, or refuses not_found. One of another tenant, in a namespace that the token
-- may not use, or kept no longer looks like one that never was.
create or replace function internal.with_trace(admission jsonb, trace_id text) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then return admission; end if;
  if not exists (
    select from internal.seen_trace(
      owner_id, internal.usable_namespaces(admission), internal.kept(owner_id), with_trace.trace_id)) then
    return admission || internal.refusal('not_found', 'There is no such trace.');
  end if;
  return admission || jsonb_build_object('trace_id', with_trace.trace_id);
end $$;

-- Makes the traces what is told of them, and takes away those that nothing tells of any more. Only fold calls it.
create or replace function internal.write_traces(owner_id uuid, derivation internal.derivation, fold_number bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  standing public.traces[] := internal.standing_traces(owner_id, derivation);
  facts internal.told_trace[] := internal.settled_facts(derivation.told, standing);
  vanished text[];
begin
  with gone as (
    delete from public.traces
    where traces.tree_key = any (derivation.remade) and traces.tenant_id = owner_id
      and traces.trace_id not in (select fact.trace_id from unnest(facts) as fact)
    returning traces.trace_id
  )
  select array_agg(gone.trace_id) into vanished from gone;

  insert into public.traces as known (
    tenant_id, trace_id, tree_key, is_claimed, is_named_only, takes_steps_of_its_agent, namespace_id, session_id, agent,
    parent_trace_id, claimed_parent_id, parent_claimed_at, step_count, fold_number, created_at, last_step_id)
  select owner_id, fact.trace_id, fact.tree_key, fact.rank > 0, fact.rank = 2, fact.is_latest, fact.namespace_id,
         fact.session_id, fact.agent, fact.parent_trace_id, fact.claimed_parent_id, fact.parent_claimed_at, (
           select count(*) from public.placements
           where placements.tenant_id = owner_id and placements.trace_id = fact.trace_id),
         write_traces.fold_number, fact.opened_at, fact.last_step_id
  from unnest(facts) as fact
  order by fact.trace_id
  on conflict on constraint trace_id_is_unique_within_its_tenant do update set
    tree_key = excluded.tree_key, is_claimed = excluded.is_claimed, is_named_only = excluded.is_named_only,
    takes_steps_of_its_agent = excluded.takes_steps_of_its_agent, namespace_id = excluded.namespace_id,
    session_id = excluded.session_id, agent = excluded.agent, parent_trace_id = excluded.parent_trace_id,
    claimed_parent_id = excluded.claimed_parent_id, parent_claimed_at = excluded.parent_claimed_at,
    fold_number = case when (known.parent_trace_id, known.agent, known.namespace_id)
      is distinct from (excluded.parent_trace_id, excluded.agent, excluded.namespace_id)
      then excluded.fold_number else known.fold_number end,
    created_at = excluded.created_at,
    last_step_id = case when known.step_count > 0 then known.last_step_id
      else greatest(known.last_step_id, excluded.last_step_id) end
  where (known.tree_key, known.is_claimed, known.is_named_only, known.takes_steps_of_its_agent, known.namespace_id,
         known.session_id, known.agent, known.parent_trace_id, known.claimed_parent_id, known.parent_claimed_at,
         known.created_at)
    is distinct from
        (excluded.tree_key, excluded.is_claimed, excluded.is_named_only, excluded.takes_steps_of_its_agent,
         excluded.namespace_id, excluded.session_id, excluded.agent, excluded.parent_trace_id, excluded.claimed_parent_id,
         excluded.parent_claimed_at, excluded.created_at)
    or known.step_count = 0 and known.last_step_id < excluded.last_step_id;

  delete from public.trees
  where trees.tree_key = any (derivation.remade)
    and trees.tree_key not in (select tree.tree_key from unnest(derivation.trees) as tree);
  insert into public.trees as known (tree_key, tenant_id, active_trace_id, last_event_at)
  select tree.tree_key, tree.tenant_id, tree.active_trace_id, tree.last_event_at from unnest(derivation.trees) as tree
  on conflict on constraint tree_key_is_unique do update
    set active_trace_id = excluded.active_trace_id, last_event_at = excluded.last_event_at;

  perform internal.break_cycles(owner_id, facts, standing, fold_number);
  perform internal.note_named_traces(owner_id, vanished);
end $$;

-- DELETE /scores/{score_id}. payload.score_id: a UUID. data: the score that is gone. One of another tenant, or in a namespace that
-- the token may not use, looks like one that never was.
create or replace function public.delete_score(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(delete_score.payload);
  kept jsonb := internal.kept((admission ->> 'tenant_id')::uuid);
  usable text[] := internal.usable_namespaces(admission);
  gone public.scores;
begin
  if admission ? 'error' then return admission; end if;
  delete from public.scores
  where scores.id = (delete_score.payload ->> 'score_id')::uuid and scores.tenant_id = (admission ->> 'tenant_id')::uuid
    and (usable is null or (
      select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable))
    and (kept is null or internal.is_kept_score(kept, scores))
  returning scores.* into gone;
  if not found then return admission || internal.refusal('not_found', 'There is no such score.'); end if;
  return admission || jsonb_build_object('data', internal.score_view(gone, kept));
end $$;

-- A page of GET /files/{file_id}/download. payload.query: {file_id, limit, bytes, after?}. data: {rows, next}: the steps of the
-- trace in the order in which they happened, each a step_view with `step_number`, its number in the order of arrival. A token
-- sees those in the namespaces that it may use.
create or replace function public.export_file(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  query jsonb := export_file.payload -> 'query';
  admission jsonb := internal.folded(internal.admit_page(export_file.payload));
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(admission);
  wanted integer := (query ->> 'limit')::integer + 1;
  after_time timestamptz := query #>> '{after,occurred_at}';
  after_id uuid := query #>> '{after,id}';
  kept jsonb := internal.kept(owner_id);
  source refcursor;
begin
  admission := internal.with_file(admission, query ->> 'file_id');
  if admission ? 'error' then return admission; end if;
  open source for -- with a limit, so that each view is made when it is fetched
    select internal.step_view(steps, namespaces.name, kept) || jsonb_build_object('step_number', placed.number) as view,
           placed.happened_at as moment, placed.step_id as id
    from (
      select numbered.* from (
        select placements.step_id, placements.happened_at, row_number() over (order by placements.step_id) as number
        from public.placements
        where placements.tenant_id = owner_id and placements.trace_id = admission ->> 'trace_id'
      ) as numbered
      where after_time is null or (numbered.happened_at, numbered.step_id) > (after_time, after_id)
      order by numbered.happened_at, numbered.step_id limit wanted * case when usable is null and kept is null then 1 else 1000000 end
    ) as placed
    join public.steps on steps.id = placed.step_id
    join public.namespaces on namespaces.id = steps.namespace_id
    where (usable is null or namespaces.name = any (usable))
      and (kept is null or internal.is_kept(kept, steps.namespace_id, steps.id))
    order by placed.happened_at, placed.step_id
    limit wanted;
  return admission || jsonb_build_object(
    'data', internal.page_of(source, (query ->> 'limit')::integer, (query ->> 'bytes')::integer));
end $$;

-- POST /sessions/get-or-create. payload.session: {namespace, user_id, inactivity_timeout?, metadata?, force_new?}.
-- Answers with the user's most recently active session if its last activity is within inactivity_timeout seconds; to be found
-- is activity too. One whose metadata nobody can read any more is not found, since the user could not go on with it.
create or replace function public.get_or_create_session(payload jsonb) returns jsonb
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

-- GET /steps. payload.query: {ids: [uuid], max_bytes}. payload.known: see unless_known. data: {steps: [step_view]}, in the
-- order of the ids; those that are not there, or not in the token's namespaces, are absent.
create or replace function public.get_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := get_steps.payload -> 'query';
  admission jsonb := internal.folded(public.admit(get_steps.payload));
  kept jsonb := internal.kept((admission ->> 'tenant_id')::uuid);
  max_bytes integer := query ->> 'max_bytes';
  ids uuid[];
  found_steps jsonb;
begin
  if admission ? 'error' then return admission; end if;
  ids := internal.seen_steps(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission), kept,
    array(select jsonb_array_elements_text(query -> 'ids'))::uuid[]);
  -- One alone is always read: where it is encrypted and large, nobody could ask for less. Else too much is not even read.
  if cardinality(ids) = 1 or internal.bytes_of_steps(ids, max_bytes) <= 16 * 1024 * 1024 then
    found_steps := internal.whole_steps(ids, kept, max_bytes);
  end if;
  if cardinality(ids) <> 1 and coalesce(octet_length(found_steps::text) > 16 * 1024 * 1024, true) then
    return admission || internal.refusal('invalid_payload', 'ids: these are more than 16 MiB. Ask for fewer at a time.');
  end if;
  return internal.unless_known(admission, jsonb_build_object('steps', found_steps), get_steps.payload);
end $$;

-- GET /traces/{trace_id}/tree. payload.trace_id: any trace of the tree. data: {traces: [trace_views]}, all of the tree that the
-- token may see, in order of creation, its root among them. The API makes the tree of the list.
create or replace function public.get_trace_tree(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.folded(public.admit(get_trace_tree.payload));
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(admission);
  kept jsonb := internal.kept(owner_id);
begin
  admission := internal.with_trace(admission, get_trace_tree.payload ->> 'trace_id');
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', jsonb_build_object('traces', internal.trace_views(owner_id, usable,
    internal.traces_below(owner_id, usable, kept, internal.root_of(owner_id, usable, kept, admission ->> 'trace_id')))));
end $$;

-- GET /scores. payload.query: {trace_id?, session_id?, step_id?, name?, source?, namespace?, start_date?, end_date?, limit,
-- after?}. payload.known: see unless_known. data: {rows: [score_view], next}, newest first, of the namespaces that the token may
-- use.
create or replace function public.list_scores(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := list_scores.payload -> 'query';
  admission jsonb := public.admit(list_scores.payload);
  answer jsonb;
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  if admission ? 'error' then return admission; end if;
  answer := internal.page_answer(
    admission,
    internal.page_of_scores(
      (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace'), query),
    (query ->> 'limit')::integer);
  if answer ? 'error' then return answer; end if;
  return internal.unless_known(admission, answer -> 'data', list_scores.payload);
end $$;

-- DELETE /traces/{trace_id}/content. payload.trace_id. Takes away for good what was said in the trace and in all below it, and in
-- the scores of these, and leaves the skeleton: ids, times, counts. Again it changes nothing, but for steps and scores that have
-- come since. data: the trace, as in get_trace.
create or replace function public.purge_trace_content(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  admission jsonb := internal.admit_writer(purge_trace_content.payload);
  owner_id uuid := admission ->> 'tenant_id';
  usable text[];
  purged text[];
begin
  if admission ? 'error' then return admission; end if;
  -- Alone with the tenant's content: steps that are being stored are waited for, and are taken too.
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  -- And with its projections: who has read the steps before is to read them again, in the order of its folds.
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  admission := internal.folded(admission);
  admission := internal.with_trace(admission, purge_trace_content.payload ->> 'trace_id');
  if admission ? 'error' then return admission; end if;
  usable := internal.usable_namespaces(admission);
  purged := internal.traces_below(owner_id, usable, null, admission ->> 'trace_id');

  perform internal.take_content(owner_id, array(
    select placements.step_id
    from unnest(purged) as wanted (trace_id)
    join public.placements on placements.tenant_id = owner_id and placements.trace_id = wanted.trace_id
    where usable is null or internal.namespace_of(placements.step_id) = any (usable)));
  insert into public.purges (tenant_id, trace_id, purged_at)
  select owner_id, wanted.trace_id, now() from unnest(purged) as wanted (trace_id)
  on conflict on constraint trace_knows_its_last_purge do nothing;
  perform internal.purge_scores(owner_id, usable, purged);
  return internal.trace_answer(admission);
end $$;

-- PUT /anonymization-rules. payload.rules, payload.expected_version?. data: {version, rules}. Refuses as admit_to_change and
-- at_version do.
create or replace function public.put_anonymization_rules(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_to_change(put_anonymization_rules.payload, 'the anonymization rules');
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then return admission; end if;
  -- Once this has answered, nothing is stored by the rules of before: see identify_sender.
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  admission := internal.at_version(
    admission, 'the anonymization rules', (internal.current_rules(owner_id) ->> 'version')::integer,
    put_anonymization_rules.payload ->> 'expected_version');
  if admission ? 'error' then return admission; end if;

  insert into public.anonymization_rules as known (tenant_id, rules)
  values (owner_id, put_anonymization_rules.payload -> 'rules')
  on conflict on constraint anonymization_rules_pkey
    do update set rules = excluded.rules, version = known.version + 1, updated_at = now();
  return admission || jsonb_build_object('data', internal.current_rules(owner_id));
end $$;

-- PUT /model-prices. payload.prices: as the table has them, payload.expected_version?. data: {version, prices}. Refuses as
-- admit_to_change and at_version do.
create or replace function public.put_model_prices(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_to_change(put_model_prices.payload, 'the model prices');
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then return admission; end if;
  perform pg_advisory_xact_lock(hashtextextended('model prices ' || owner_id, 0));
  admission := internal.at_version(
    admission, 'the model prices', (select model_prices.version from public.model_prices where model_prices.tenant_id = owner_id),
    put_model_prices.payload ->> 'expected_version');
  if admission ? 'error' then return admission; end if;

  insert into public.model_prices as own (tenant_id, prices)
  values (owner_id, put_model_prices.payload -> 'prices')
  on conflict on constraint model_prices_pkey
    do update set prices = excluded.prices, version = own.version + 1, updated_at = now();
  return admission || jsonb_build_object('data', internal.current_prices(owner_id));
end $$;

-- PUT /retention. payload.rules: as the table has them, payload.expected_version?. data: see retention_view. Forgets what the rules
-- make due, as much as it can in a second; the schedule does the rest. Refuses as admit_to_change and at_version do.
create or replace function public.put_retention(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_to_change(put_retention.payload, 'the rules of retention');
  owner_id uuid := admission ->> 'tenant_id';
  ends timestamptz := clock_timestamp() + interval '1 second';
  is_done boolean := false;
  put public.retention;
begin
  if admission ? 'error' then return admission; end if;
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  admission := internal.at_version(
    admission, 'the rules of retention', (select retention.version from public.retention where retention.tenant_id = owner_id),
    put_retention.payload ->> 'expected_version');
  if admission ? 'error' then return admission; end if;

  insert into public.retention as own (tenant_id, rules)
  values (owner_id, put_retention.payload -> 'rules')
  on conflict on constraint retention_pkey
    do update set rules = excluded.rules, version = own.version + 1, updated_at = now()
  returning own.* into put;
  while not is_done and clock_timestamp() < ends loop
    is_done := internal.forget_due_piece(owner_id, internal.shown_since(), 500) = 0;
  end loop;
  insert into public.retention_runs as known (tenant_id, version, enforced_on)
  values (owner_id, put.version, case when is_done then internal.shown_day() end)
  on conflict on constraint retention_runs_pkey do update set version = excluded.version, enforced_on = excluded.enforced_on;
  return admission || jsonb_build_object('data', internal.retention_view(owner_id, null));
end $$;

-- The number of the newest migration, for GET /health/ready. Written by `npm run db:migration`.
create or replace function public.schema_version() returns bigint
language sql immutable set search_path = ''
return 20261122074350;

comment on column public.retention_runs.enforced_on is 'The last day on which nothing was left that is due. On other days reads leave it out (internal.kept). Null: since the rules were put, that was never so.';

comment on column public.session_summaries.last_step_id is 'Of its steps, the one that arrived last.';

comment on column public.traces.last_step_id is 'Of the steps that were in it, the one that arrived last; without any, the last one of its tree, or that names it.';

-- supabase/schemas/99_grants.sql
-- One rule for everything in the two schemas: row level security is on and no policy opens a table; the API's service role may
-- do its work, and nobody else anything. It may be run again at any time.
do $$
declare
  object record;
begin
  for object in
    select pg_class.oid::regclass as name from pg_class
    where pg_class.relnamespace = 'public'::regnamespace and pg_class.relkind in ('r', 'p')
  loop
    execute format('alter table %s enable row level security', object.name);
  end loop;
  for object in
    select pg_proc.oid::regprocedure as name from pg_proc
    where pg_proc.pronamespace in ('public'::regnamespace, 'internal'::regnamespace)
  loop
    execute format('revoke all on function %s from public, anon, authenticated', object.name);
    execute format('grant execute on function %s to service_role', object.name);
  end loop;
  for object in
    select pg_type.oid::regtype as name from pg_type
    where pg_type.typnamespace = 'internal'::regnamespace and pg_type.typtype = 'c'
      and (select pg_class.relkind from pg_class where pg_class.oid = pg_type.typrelid) = 'c'
  loop
    execute format('revoke all on type %s from public, anon, authenticated', object.name);
    execute format('grant usage on type %s to service_role', object.name);
  end loop;
end $$;
revoke all on all tables in schema public from public, anon, authenticated;
revoke all on all sequences in schema public from public, anon, authenticated;
revoke all on schema internal from public, anon, authenticated;
grant usage on schema internal to service_role;
grant select, insert, update, delete on all tables in schema public to service_role;
grant usage, select on all sequences in schema public to service_role;

reset check_function_bodies;
