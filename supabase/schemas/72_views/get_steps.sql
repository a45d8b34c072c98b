-- GET /steps. payload.query: {ids: [uuid], max_bytes}. payload.known: see unless_known. data: {steps: [step_view]}, in the
-- order of the ids; those that are not there, or not in the token's namespaces, are absent.
create function public.get_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := get_steps.payload -> 'query';
  admission jsonb := internal.folded(public.admit(get_steps.payload));
  kept jsonb := internal.kept((admission ->> 'tenant_id')::uuid);
  max_bytes integer := query ->> 'max_bytes';
  ids uuid[];
  found_steps jsonb;
begin
  if admission ? 'error' then return admission; end if;
  ids := internal.seen_steps(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission), kept,
    array(select jsonb_array_elements_text(query -> 'ids'))::uuid[]);
  -- One alone is always read: where it is encrypted and large, nobody could ask for less. Else too much is not even read.
  if cardinality(ids) = 1 or internal.bytes_of_steps(ids, max_bytes) <= 16 * 1024 * 1024 then
    found_steps := internal.whole_steps(ids, kept, max_bytes);
  end if;
  if cardinality(ids) <> 1 and coalesce(octet_length(found_steps::text) > 16 * 1024 * 1024, true) then
    return admission || internal.refusal('invalid_payload', 'ids: these are more than 16 MiB. Ask for fewer at a time.');
  end if;
  return internal.unless_known(admission, jsonb_build_object('steps', found_steps), get_steps.payload);
end $$;

-- Those of the ids that are of steps which the token may see, in their order.
create function internal.seen_steps(owner_id uuid, usable text[], kept jsonb, ids uuid[]) returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select wanted.id from unnest(seen_steps.ids) with ordinality as wanted (id, place)
    where (select steps.tenant_id from public.steps where steps.id = wanted.id) = owner_id
      and (usable is null or internal.namespace_of(wanted.id) = any (usable))
      and (kept is null or internal.is_kept_step(kept, wanted.id))
    order by wanted.place);
end $$;

-- How much content is in these steps, of each no more than so much; but all of an encrypted one, which only the API can cut.
create function internal.bytes_of_steps(ids uuid[], max_bytes integer) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select coalesce(sum((
      select case when jsonb_typeof(steps.error) = 'string' then steps.bytes else least(max_bytes, steps.bytes) end
      from public.steps where steps.id = wanted.id)), 0)
    from unnest(bytes_of_steps.ids) as wanted (id));
end $$;

-- The views of these steps, none with more content than so much.
create function internal.whole_steps(ids uuid[], kept jsonb, max_bytes integer) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return to_jsonb(array(
    select internal.cut_view(internal.step_view(said.step, (
      select namespaces.name from public.namespaces where namespaces.id = (said.step).namespace_id), kept), max_bytes)
    from unnest(whole_steps.ids) with ordinality as wanted (id, place)
    cross join lateral (select steps as step from public.steps where steps.id = wanted.id offset 0) as said
    order by wanted.place));
end $$;

-- A step_view whose content is no larger than so many bytes of JSON: its smallest members, as many as fit, and the names of the
-- others in `left_out`. What is encrypted stays as it is: the API cuts it
-- (store/sealing/cut-to-fit.ts).
create function internal.cut_view(step_view jsonb, max_bytes integer) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  left_out text[];
begin
  if step_view -> 'content' ? 'sealed' then return step_view; end if;
  if coalesce(octet_length(step_view ->> 'content') + octet_length(coalesce(step_view ->> 'messages', '')) <= max_bytes, true) then
    return step_view;
  end if;
  left_out := array(
    select member.name
    from (
      select part.key as name, sum(octet_length(part.key || part.value::text) + 6) over (
        order by octet_length(part.value::text), part.key) as bytes
      from jsonb_each(step_view -> 'content' || jsonb_strip_nulls(jsonb_build_object('messages', step_view -> 'messages'))) as part
    ) as member
    where member.bytes > max_bytes order by member.name);
  return step_view || jsonb_build_object(
    'content', (step_view -> 'content') - left_out, 'truncated', true, 'left_out', to_jsonb(left_out),
    'messages', case when 'messages' <> all (left_out) then step_view -> 'messages' end);
end $$;
