-- A page of POST /records/export and /logs/export. payload.query: see find_steps, with {namespace, bytes}. data: {rows:
-- [step_view], next}.
create function public.export_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := export_steps.payload -> 'query';
  admission jsonb := internal.folded(
    internal.in_namespace(internal.admit_page(export_steps.payload), query ->> 'namespace'));
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object(
    'data', internal.page_of_steps((admission ->> 'tenant_id')::uuid, query, (query ->> 'bytes')::integer));
end $$;
