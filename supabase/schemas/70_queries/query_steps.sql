-- POST /record_query and /logs/query. payload.query: see find_steps, with {namespace}. data: {rows: [step_view], next, count: all
-- that match, namespace_known}.
create function public.query_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := query_steps.payload -> 'query' || '{"counted": true}';
  admission jsonb := internal.folded(internal.admit_to_namespace(query_steps.payload, query ->> 'namespace'));
begin
  if admission ? 'error' then return admission; end if;
  return internal.page_answer(
    admission,
    internal.page_of_steps((admission ->> 'tenant_id')::uuid, query, 16 * 1024 * 1024),
    (query ->> 'limit')::integer);
end $$;

-- A page of the steps that find_steps finds in query.namespace: {rows: [step_view], next, count, namespace_known}. Stable, so that
-- all of it sees one moment: a step that is deleted meanwhile does not end the page early.
create function internal.page_of_steps(tenant_id uuid, query jsonb, bytes integer) returns jsonb
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
