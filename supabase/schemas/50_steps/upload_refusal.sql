-- Why the items may not be uploaded, null where they may: forbidden, with `unregistered_namespaces` (where the tenant
-- insists on registered ones) and `namespaces_without_token` (those that the token is not bound to).
create function internal.upload_refusal(admission jsonb, items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  refused text[];
  unregistered jsonb;
  unbound jsonb;
begin
  select array_agg(distinct item.namespace order by item.namespace) into refused
  from jsonb_to_recordset(upload_refusal.items) as item (namespace text)
  where not internal.may_use_namespace(upload_refusal.admission, item.namespace);
  if refused is null then return null; end if;

  select
    coalesce(jsonb_agg(wanted.name) filter (where token.namespaces is null or wanted.name = any (token.namespaces)), '[]'),
    coalesce(jsonb_agg(wanted.name) filter (where wanted.name <> all (token.namespaces)), '[]')
  into unregistered, unbound
  from public.tracer_tokens token, unnest(refused) as wanted (name)
  where token.id = (upload_refusal.admission ->> 'token_id')::uuid;
  return jsonb_build_object('error', jsonb_build_object(
    'code', 'forbidden',
    'message', format('This tracer token may not store anything in: %s.', array_to_string(refused, ', ')),
    'unregistered_namespaces', unregistered,
    'namespaces_without_token', unbound));
end $$;
