-- The way of a step through the database, in fewer and cheaper statements: items are read once, and what needs no order (all
-- but handoffs and the ids of clients) is placed at once and not step by step. It replaces most of the two migrations that
-- place and store steps; what they say of the order of locks still holds.

-- Each of these rows names its tenant by its namespace, too: that one foreign key ensures both, and is checked for every row.
alter table public.records drop constraint records_tenant_id_fkey;
alter table public.logs drop constraint logs_tenant_id_fkey;
alter table public.traces drop constraint traces_tenant_id_fkey;
alter table public.agents drop constraint agents_tenant_id_fkey;
alter table public.sessions drop constraint sessions_tenant_id_fkey;

-- Small functions again, now in PL/pgSQL: one in SQL that has a search_path of its own is planned anew in every statement
-- that calls it, which takes longer than all that it does.
create or replace function public.refusal(code text, message text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return jsonb_build_object('error', jsonb_build_object('code', refusal.code, 'message', refusal.message));
end $$;

create or replace function public.with_warning(envelope jsonb, message text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return with_warning.envelope || jsonb_build_object(
    'warnings', coalesce(with_warning.envelope -> 'warnings', '[]') || to_jsonb(with_warning.message));
end $$;

create or replace function public.may_use_namespace(admission jsonb, namespace text) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(jsonb_typeof(may_use_namespace.admission -> 'namespaces'), 'null') = 'null'
    or may_use_namespace.admission -> 'namespaces' ? may_use_namespace.namespace;
end $$;

create or replace function public.namespace_refusal(namespace text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return public.refusal('forbidden',
    format('This tracer token may not use the namespace "%s".', namespace_refusal.namespace));
end $$;

create or replace function public.namespace_id(tenant_id uuid, name text) returns bigint
language plpgsql stable set search_path = '' as $$
begin
  return (
    select namespaces.id from public.namespaces
    where namespaces.tenant_id = namespace_id.tenant_id and namespaces.name = namespace_id.name);
end $$;

create or replace function public.timestamp_text(moment timestamptz) returns text
language plpgsql stable set search_path = '' as $$
begin
  return regexp_replace(
    to_char(timestamp_text.moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '000$', '') || 'Z';
end $$;

create or replace function public.new_public_id(prefix text) returns text
language plpgsql volatile set search_path = '' as $$
begin
  return new_public_id.prefix || left(translate(
    encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'), E'+/=\n', ''), 16);
end $$;

create or replace function public.trees_lock(namespace_id bigint) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended('trees of ' || trees_lock.namespace_id, 0);
end $$;

-- Who is asking. Returns {tenant_id, token_id, namespaces, limit}, `namespaces` being the only ones that the token may use
-- (null: any) and `limit` what the token or its tenant has instead of the bucket's own (null: that one); or a refusal:
-- invalid_token, token_inactive, token_expired.
create or replace function public.identify(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  token record;
  usable text[];
begin
  select tracer_tokens.id, tracer_tokens.tenant_id, tracer_tokens.active, tracer_tokens.expires_at, tracer_tokens.namespaces,
         tenants.registered_namespaces_only,
         coalesce(tracer_tokens.rate_limits -> (identify.payload ->> 'bucket'),
                  tenants.rate_limits -> (identify.payload ->> 'bucket')) as rate_limit
  into token
  from public.tracer_tokens join public.tenants on tenants.id = tracer_tokens.tenant_id
  where tracer_tokens.token_hash = identify.payload ->> 'token_hash';

  if not found then
    return public.refusal('invalid_token', 'This tracer token is not known here. Check it for missing characters.');
  end if;
  if not token.active then
    return public.refusal('token_inactive', 'This tracer token was revoked. Use another one.');
  end if;
  if token.expires_at <= now() then
    return public.refusal('token_expired',
      format('This tracer token expired at %s. Use another one.', public.timestamp_text(token.expires_at)));
  end if;

  usable := token.namespaces;
  if token.registered_namespaces_only then
    usable := array(
      select namespaces.name from public.namespaces
      where namespaces.tenant_id = token.tenant_id
        and (token.namespaces is null or namespaces.name = any (token.namespaces)));
  end if;
  return jsonb_build_object(
    'tenant_id', token.tenant_id, 'token_id', token.id, 'namespaces', to_jsonb(usable), 'limit', token.rate_limit);
end $$;

-- The namespaces that an admitted token may use, null for any.
create function public.usable_namespaces(admission jsonb) returns text[]
language plpgsql immutable set search_path = '' as $$
begin
  if coalesce(jsonb_typeof(admission -> 'namespaces'), 'null') = 'null' then return null; end if;
  return array(select jsonb_array_elements_text(admission -> 'namespaces'));
end $$;

-- The step of admission that counts. The limit is the token's own, else its tenant's, else payload.limit, the bucket's
-- default. Adds {rate_limit: {bucket, limit, remaining, reset}}, reset in seconds, and refuses rate_limit_exceeded. Fails
-- open: whatever breaks here becomes a warning, and the request goes on without a limit.
create or replace function public.count_request(admission jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  bucket text := count_request.payload ->> 'bucket';
  allowed integer := coalesce(nullif(admission -> 'limit', 'null'), count_request.payload -> 'limit');
  counted integer;
  reset integer;
  counted_admission jsonb;
begin
  counted := public.monkai_increment_rate_limit((admission ->> 'token_id')::uuid, bucket);
  if counted is null or allowed is null then raise exception 'there is no count or no limit'; end if;
  reset := ceil(60 - extract(second from clock_timestamp()));
  counted_admission := admission || jsonb_build_object('rate_limit', jsonb_build_object(
    'bucket', bucket, 'limit', allowed, 'remaining', greatest(allowed - counted, 0), 'reset', reset));
  if counted <= allowed then return counted_admission; end if;

  return (counted_admission - array['data', 'replay']) || public.refusal('rate_limit_exceeded', format(
    'The limit of %s requests per minute in the bucket "%s" is used up. Wait %s seconds.', allowed, bucket, reset));
exception when others then
  return public.with_warning(admission, 'Rate limiting is off for this request: ' || sqlerrm);
end $$;

-- identify, for a request that brings content. Where that was not redacted by the tenant's current rules (payload.
-- anonymization_version), adds them as {anonymization: {version, rules}}: then the request must stop here, and the API
-- redacts by them and asks again. record_traces and upload_items begin with it.
create or replace function public.identify_sender(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.identify(identify_sender.payload);
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then return admission; end if;
  if coalesce((identify_sender.payload ->> 'anonymization_version')::integer, 0) = coalesce((
    select known.version from public.anonymization_rules known where known.tenant_id = owner_id), 0) then
    return admission;
  end if;
  return admission || jsonb_build_object('anonymization', public.current_rules(owner_id));
end $$;

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

-- Held until the end of the transaction: the trees of the namespaces in which the steps are. Who names traces may move whole
-- trees, and has a namespace's trees alone; the others share them. After the sessions and agents, before any trace, and
-- in the order of their ids: so that two requests never wait for each other in a circle.
create function public.hold_trees(steps public.step[]) returns void
language plpgsql set search_path = '' as $$
begin
  perform case when held.alone then pg_advisory_xact_lock(public.trees_lock(held.namespace_id))
    else pg_advisory_xact_lock_shared(public.trees_lock(held.namespace_id)) end
  from (
    select step.namespace_id, bool_or(step.trace_id is not null or step.parent_trace_id is not null) as alone
    from unnest(hold_trees.steps) as step
    where step.error is null
    group by step.namespace_id order by step.namespace_id
  ) as held;
end $$;

-- Makes sure that all agents exist that the steps name. In the order of their names, so that two requests with the same ones
-- never wait for each other in a circle.
create function public.register_agents(tenant_id uuid, steps public.step[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.agents (tenant_id, namespace_id, name)
  select distinct register_agents.tenant_id, step.namespace_id, wanted.name
  from unnest(register_agents.steps) as step
  cross join lateral (
    select coalesce(step.agent, step.namespace)
    union select step.namespace where step.parent_trace_id is not null
    union select handoff ->> 'from' from jsonb_array_elements(step.handoffs) as handoff
    union select handoff ->> 'to' from jsonb_array_elements(step.handoffs) as handoff
  ) as wanted (name)
  where step.error is null and not exists (
    select from public.agents known
    where known.namespace_id = step.namespace_id and known.name = wanted.name)
  order by 2, 3
  on conflict on constraint agent_name_is_unique_within_its_namespace do nothing;
end $$;

-- Gives steps that need no order their traces, as far as they are there: in its session (and namespace) the latest of the agent
-- that a step names, the active one where it names none.
create function public.find_traces(tenant_id uuid, steps public.step[]) returns public.step[]
language plpgsql stable set search_path = '' as $$
begin
  return (
    with place as materialized (
      select place.*, (
        select traces.id from public.traces
        where traces.tenant_id = find_traces.tenant_id and traces.session_id = place.session_id
          and traces.namespace_id = place.namespace_id and traces.is_active) as active
      from (
        select distinct step.namespace_id, step.session_id, coalesce(step.agent, '') as agent
        from unnest(find_traces.steps) as step
        where step.error is null and step.session_id is not null
      ) as place
    ), found as materialized (
      select place.*, case when place.agent = '' or place.active is null then place.active else (
        select traces.id from public.traces
        where traces.tenant_id = find_traces.tenant_id and traces.session_id = place.session_id and traces.agent_id = (
          select agents.id from public.agents
          where agents.namespace_id = place.namespace_id and agents.name = place.agent)
        order by traces.id desc limit 1) end as trace
      from place
    )
    select array_agg((
      step.index, step.type, step.session_id, step.agent, step.occurred_at, step.trace_id, step.parent_trace_id,
      step.handoffs, step.namespace, step.namespace_id, coalesce(step.trace, found.trace), null, null,
      step.error)::public.step order by step.index)
    from unnest(find_traces.steps) as step
    left join found on found.namespace_id = step.namespace_id and found.session_id = step.session_id
      and found.agent = coalesce(step.agent, ''));
end $$;

-- Opens what find_traces misses: in each session (and namespace) without an active trace a root, for the agent of its first
-- step; then under the root a trace for each other agent that has none.
create function public.open_traces(tenant_id uuid, steps public.step[]) returns void
language plpgsql set search_path = '' as $$
begin
  with first_step as materialized (
    select distinct on (step.namespace_id, step.session_id)
           step.index, step.namespace_id, step.session_id, step.agent, step.occurred_at, (
             select agents.id from public.agents
             where agents.namespace_id = step.namespace_id and agents.name = coalesce(step.agent, step.namespace)) as agent_id
    from unnest(open_traces.steps) as step
    where step.error is null and step.session_id is not null
    order by step.namespace_id, step.session_id, step.index
  ), without_active as materialized (
    select first_step.*, (
      select traces.id from public.traces
      where traces.tenant_id = open_traces.tenant_id and traces.session_id = first_step.session_id
        and traces.agent_id = first_step.agent_id and first_step.agent is not null
      order by traces.id desc limit 1) as known
    from first_step
    where (
      select traces.id from public.traces
      where traces.tenant_id = open_traces.tenant_id and traces.session_id = first_step.session_id
        and traces.namespace_id = first_step.namespace_id and traces.is_active) is null
  ), activated as (
    update public.traces set is_active = true
    where traces.id = any (array(select without_active.known from without_active))
  )
  insert into public.traces (id, tree_id, tenant_id, namespace_id, agent_id, session_id, created_at, is_active)
  select root.id, root.id, open_traces.tenant_id, root.namespace_id, root.agent_id, root.session_id, root.occurred_at, true
  from (
    select nextval('public.traces_id_seq') as id, without_active.* from without_active
    where without_active.known is null
  ) as root;

  with named as materialized (
    select distinct on (step.namespace_id, step.session_id, step.agent)
           step.index, step.namespace_id, step.session_id, step.occurred_at, (
             select agents.id from public.agents
             where agents.namespace_id = step.namespace_id and agents.name = step.agent) as agent_id
    from unnest(open_traces.steps) as step
    where step.error is null and step.session_id is not null and step.agent is not null
    order by step.namespace_id, step.session_id, step.agent, step.index
  ), child as materialized (
    select named.*, (
      select traces.tree_id from public.traces
      where traces.tenant_id = open_traces.tenant_id and traces.session_id = named.session_id
        and traces.namespace_id = named.namespace_id and traces.is_active) as tree_id
    from named
    where (
      select traces.id from public.traces
      where traces.tenant_id = open_traces.tenant_id and traces.session_id = named.session_id
        and traces.agent_id = named.agent_id limit 1) is null
  )
  insert into public.traces (tree_id, parent_id, tenant_id, namespace_id, agent_id, session_id, created_at)
  select child.tree_id, child.tree_id, open_traces.tenant_id, child.namespace_id, child.agent_id, child.session_id,
         child.occurred_at
  from child order by child.index;
end $$;

-- Opens a tree for each record that has neither session nor handoffs nor ids, all at once.
create function public.open_lone_traces(tenant_id uuid, steps public.step[]) returns public.step[]
language plpgsql set search_path = '' as $$
declare
  placed public.step[];
begin
  with lone as (
    select step.*, case when step.error is null and step.type = 'message' and step.session_id is null
        and step.handoffs = '[]' and step.trace_id is null and step.parent_trace_id is null
      then nextval('public.traces_id_seq') end as opened
    from unnest(open_lone_traces.steps) as step
  ), inserted as (
    insert into public.traces (id, tree_id, tenant_id, namespace_id, agent_id, created_at)
    select lone.opened, lone.opened, open_lone_traces.tenant_id, agents.namespace_id, agents.id, lone.occurred_at
    from lone join public.agents on agents.namespace_id = lone.namespace_id and agents.name = lone.agent
    where lone.opened is not null
  )
  select array_agg((
    lone.index, lone.type, lone.session_id, lone.agent, lone.occurred_at, lone.trace_id, lone.parent_trace_id,
    lone.handoffs, lone.namespace, lone.namespace_id, lone.opened, null, null, lone.error)::public.step
    order by lone.index)
  into placed
  from lone;
  return placed;
end $$;

-- One step after the other: which trace each of them goes to, where handoffs or the ids of clients make the order matter. What
-- cannot be, because of what a client says of its tree, becomes an error.
create function public.choose_traces(tenant_id uuid, steps public.step[]) returns public.step[]
language plpgsql set search_path = '' as $$
declare
  chosen public.step[] := '{}';
  active_traces jsonb := '{}'; -- by [namespace_id, session_id, without one: index]
  moved_traces jsonb := '{}'; -- of them, those that have changed
  scope text;
  next_step public.step;
  step jsonb;
  said jsonb;
  said_before jsonb;
  handoff jsonb;
  named jsonb;
  active bigint;
  from_trace bigint;
  trace bigint;
begin
  foreach next_step in array steps loop
    step := to_jsonb(next_step);
    -- A run of steps that say the same goes to the same trace.
    said := step - array['index', 'occurred_at', 'type'];
    if next_step.trace is not null or next_step.error is not null
      or next_step.session_id is null and next_step.type = 'log' and next_step.trace_id is null
        and next_step.parent_trace_id is null then
      chosen := array_append(chosen, next_step);
      continue;
    elsif said = said_before and next_step.handoffs = '[]' then
      next_step.trace := trace;
      chosen := array_append(chosen, next_step);
      continue;
    end if;
    said_before := said;

    scope := jsonb_build_array(
      step -> 'namespace_id', step -> 'session_id', case when step ->> 'session_id' is null then step -> 'index' end);
    if not active_traces ? scope then
      active_traces := active_traces || jsonb_build_object(scope, (
        select traces.id from public.traces
        where traces.tenant_id = choose_traces.tenant_id and traces.session_id = step ->> 'session_id'
          and traces.namespace_id = (step ->> 'namespace_id')::bigint and traces.is_active));
    end if;
    active := active_traces ->> scope;

    if step ->> 'trace_id' is not null or step ->> 'parent_trace_id' is not null then
      named := public.named_trace(tenant_id, step);
      trace := named ->> 'trace';
      if trace is null then
        next_step.error := public.refusal('invalid_payload', named ->> 'problem');
        chosen := array_append(chosen, next_step);
        said_before := null;
        continue;
      end if;
      active := coalesce(active, (
        select traces.id from public.traces where traces.id = trace and traces.session_id = step ->> 'session_id'));
    else
      if step ->> 'type' <> 'message' then -- a handoff is a step of the trace that it leaves
        trace := public.trace_of_step(tenant_id, step, step ->> 'agent', active);
        active := coalesce(active, trace);
      end if;
      for handoff in select jsonb_array_elements(step -> 'handoffs') loop
        from_trace := public.trace_of_step(tenant_id, step, handoff ->> 'from', active);
        active := public.hand_over(tenant_id, step, from_trace, handoff ->> 'to', coalesce(active, from_trace));
      end loop;
      if step ->> 'type' = 'message' then -- a record tells of what led to it
        trace := public.trace_of_step(tenant_id, step, step ->> 'agent', active);
        active := coalesce(active, trace);
      end if;
    end if;
    next_step.trace := trace;
    chosen := array_append(chosen, next_step);
    if active is distinct from (active_traces ->> scope)::bigint then
      active_traces := active_traces || jsonb_build_object(scope, active);
      moved_traces := moved_traces || jsonb_build_object(scope, active);
    end if;
  end loop;
  if moved_traces = '{}' then return chosen; end if;

  update public.traces set is_active = false
  from jsonb_each_text(moved_traces) as wanted (scope, trace)
  where traces.tenant_id = choose_traces.tenant_id and traces.is_active
    and traces.session_id = wanted.scope::jsonb ->> 1 and traces.namespace_id = (wanted.scope::jsonb ->> 0)::bigint
    and traces.id <> wanted.trace::bigint;
  update public.traces set is_active = true
  from jsonb_each_text(moved_traces) as wanted (scope, trace)
  where traces.id = wanted.trace::bigint and traces.session_id is not null and not traces.is_active;
  return chosen;
end $$;

-- Gives each step its number in its trace, and the trace's public id, and counts it there.
create function public.number_steps(steps public.step[]) returns public.step[]
language plpgsql set search_path = '' as $$
declare
  trace_ids bigint[] := array(
    select distinct step.trace from unnest(number_steps.steps) as step where step.error is null and step.trace is not null);
  placed public.step[];
begin
  with numbered as materialized (
    select step.*, case when step.error is null then step.trace end as chosen,
           row_number() over (partition by step.trace, step.error is null order by step.index) as number
    from unnest(number_steps.steps) as step
  ), counted as (
    update public.traces set step_count = traces.step_count + added.number
    from (
      select numbered.chosen, max(numbered.number) as number from numbered
      where numbered.chosen is not null group by numbered.chosen
    ) as added
    where traces.id = added.chosen and traces.id = any (trace_ids)
    returning traces.id, traces.public_id, traces.step_count - added.number as before
  )
  select array_agg((
    numbered.index, numbered.type, numbered.session_id, numbered.agent, numbered.occurred_at, numbered.trace_id,
    numbered.parent_trace_id, numbered.handoffs, numbered.namespace, numbered.namespace_id, numbered.chosen,
    counted.public_id, counted.before + numbered.number, numbered.error)::public.step order by numbered.index)
  into placed
  from numbered left join counted on counted.id = numbered.chosen;
  return placed;
end $$;

-- Gives the steps their traces, and opens those that are not there yet. All at once, unless some steps hand over or name
-- traces.
create function public.place_in_traces(tenant_id uuid, steps public.step[]) returns public.step[]
language plpgsql set search_path = '' as $$
declare
  placed public.step[] := steps;
  have_new_agents boolean;
  some_are_lone boolean;
  need_order boolean;
begin
  select bool_or(agents.id is null), bool_or(step.session_id is null and step.type = 'message'),
         bool_or(step.handoffs <> '[]' or step.trace_id is not null or step.parent_trace_id is not null)
  into have_new_agents, some_are_lone, need_order
  from unnest(steps) as step
  left join public.agents
    on agents.namespace_id = step.namespace_id and agents.name = coalesce(step.agent, step.namespace)
  where step.error is null
    and (step.session_id is not null or step.type = 'message' or step.trace_id is not null or step.parent_trace_id is not null);
  if need_order is null then return steps; end if;

  if have_new_agents or need_order then perform public.register_agents(tenant_id, steps); end if;
  perform public.hold_trees(steps);
  if some_are_lone then placed := public.open_lone_traces(tenant_id, placed); end if;
  if need_order then return public.number_steps(public.choose_traces(tenant_id, placed)); end if;

  placed := public.find_traces(tenant_id, placed);
  if exists (
    select from unnest(placed) as step
    where step.trace is null and step.session_id is not null and step.error is null) then
    perform public.open_traces(tenant_id, placed);
    placed := public.find_traces(tenant_id, placed);
  end if;
  return public.number_steps(placed);
end $$;

-- Stores the items whose steps have no error: logs as log entries, the others as records. An agent that is not named is the
-- namespace's own in a record, and none in a log entry.
create function public.store_steps(tenant_id uuid, items jsonb, steps public.step[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.records (
    tenant_id, namespace_id, session_id, trace_id, step_number, type, agent, occurred_at, latency_ms, model,
    input_tokens, output_tokens, process_tokens, memory_tokens, total_tokens, content)
  select store_steps.tenant_id, step.namespace_id, step.session_id, step.trace, step.step_number, step.type,
         coalesce(step.agent, step.namespace), step.occurred_at, item.latency_ms, item.model, item.input_tokens,
         item.output_tokens, item.process_tokens, item.memory_tokens, item.total_tokens, item.content
  from unnest(store_steps.steps) as step
  join jsonb_to_recordset(store_steps.items) as item (
    index integer, latency_ms bigint, model text, input_tokens bigint, output_tokens bigint, process_tokens bigint,
    memory_tokens bigint, total_tokens bigint, content jsonb) on item.index = step.index
  where step.error is null and step.type <> 'log'
  order by step.index;

  if not exists (select from unnest(store_steps.steps) as step where step.type = 'log') then return; end if;
  insert into public.logs (
    tenant_id, namespace_id, session_id, trace_id, step_number, agent, level, resource_id, occurred_at, content)
  select store_steps.tenant_id, step.namespace_id, step.session_id, step.trace, step.step_number, step.agent, item.level,
         item.resource_id, step.occurred_at, item.content
  from unnest(store_steps.steps) as step
  join jsonb_to_recordset(store_steps.items) as item (index integer, level text, resource_id text, content jsonb)
    on item.index = step.index
  where step.error is null and step.type = 'log'
  order by step.index;
end $$;

-- What became of each item, in order: [{index, type, status: ok | error, result | error}].
create function public.item_results(items jsonb, steps public.step[]) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(
      case when item.error is null and step.error is null then
        jsonb_build_object('index', item.index, 'type', item.type, 'status', 'ok', 'result',
          case when step.public_trace_id is null then item.result
            else item.result || jsonb_build_object('trace_id', step.public_trace_id) end)
      else jsonb_build_object('index', item.index, 'type', item.type, 'status', 'error', 'error',
        coalesce(item.error, step.error -> 'error'))
      end order by item.index), '[]')
    from jsonb_to_recordset(item_results.items) as item (index integer, type text, error jsonb, result jsonb)
    left join unnest(item_results.steps) as step on step.index = item.index);
end $$;

-- POST /traces/llm, /traces/tool, /traces/handoff, /traces/log (one item) and /traces/batch (1 to 100).
-- payload.items: each is refused already, {index, type, error: {code, message}}, or {index, type, session_id?,
-- namespace?, agent?, occurred_at?, latency_ms?, model?, input_tokens?, output_tokens?, total_tokens?, level?,
-- resource_id?, trace_id?, parent_trace_id?, content, result}, type being llm, tool, handoff or log and result what its sender gets back.
-- data: {results: [...]}, see item_results. All items that are not refused are stored, or none is.
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create or replace function public.record_traces(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := public.identify_sender(record_traces.payload);
  tenant_id uuid := admission ->> 'tenant_id';
  items jsonb := record_traces.payload -> 'items';
  steps public.step[];
  results jsonb;
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  -- The key before the count: a request that waits for its twin must not hold up the other requests of its token.
  admission := public.replay_or_claim(admission, record_traces.payload);
  admission := public.count_request(admission, record_traces.payload);
  if admission ?| array['error', 'replay'] then return admission; end if;

  steps := public.place_in_traces(tenant_id, public.place_in_sessions(admission, items));
  perform public.store_steps(tenant_id, items, steps);

  results := public.item_results(items, steps);
  return public.settle_idempotency_key(
    admission || case
      when (record_traces.payload ->> 'single')::boolean and results -> 0 ? 'error'
        then jsonb_build_object('error', results -> 0 -> 'error')
      else jsonb_build_object('data', jsonb_build_object('results', results))
    end, record_traces.payload);
end $$;

-- POST /records/upload and /logs/upload. payload.items: as in record_traces, of type message or log, without results;
-- each names its namespace. data: {inserted_count, duplicates: [index, ...]}. An item that the token may not store
-- refuses the request, forbidden, and nothing is stored. payload.anonymization_version: see identify_sender.
create or replace function public.upload_items(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := public.identify_sender(upload_items.payload);
  tenant_id uuid := admission ->> 'tenant_id';
  items jsonb := upload_items.payload -> 'items';
  steps public.step[];
  refusal jsonb;
  duplicates integer[];
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  admission := public.count_request(admission, upload_items.payload);
  if admission ? 'error' then return admission; end if;
  refusal := public.upload_refusal(admission, items);
  if refusal is not null then return admission || refusal; end if;

  steps := public.place_in_sessions(admission, items);
  select step.error into refusal from unnest(steps) as step where step.error is not null limit 1;
  if refusal is not null then
    raise sqlstate 'TR403'; -- caught below: it takes back what place_in_sessions has written
  end if;

  duplicates := public.duplicate_records(tenant_id, items);
  steps := array(select step from unnest(steps) as step where step.index <> all (duplicates) order by step.index);
  steps := public.place_in_traces(tenant_id, steps);
  perform public.store_steps(tenant_id, items, steps);

  return admission || jsonb_build_object('data', jsonb_build_object(
    'inserted_count', cardinality(steps), 'duplicates', to_jsonb(duplicates)));
exception when sqlstate 'TR403' then
  return admission || refusal;
end $$;

drop function
  public.touch_sessions, public.place_items, public.hold_trees(jsonb[]), public.register_agents(uuid, jsonb[]),
  public.open_lone_traces(uuid, jsonb[]), public.choose_traces(uuid, jsonb[]), public.steps_of, public.place_steps,
  public.insert_records, public.insert_logs, public.item_results(jsonb, jsonb);

revoke all on type public.step from public, anon, authenticated;
grant usage on type public.step to service_role;
revoke execute on function
  public.usable_namespaces, public.place_in_sessions, public.hold_trees, public.register_agents, public.find_traces,
  public.open_traces, public.open_lone_traces, public.choose_traces, public.number_steps, public.place_in_traces,
  public.store_steps, public.item_results
  from public, anon, authenticated;
grant execute on function
  public.usable_namespaces, public.place_in_sessions, public.hold_trees, public.register_agents, public.find_traces,
  public.open_traces, public.open_lone_traces, public.choose_traces, public.number_steps, public.place_in_traces,
  public.store_steps, public.item_results
  to service_role;
