-- Reading traces: lists, trees, the steps as a file; and taking their content away. Source: the SOAT Traces API.

-- The traces with these ids as clients get them, in this order: SOAT's Trace, and after it our own members.
create function public.trace_views(ids bigint[]) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', traces.public_id,
      'project_id', namespaces.public_id,
      'agent_id', agents.public_id,
      'file_id', case when traces.step_count > 0 then 'file_' || traces.public_id end,
      'step_count', traces.step_count,
      'parent_trace_id', parents.public_id,
      'root_trace_id', case when traces.parent_id is not null then roots.public_id end,
      'created_at', public.timestamp_text(traces.created_at),
      'namespace', namespaces.name,
      'agent', agents.name,
      'session_id', traces.session_id,
      'content_redacted_at', public.timestamp_text(traces.content_redacted_at)) order by wanted.place), '[]')
    from unnest(trace_views.ids) with ordinality as wanted (id, place)
    join public.traces on traces.id = wanted.id
    join public.namespaces on namespaces.id = traces.namespace_id
    join public.agents on agents.id = traces.agent_id
    join public.traces roots on roots.id = traces.tree_id
    left join public.traces parents on parents.id = traces.parent_id);
end $$;

-- GET /traces. payload.query: {project_id?, session_id?, agent?, start_date?, end_date?, root_only?, limit, offset}, dates
-- inclusive, project_id being a namespace's public id or its name. data: {traces: [trace_views], total}, newest first.
create function public.list_traces(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  query jsonb := list_traces.payload -> 'query';
  admission jsonb := public.admit(list_traces.payload);
  owner_id uuid := admission ->> 'tenant_id';
  wanted_namespace text;
  namespace_ids bigint[];
  agent_ids bigint[];
  ids bigint[];
  total bigint;
begin
  if admission ? 'error' then return admission; end if;
  if query ? 'agent' then
    agent_ids := array(
      select agents.id from public.agents where agents.tenant_id = owner_id and agents.name = query ->> 'agent');
  end if;
  if query ? 'project_id' then
    wanted_namespace := coalesce(
      (select namespaces.name from public.namespaces
       where namespaces.tenant_id = owner_id and namespaces.public_id = query ->> 'project_id'),
      query ->> 'project_id');
    admission := public.in_namespace(admission, wanted_namespace);
    if admission ? 'error' then return admission; end if;
    namespace_ids := array[public.namespace_id(owner_id, wanted_namespace)];
  elsif jsonb_typeof(admission -> 'namespaces') = 'array' then
    namespace_ids := array(
      select namespaces.id from public.namespaces
      where namespaces.tenant_id = owner_id and public.may_use_namespace(admission, namespaces.name));
  end if;

  with matching as not materialized (
    select traces.id, traces.created_at from public.traces
    where traces.tenant_id = owner_id
      and (namespace_ids is null or traces.namespace_id = any (namespace_ids))
      and (query ->> 'session_id' is null or traces.session_id = query ->> 'session_id')
      and (agent_ids is null or traces.agent_id = any (agent_ids))
      and (query ->> 'start_date' is null or traces.created_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or traces.created_at <= (query ->> 'end_date')::timestamptz)
      and (query ->> 'root_only' is distinct from 'true' or traces.parent_id is null)
  )
  select
    array(
      select matching.id from matching
      order by matching.created_at desc, matching.id desc
      limit (query ->> 'limit')::integer offset (query ->> 'offset')::bigint),
    (select count(*) from matching)
  into ids, total;
  return admission || jsonb_build_object('data', jsonb_build_object(
    'traces', public.trace_views(ids), 'total', total));
end $$;

-- admit, for a request about one trace: adds {trace: its id}, or refuses not_found. One of another tenant, or in a namespace
-- that the token may not use, looks like one that never was.
create function public.with_trace(admission jsonb, trace_id text) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  trace bigint;
begin
  if admission ? 'error' then return admission; end if;
  select traces.id into trace
  from public.traces join public.namespaces on namespaces.id = traces.namespace_id
  where traces.tenant_id = (admission ->> 'tenant_id')::uuid and traces.public_id = with_trace.trace_id
    and public.may_use_namespace(admission, namespaces.name);
  if trace is null then
    return admission || public.refusal('not_found', 'There is no such trace.');
  end if;
  return admission || jsonb_build_object('trace', trace);
end $$;

-- What with_trace has found as the answer, unless it has refused. data: trace_views' one.
create function public.trace_answer(admission jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object(
    'data', public.trace_views(array[(admission ->> 'trace')::bigint]) -> 0);
end $$;

-- GET /traces/{trace_id}. payload.trace_id. data: the trace.
create function public.get_trace(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return public.trace_answer(public.with_trace(public.admit(get_trace.payload), get_trace.payload ->> 'trace_id'));
end $$;

-- GET /traces/{trace_id}/tree. payload.trace_id: any trace of the tree. data: {traces: [trace_views]}, all of the tree in
-- order of creation, its root among them. The API makes the tree of the list.
create function public.get_trace_tree(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.with_trace(public.admit(get_trace_tree.payload), get_trace_tree.payload ->> 'trace_id');
  tree bigint;
begin
  if admission ? 'error' then return admission; end if;
  select traces.tree_id into tree from public.traces where traces.id = (admission ->> 'trace')::bigint;
  return admission || jsonb_build_object('data', jsonb_build_object('traces', public.trace_views(array(
    select traces.id from public.traces where traces.tree_id = tree order by traces.created_at, traces.id))));
end $$;

-- with_trace, for a file: that of a trace with steps. Its id is the trace's with `file_` in front.
create function public.with_file(admission jsonb, file_id text) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  found_trace jsonb := public.with_trace(admission, substr(with_file.file_id, 6));
begin
  if admission ? 'error' then return admission; end if;
  if with_file.file_id like 'file\_%' and exists (
    select from public.traces where traces.id = (found_trace ->> 'trace')::bigint and traces.step_count > 0) then
    return found_trace;
  end if;
  return admission || public.refusal('not_found', 'There is no such file.');
end $$;

-- GET /files/{file_id}. payload.file_id. data: the trace, as in get_trace.
create function public.get_file(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return public.trace_answer(public.with_file(public.admit(get_file.payload), get_file.payload ->> 'file_id'));
end $$;

-- A page of GET /files/{file_id}/download. payload.query: {file_id, limit, bytes, after?}. data: {rows, next}: the steps of the
-- trace in the order in which they happened, {step_number} with a record_view or, of type log, a log_view.
create function public.export_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  query jsonb := export_steps.payload -> 'query';
  admission jsonb := public.with_file(public.admit_page(export_steps.payload), query ->> 'file_id');
  trace bigint := admission ->> 'trace';
  wanted integer := (query ->> 'limit')::integer + 1;
  after_time timestamptz := query #>> '{after,occurred_at}';
  after_step integer := query #>> '{after,id}';
  namespace text;
  source refcursor;
begin
  if admission ? 'error' then return admission; end if;
  select namespaces.name into namespace
  from public.traces join public.namespaces on namespaces.id = traces.namespace_id where traces.id = trace;

  open source for -- with a limit, so that each view is made when it is fetched
    select
      case step.kind
        when 'record' then (
          select public.record_view(records, namespace) from public.records where records.id = step.id)
        else (
          select public.log_view(logs, namespace) || '{"type": "log"}' from public.logs where logs.id = step.id)
      end || jsonb_build_object('step_number', step.step_number) as view,
      step.occurred_at, step.step_number::bigint as id
    from (
      (select 'record' as kind, records.id, records.occurred_at, records.step_number from public.records
       where records.trace_id = trace
         and (after_time is null or (records.occurred_at, records.step_number) > (after_time, after_step))
       order by records.occurred_at, records.step_number limit wanted)
      union all
      (select 'log', logs.id, logs.occurred_at, logs.step_number from public.logs
       where logs.trace_id = trace
         and (after_time is null or (logs.occurred_at, logs.step_number) > (after_time, after_step))
       order by logs.occurred_at, logs.step_number limit wanted)
    ) as step
    order by step.occurred_at, step.step_number
    limit wanted;
  return admission || jsonb_build_object(
    'data', public.page_of(source, (query ->> 'limit')::integer, (query ->> 'bytes')::integer));
end $$;

-- DELETE /traces/{trace_id}/content. payload.trace_id. Takes away for good what was said in the trace and in all below it, and
-- leaves the skeleton: ids, times, counts. Again it changes nothing, but for steps that have come since. data: the trace, as
-- in get_trace.
create function public.purge_trace_content(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.with_trace(
    public.admit(purge_trace_content.payload), purge_trace_content.payload ->> 'trace_id');
  trace bigint := admission ->> 'trace';
  purged bigint[];
begin
  if admission ? 'error' then return admission; end if;
  -- Alone with the namespace's trees: steps that are being stored are waited for. See hold_trees.
  perform pg_advisory_xact_lock(public.trees_lock(traces.namespace_id))
  from public.traces where traces.id = trace;
  with recursive below as (
    select trace as id
    union all
    select traces.id from below join public.traces on traces.parent_id = below.id
  )
  select array_agg(below.id) into purged from below;

  with emptied as (
    update public.records set content = null
    where records.trace_id = any (purged) and records.content is not null returning records.trace_id
  ), emptied_logs as (
    update public.logs set content = null
    where logs.trace_id = any (purged) and logs.content is not null returning logs.trace_id
  )
  update public.traces set content_redacted_at = now()
  where traces.id = any (purged) and (traces.content_redacted_at is null
    or traces.id in (select emptied.trace_id from emptied union all select emptied_logs.trace_id from emptied_logs));
  return public.trace_answer(admission);
end $$;

revoke execute on function
  public.trace_views, public.list_traces, public.with_trace, public.trace_answer,
  public.get_trace, public.get_trace_tree, public.with_file,
  public.get_file, public.export_steps, public.purge_trace_content
  from public, anon, authenticated;
grant execute on function
  public.trace_views, public.list_traces, public.with_trace, public.trace_answer,
  public.get_trace, public.get_trace_tree, public.with_file,
  public.get_file, public.export_steps, public.purge_trace_content
  to service_role;
