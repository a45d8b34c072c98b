-- POST /namespace/register. payload.namespace. data: {namespace, created_at}. Refuses forbidden, namespace_taken and
-- namespace_too_similar {similar_namespaces, suggestion}.
create function public.register_namespace(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(register_namespace.payload);
  owner_id uuid := admission ->> 'tenant_id';
  wanted text := register_namespace.payload ->> 'namespace';
  similar_names jsonb;
  registered public.namespaces;
begin
  if admission ? 'error' then return admission; end if;
  if not coalesce((
    select tracer_tokens.namespaces is null or wanted = any (tracer_tokens.namespaces)
    from public.tracer_tokens where tracer_tokens.id = (admission ->> 'token_id')::uuid), false) then
    return admission || internal.namespace_refusal(wanted);
  end if;

  -- One at a time per tenant: of two similar names at once, the second finds the first.
  perform pg_advisory_xact_lock(hashtextextended('register_namespace' || owner_id, 0));
  if exists (select from public.namespaces where namespaces.tenant_id = owner_id and namespaces.name = wanted) then
    return admission || internal.refusal('namespace_taken', format('The namespace "%s" is registered already.', wanted));
  end if;
  select jsonb_agg(namespaces.name order by namespaces.name) into similar_names from public.namespaces
  where namespaces.tenant_id = owner_id and internal.names_are_similar(namespaces.name, wanted);
  if similar_names is not null then
    return admission || jsonb_build_object('error', jsonb_build_object(
      'code', 'namespace_too_similar',
      'message', format('The namespace "%s" is too similar to %s.', wanted, similar_names ->> 0),
      'similar_namespaces', similar_names,
      'suggestion', format('Use "%s", or choose a name that differs more.', similar_names ->> 0)));
  end if;

  perform internal.register_namespaces(owner_id, array[wanted]);
  select namespaces.* into registered from public.namespaces
  where namespaces.tenant_id = owner_id and namespaces.name = wanted;
  return admission || jsonb_build_object('data', internal.namespace_view(registered));
end $$;

-- Registering namespaces on purpose, and listing them.

-- What of a name people tell apart: its letters and digits, in one case.
create function internal.namespace_skeleton(name text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return regexp_replace(lower(namespace_skeleton.name), '[^[:alnum:]]', '', 'g');
end $$;

-- Whether two names are too easily taken for each other: they differ in case and separators only, or by one letter put in
-- or left out (`my-agent`, `my_agents`). A digit tells apart: `agent-1` and `agent-2` are two.
create function internal.names_are_similar(one text, other text) returns boolean
language plpgsql immutable set search_path = '' as $$
declare
  shorter text := internal.namespace_skeleton(names_are_similar.one);
  longer text := internal.namespace_skeleton(names_are_similar.other);
begin
  if length(shorter) > length(longer) then
    return internal.names_are_similar(names_are_similar.other, names_are_similar.one);
  end if;
  if shorter = longer then return shorter <> ''; end if;
  if length(longer) - length(shorter) <> 1 or length(shorter) < 4 then return false; end if;

  return exists (
    select from generate_series(1, length(longer)) as place
    where substr(longer, place, 1) !~ '[0-9]' and overlay(longer placing '' from place for 1) = shorter);
end $$;
