-- Registering namespaces on purpose, and listing them.

-- What of a name people tell apart: its letters and digits, in one case.
create function public.namespace_skeleton(name text) returns text
language sql immutable set search_path = ''
return regexp_replace(lower(namespace_skeleton.name), '[^[:alnum:]]', '', 'g');

-- Whether two names are too easily taken for each other: they differ in case and separators only, or by one letter put in
-- or left out (`my-agent`, `my_agents`). A digit tells apart: `agent-1` and `agent-2` are two.
create function public.names_are_similar(one text, other text) returns boolean
language plpgsql immutable set search_path = '' as $$
declare
  shorter text := public.namespace_skeleton(names_are_similar.one);
  longer text := public.namespace_skeleton(names_are_similar.other);
begin
  if length(shorter) > length(longer) then
    return public.names_are_similar(names_are_similar.other, names_are_similar.one);
  end if;
  if shorter = longer then return shorter <> ''; end if;
  if length(longer) - length(shorter) <> 1 or length(shorter) < 4 then return false; end if;

  return exists (
    select from generate_series(1, length(longer)) as place
    where substr(longer, place, 1) !~ '[0-9]' and overlay(longer placing '' from place for 1) = shorter);
end $$;

-- A namespace as clients get it.
create function public.namespace_view(namespace public.namespaces) returns jsonb
language sql stable set search_path = ''
return jsonb_build_object(
  'namespace', (namespace_view.namespace).name,
  'created_at', public.timestamp_text((namespace_view.namespace).created_at));

-- POST /namespace/register. payload.namespace. data: {namespace, created_at}. Refuses forbidden, namespace_taken and
-- namespace_too_similar {similar_namespaces, suggestion}.
create function public.register_namespace(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(register_namespace.payload);
  owner_id uuid := admission ->> 'tenant_id';
  wanted text := register_namespace.payload ->> 'namespace';
  similar_names jsonb;
  registered public.namespaces;
begin
  if admission ? 'error' then return admission; end if;
  if not coalesce((
    select tracer_tokens.namespaces is null or wanted = any (tracer_tokens.namespaces)
    from public.tracer_tokens where tracer_tokens.id = (admission ->> 'token_id')::uuid), false) then
    return admission || public.namespace_refusal(wanted);
  end if;

  -- One at a time per tenant: of two similar names at once, the second finds the first.
  perform pg_advisory_xact_lock(hashtextextended('register_namespace' || owner_id, 0));
  if exists (select from public.namespaces where namespaces.tenant_id = owner_id and namespaces.name = wanted) then
    return admission || public.refusal('namespace_taken', format('The namespace "%s" is registered already.', wanted));
  end if;
  select jsonb_agg(namespaces.name order by namespaces.name) into similar_names from public.namespaces
  where namespaces.tenant_id = owner_id and public.names_are_similar(namespaces.name, wanted);
  if similar_names is not null then
    return admission || jsonb_build_object('error', jsonb_build_object(
      'code', 'namespace_too_similar',
      'message', format('The namespace "%s" is too similar to %s.', wanted, similar_names ->> 0),
      'similar_namespaces', similar_names,
      'suggestion', format('Use "%s", or choose a name that differs more.', similar_names ->> 0)));
  end if;

  perform public.register_namespaces(owner_id, array[wanted]);
  select namespaces.* into registered from public.namespaces
  where namespaces.tenant_id = owner_id and namespaces.name = wanted;
  return admission || jsonb_build_object('data', public.namespace_view(registered));
end $$;

-- GET /namespaces. data: {namespaces: [{namespace, created_at}]}, those that the token may use, by name.
create function public.list_namespaces(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(list_namespaces.payload);
begin
  if admission ? 'error' then return admission; end if;

  return admission || jsonb_build_object('data', jsonb_build_object('namespaces', (
    select coalesce(jsonb_agg(public.namespace_view(namespace) order by namespace.name), '[]')
    from public.namespaces namespace
    where namespace.tenant_id = (admission ->> 'tenant_id')::uuid
      and public.may_use_namespace(admission, namespace.name))));
end $$;

-- Why the items may not be uploaded, null where they may: forbidden, with `unregistered_namespaces` (where the tenant
-- insists on registered ones) and `namespaces_without_token` (those that the token is not bound to).
create function public.upload_refusal(admission jsonb, items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  refused text[];
  unregistered jsonb;
  unbound jsonb;
begin
  select array_agg(distinct item.namespace order by item.namespace) into refused
  from jsonb_to_recordset(upload_refusal.items) as item (namespace text)
  where not public.may_use_namespace(upload_refusal.admission, item.namespace);
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

revoke execute on function
  public.namespace_skeleton, public.names_are_similar, public.namespace_view, public.register_namespace,
  public.list_namespaces, public.upload_refusal
  from public, anon, authenticated;
grant execute on function
  public.namespace_skeleton, public.names_are_similar, public.namespace_view, public.register_namespace,
  public.list_namespaces, public.upload_refusal
  to service_role;
