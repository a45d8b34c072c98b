-- Reading back what was traced: newest first, ties in a fixed order.
-- Each function is planned anew for the filters that a call really has (force_custom_plan), so that each of them
-- finds its index.

-- A record as it is read: its columns, and its content apart. The API makes a ConversationRecord of it.
create function public.record_view(record public.records, namespace text) returns jsonb
language sql stable set search_path = ''
return jsonb_build_object(
  'namespace', record_view.namespace,
  'agent', (record_view.record).agent,
  'session_id', (record_view.record).session_id,
  'type', (record_view.record).type,
  'inserted_at', public.timestamp_text((record_view.record).occurred_at),
  'latency_ms', (record_view.record).latency_ms,
  'model', (record_view.record).model,
  'input_tokens', (record_view.record).input_tokens,
  'output_tokens', (record_view.record).output_tokens,
  'process_tokens', (record_view.record).process_tokens,
  'memory_tokens', (record_view.record).memory_tokens,
  'total_tokens', (record_view.record).total_tokens,
  'content', (record_view.record).content);

-- A log entry as it is read: its columns, and its content apart.
create function public.log_view(log public.logs, namespace text) returns jsonb
language sql stable set search_path = ''
return jsonb_build_object(
  'namespace', log_view.namespace,
  'session_id', (log_view.log).session_id,
  'agent', (log_view.log).agent,
  'level', (log_view.log).level,
  'resource_id', (log_view.log).resource_id,
  'timestamp', public.timestamp_text((log_view.log).occurred_at),
  'content', (log_view.log).content);

-- The answer to a query, or a refusal of a page that would be too large for the API to hand on: over 16 MiB of JSON.
create function public.page_answer(admission jsonb, page jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if octet_length(page_answer.page::text) <= 16 * 1024 * 1024 then
    return admission || jsonb_build_object('data', page_answer.page);
  end if;
  return admission || public.page_refusal();
end $$;

create function public.page_refusal() returns jsonb
language sql immutable set search_path = ''
return public.refusal('invalid_payload', 'limit: these are more than 16 MiB. Ask for fewer at a time.');

-- POST /record_query. payload.query: {namespace, agent?, session_id?, start_date?, end_date?, limit, offset}, dates
-- inclusive. data: {records: [record_view], count: all that match}.
create function public.query_records(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  query jsonb := query_records.payload -> 'query';
  admission jsonb := public.admit_to_namespace(query_records.payload, query ->> 'namespace');
  wanted_namespace_id bigint := public.namespace_id((admission ->> 'tenant_id')::uuid, query ->> 'namespace');
  data jsonb;
begin
  if admission ? 'error' then return admission; end if;

  with matching as not materialized (
    select records.* from public.records
    where records.tenant_id = (admission ->> 'tenant_id')::uuid
      and records.namespace_id = wanted_namespace_id
      and (query ->> 'agent' is null or records.agent = query ->> 'agent')
      and (query ->> 'session_id' is null or records.session_id = query ->> 'session_id')
      and (query ->> 'start_date' is null or records.occurred_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or records.occurred_at <= (query ->> 'end_date')::timestamptz)
  ), page as materialized (
    select matching.* from matching
    order by matching.occurred_at desc, matching.id desc
    limit (query ->> 'limit')::integer offset (query ->> 'offset')::bigint
  )
  select jsonb_build_object(
    'records', coalesce((
      select jsonb_agg(public.record_view(page::public.records, query ->> 'namespace')
                       order by page.occurred_at desc, page.id desc)
      from page), '[]'),
    'count', (select count(*) from matching))
  into data;
  return public.page_answer(admission, data);
exception when program_limit_exceeded then -- more than Postgres can put together
  return admission || public.page_refusal();
end $$;

-- POST /logs/query. payload.query: {namespace, level?, resource_id?, start_date?, end_date?, limit, offset}, dates
-- inclusive. data: {logs: [log_view], count: all that match}.
create function public.query_logs(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  query jsonb := query_logs.payload -> 'query';
  admission jsonb := public.admit_to_namespace(query_logs.payload, query ->> 'namespace');
  wanted_namespace_id bigint := public.namespace_id((admission ->> 'tenant_id')::uuid, query ->> 'namespace');
  data jsonb;
begin
  if admission ? 'error' then return admission; end if;

  with matching as not materialized (
    select logs.* from public.logs
    where logs.tenant_id = (admission ->> 'tenant_id')::uuid
      and logs.namespace_id = wanted_namespace_id
      and (query ->> 'level' is null or logs.level = query ->> 'level')
      and (query ->> 'resource_id' is null or logs.resource_id = query ->> 'resource_id')
      and (query ->> 'start_date' is null or logs.occurred_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or logs.occurred_at <= (query ->> 'end_date')::timestamptz)
  ), page as materialized (
    select matching.* from matching
    order by matching.occurred_at desc, matching.id desc
    limit (query ->> 'limit')::integer offset (query ->> 'offset')::bigint
  )
  select jsonb_build_object(
    'logs', coalesce((
      select jsonb_agg(public.log_view(page::public.logs, query ->> 'namespace')
                       order by page.occurred_at desc, page.id desc)
      from page), '[]'),
    'count', (select count(*) from matching))
  into data;
  return public.page_answer(admission, data);
exception when program_limit_exceeded then -- more than Postgres can put together
  return admission || public.page_refusal();
end $$;

revoke execute on function
  public.record_view, public.log_view, public.page_answer, public.page_refusal, public.query_records, public.query_logs
  from public, anon, authenticated;
grant execute on function
  public.record_view, public.log_view, public.page_answer, public.page_refusal, public.query_records, public.query_logs
  to service_role;
