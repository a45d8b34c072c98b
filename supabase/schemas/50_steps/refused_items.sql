-- Which items the token may not store, as far as it is bound to namespaces.

-- The refusals of items: [{index, code, message}]. The sessions of the others are opened: another request may be opening them
-- elsewhere at this moment, and then its namespace decides.
create function internal.refused_items(admission jsonb, items jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(refused_items.admission);
  refused jsonb;
begin
  if usable is null then return '[]'; end if;
  refused := internal.refused_now(owner_id, usable, refused_items.items);
  perform internal.places_of(owner_id, internal.not_refused(refused_items.items, refused));
  return refused || internal.refused_now(owner_id, usable, internal.not_refused(refused_items.items, refused));
end $$;

-- The items without those that are refused.
create function internal.not_refused(items jsonb, refused jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if refused = '[]' then return items; end if;
  return to_jsonb(array(
    select item.value
    from jsonb_array_elements(not_refused.items) with ordinality as item (value, number)
    where item.value -> 'index' not in (select refusal.value -> 'index' from jsonb_array_elements(refused) as refusal)
    order by item.number));
end $$;

-- An item is refused where it is given a namespace that is not among the usable ones, belongs to a session in one, or names a
-- trace that has steps in one. A session that is not there yet counts as where it would be opened.
create function internal.refused_now(owner_id uuid, usable text[], items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(
      jsonb_build_object('index', item.value -> 'index') || (refused.refusal -> 'error') order by item.number), '[]')
    from jsonb_array_elements(refused_now.items) with ordinality as item (value, number)
    cross join lateral (
      select case
        when item.value ->> 'namespace' <> all (usable) then internal.namespace_refusal(item.value ->> 'namespace')
        when item.value ? 'session_id'
          and internal.namespace_of_session(owner_id, usable, refused_now.items, item.value ->> 'session_id') <> all (usable) then
          internal.refusal('forbidden', 'This tracer token may not use the namespace of this session. '
            || 'A session that is new and names none is opened in "default".')
        when item.value ? 'trace_id' and exists (
          select from public.steps
          where steps.tree_key = internal.tree_key(owner_id, 'claimed', item.value ->> 'trace_id')
            and steps.tenant_id = owner_id
            and (select namespaces.name from public.namespaces where namespaces.id = steps.namespace_id) <> all (usable)) then
          internal.refusal('forbidden', 'trace_id: this trace is in a namespace that this tracer token may not use.')
      end as refusal
    ) as refused
    where refused.refusal is not null);
end $$;

-- The namespace of a session; of one that is not there, where the items would open it, as far as the token may use theirs.
create function internal.namespace_of_session(owner_id uuid, usable text[], items jsonb, session_id text) returns text
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(
    (select (select namespaces.name from public.namespaces where namespaces.id = sessions.namespace_id)
     from public.sessions where sessions.tenant_id = owner_id and sessions.id = namespace_of_session.session_id),
    (select item.namespace
     from jsonb_to_recordset(namespace_of_session.items) as item (index integer, session_id text, namespace text)
     where item.session_id = namespace_of_session.session_id and item.namespace = any (usable)
     order by item.index limit 1),
    'default');
end $$;
