-- Reading page by page. A page begins after the last row of the one before it (`query.after`, its position) and not at a
-- number of rows: it stays exact while rows are being inserted. Queries and exports read the same pages.

drop function public.page_answer(jsonb, jsonb);

-- Where a row stands among the others, newest first.
create function public.page_position(occurred_at timestamptz, id bigint) returns jsonb
language sql stable set search_path = ''
return jsonb_build_object('occurred_at', public.timestamp_text(page_position.occurred_at), 'id', page_position.id);

-- Which records a query is about, newest first. query: {agent?, session_id?, start_date?, end_date?, after?, offset?,
-- limit, counted?}, dates inclusive. `ids`: a page of them, and one more when there is another page. `total`: all that
-- match, wherever the page begins, when they are to be counted.
create function public.find_records(
  tenant_id uuid, namespace_id bigint, query jsonb, out ids bigint[], out total bigint)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  with matching as not materialized (
    select records.id, records.occurred_at from public.records
    where records.tenant_id = find_records.tenant_id
      and records.namespace_id = find_records.namespace_id
      and (query ->> 'agent' is null or records.agent = query ->> 'agent')
      and (query ->> 'session_id' is null or records.session_id = query ->> 'session_id')
      and (query ->> 'start_date' is null or records.occurred_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or records.occurred_at <= (query ->> 'end_date')::timestamptz)
  )
  select
    array(
      select matching.id from matching
      where query -> 'after' is null or (matching.occurred_at, matching.id)
        < ((query #>> '{after,occurred_at}')::timestamptz, (query #>> '{after,id}')::bigint)
      order by matching.occurred_at desc, matching.id desc
      limit (query ->> 'limit')::integer + 1 offset (query ->> 'offset')::bigint),
    case when (query ->> 'counted')::boolean then (select count(*) from matching) end
  into find_records.ids, find_records.total;
end $$;

-- The same for log entries. query: {level?, resource_id?, start_date?, end_date?, after?, offset?, limit, counted?}.
create function public.find_logs(
  tenant_id uuid, namespace_id bigint, query jsonb, out ids bigint[], out total bigint)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  with matching as not materialized (
    select logs.id, logs.occurred_at from public.logs
    where logs.tenant_id = find_logs.tenant_id
      and logs.namespace_id = find_logs.namespace_id
      and (query ->> 'level' is null or logs.level = query ->> 'level')
      and (query ->> 'resource_id' is null or logs.resource_id = query ->> 'resource_id')
      and (query ->> 'start_date' is null or logs.occurred_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or logs.occurred_at <= (query ->> 'end_date')::timestamptz)
  )
  select
    array(
      select matching.id from matching
      where query -> 'after' is null or (matching.occurred_at, matching.id)
        < ((query #>> '{after,occurred_at}')::timestamptz, (query #>> '{after,id}')::bigint)
      order by matching.occurred_at desc, matching.id desc
      limit (query ->> 'limit')::integer + 1 offset (query ->> 'offset')::bigint),
    case when (query ->> 'counted')::boolean then (select count(*) from matching) end
  into find_logs.ids, find_logs.total;
end $$;

-- A page of the rows that a cursor gives as (view, occurred_at, id), in their order: {rows: [view], next}, `next` being the
-- position to go on after, null at the end. It has no more than `wanted` rows, and no more than `bytes` of JSON unless its
-- first row alone has more. What does not fit is not even read.
create function public.page_of(source refcursor, wanted integer, bytes integer) returns jsonb
language plpgsql set search_path = '' as $$
declare
  item record;
  size bigint := 0;
  views jsonb[] := '{}';
  last_time timestamptz;
  last_id bigint;
  has_more boolean := true;
begin
  loop
    fetch page_of.source into item;
    if not found then
      has_more := false;
      exit;
    end if;
    size := size + octet_length(item.view::text);
    exit when cardinality(views) = wanted or (size > bytes and cardinality(views) > 0);
    views := array_append(views, item.view);
    last_time := item.occurred_at;
    last_id := item.id;
  end loop;
  close page_of.source;
  return jsonb_build_object(
    'rows', to_jsonb(views), 'next', case when has_more then public.page_position(last_time, last_id) end);
end $$;

-- A page of the records that find_records finds in query.namespace: {rows: [record_view], next, count}. Stable, so that all
-- of it sees one moment: a record that is deleted meanwhile does not end the page early.
create function public.record_page(tenant_id uuid, query jsonb, bytes integer) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  namespace text := query ->> 'namespace';
  found_records record;
  source refcursor;
begin
  found_records := public.find_records(
    record_page.tenant_id, public.namespace_id(record_page.tenant_id, namespace), query);
  open source for -- with a limit, so that each view is made when it is fetched
    select public.record_view(records, namespace) as view, records.occurred_at, records.id
    from unnest(found_records.ids) with ordinality as wanted (id, place)
    join public.records on records.id = wanted.id
    order by wanted.place
    limit cardinality(found_records.ids);
  return public.page_of(source, (query ->> 'limit')::integer, record_page.bytes)
    || jsonb_build_object('count', found_records.total);
end $$;

-- The same of the log entries that find_logs finds: {rows: [log_view], next, count}.
create function public.log_page(tenant_id uuid, query jsonb, bytes integer) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  namespace text := query ->> 'namespace';
  found_logs record;
  source refcursor;
begin
  found_logs := public.find_logs(
    log_page.tenant_id, public.namespace_id(log_page.tenant_id, namespace), query);
  open source for
    select public.log_view(logs, namespace) as view, logs.occurred_at, logs.id
    from unnest(found_logs.ids) with ordinality as wanted (id, place)
    join public.logs on logs.id = wanted.id
    order by wanted.place
    limit cardinality(found_logs.ids);
  return public.page_of(source, (query ->> 'limit')::integer, log_page.bytes)
    || jsonb_build_object('count', found_logs.total);
end $$;

-- A page as the answer to a query, or a refusal where it had to end early: the API hands on no more than 16 MiB.
create function public.page_answer(admission jsonb, page jsonb, wanted integer) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if page_answer.page -> 'next' <> 'null' and jsonb_array_length(page_answer.page -> 'rows') < wanted then
    return admission || public.page_refusal();
  end if;
  return admission || jsonb_build_object('data', page_answer.page);
end $$;

-- POST /record_query. payload.query: {namespace, agent?, session_id?, start_date?, end_date?, limit, offset?, after?}.
-- data: {rows: [record_view], next, count: all that match}.
create or replace function public.query_records(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := query_records.payload -> 'query' || '{"counted": true}';
  admission jsonb := public.admit_to_namespace(query_records.payload, query ->> 'namespace');
begin
  if admission ? 'error' then return admission; end if;
  return public.page_answer(
    admission,
    public.record_page((admission ->> 'tenant_id')::uuid, query, 16 * 1024 * 1024),
    (query ->> 'limit')::integer);
end $$;

-- POST /logs/query. payload.query: {namespace, level?, resource_id?, start_date?, end_date?, limit, offset?, after?}.
-- data: {rows: [log_view], next, count: all that match}.
create or replace function public.query_logs(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := query_logs.payload -> 'query' || '{"counted": true}';
  admission jsonb := public.admit_to_namespace(query_logs.payload, query ->> 'namespace');
begin
  if admission ? 'error' then return admission; end if;
  return public.page_answer(
    admission,
    public.log_page((admission ->> 'tenant_id')::uuid, query, 16 * 1024 * 1024),
    (query ->> 'limit')::integer);
end $$;

-- An admission, and the refusal `forbidden` where its token may not use the namespace.
create function public.in_namespace(admission jsonb, namespace text) returns jsonb
language sql immutable set search_path = ''
return case
  when in_namespace.admission ? 'error' or public.may_use_namespace(in_namespace.admission, in_namespace.namespace)
    then in_namespace.admission
  else in_namespace.admission || public.namespace_refusal(in_namespace.namespace) end;

create or replace function public.admit_to_namespace(payload jsonb, namespace text) returns jsonb
language sql set search_path = ''
return public.in_namespace(public.admit(admit_to_namespace.payload), admit_to_namespace.namespace);

-- admit, for a page of an export: every page asks whether the token is still good, the first one counts.
create function public.admit_page(payload jsonb) returns jsonb
language sql set search_path = ''
return case when admit_page.payload -> 'query' ? 'after'
  then public.identify(admit_page.payload) else public.admit(admit_page.payload) end;

-- The same for a page about one namespace.
create function public.admit_to_page(payload jsonb) returns jsonb
language sql set search_path = ''
return public.in_namespace(public.admit_page(admit_to_page.payload), admit_to_page.payload #>> '{query,namespace}');

-- A page of POST /records/export. payload.query: {namespace, agent?, session_id?, start_date?, end_date?, limit, bytes,
-- after?}. data: {rows: [record_view], next}.
create function public.export_records(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := export_records.payload -> 'query';
  admission jsonb := public.admit_to_page(export_records.payload);
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object(
    'data', public.record_page((admission ->> 'tenant_id')::uuid, query, (query ->> 'bytes')::integer));
end $$;

-- A page of POST /logs/export. payload.query: {namespace, level?, resource_id?, start_date?, end_date?, limit, bytes,
-- after?}. data: {rows: [log_view], next}.
create function public.export_logs(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := export_logs.payload -> 'query';
  admission jsonb := public.admit_to_page(export_logs.payload);
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object(
    'data', public.log_page((admission ->> 'tenant_id')::uuid, query, (query ->> 'bytes')::integer));
end $$;

revoke execute on function
  public.page_position, public.find_records, public.find_logs, public.page_of, public.record_page, public.log_page,
  public.page_answer, public.in_namespace, public.admit_page,
  public.admit_to_page, public.export_records, public.export_logs
  from public, anon, authenticated;
grant execute on function
  public.page_position, public.find_records, public.find_logs, public.page_of, public.record_page, public.log_page,
  public.page_answer, public.in_namespace, public.admit_page,
  public.admit_to_page, public.export_records, public.export_logs
  to service_role;
