-- Bulk uploads of records and logs: all of a request is stored, or nothing.

-- What was uploaded within the last minute, so that a client's repetition is not stored again.
create table public.record_fingerprints (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  fingerprint bytea not null,
  stored_at timestamptz not null default now(),
  constraint record_fingerprint_is_unique_within_its_tenant primary key (tenant_id, fingerprint)
);

comment on column public.record_fingerprints.fingerprint is
  'SHA-256 of namespace, session, agent, message and, when the client gave one, inserted_at.';

create index record_fingerprints_by_age on public.record_fingerprints (stored_at);

alter table public.record_fingerprints enable row level security;
revoke all on table public.record_fingerprints from public, anon, authenticated;
grant select, insert, update, delete on table public.record_fingerprints to service_role;

-- Which of the messages were stored within the last 60 seconds, or stand in this request already: their indexes. The
-- others are noted. The primary key settles it: of two uploads at once, the second waits for the first. In the order of
-- the fingerprints, so that two uploads of the same records never wait for each other in a circle.
create function public.duplicate_records(tenant_id uuid, items jsonb) returns integer[]
language plpgsql set search_path = '' as $$
declare
  fresh integer[];
begin
  with item as (
    select item.index, sha256(convert_to(jsonb_build_array(
             item.namespace, item.session_id, item.agent, item.content -> 'msg', item.occurred_at)::text, 'UTF8'
           )) as fingerprint
    from jsonb_to_recordset(duplicate_records.items)
      as item (
        index integer, type text, namespace text, session_id text, agent text, occurred_at text, content jsonb)
    where item.type = 'message'
  ), first as (
    select distinct on (item.fingerprint) item.fingerprint, item.index from item order by item.fingerprint, item.index
  ), noted as (
    insert into public.record_fingerprints as known (tenant_id, fingerprint)
    select duplicate_records.tenant_id, first.fingerprint from first order by first.fingerprint
    on conflict on constraint record_fingerprint_is_unique_within_its_tenant
      do update set stored_at = excluded.stored_at where known.stored_at <= now() - interval '60 seconds'
    returning known.fingerprint
  )
  select array_agg(first.index) into fresh from noted join first using (fingerprint);

  return array(
    select item.index from jsonb_to_recordset(duplicate_records.items) as item (index integer, type text)
    where item.type = 'message' and item.index <> all (coalesce(fresh, '{}')) order by item.index);
end $$;

-- POST /records/upload and /logs/upload. payload.items: as in record_traces, of type message or log, without results;
-- each names its namespace. data: {inserted_count, duplicates: [index, ...]}. An item that the token may not store
-- refuses the request, forbidden, and nothing is stored.
create function public.upload_items(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(upload_items.payload);
  tenant_id uuid := admission ->> 'tenant_id';
  items jsonb := upload_items.payload -> 'items';
  placements jsonb;
  refusal jsonb;
  duplicates integer[];
begin
  if admission ? 'error' then return admission; end if;
  refusal := public.upload_refusal(admission, items);
  if refusal is not null then return admission || refusal; end if;

  placements := public.place_items(admission, items, public.touch_sessions(admission, items));
  select placement.value into refusal from jsonb_array_elements(placements) as placement
  where placement.value ? 'error' limit 1;
  if refusal is not null then
    raise sqlstate 'TR403'; -- caught below: it takes back what touch_sessions has written
  end if;

  duplicates := public.duplicate_records(tenant_id, items);
  select coalesce(jsonb_agg(placement.value), '[]') into placements from jsonb_array_elements(placements) as placement
  where (placement.value ->> 'index')::integer <> all (duplicates);
  perform public.insert_records(tenant_id, items, placements);
  perform public.insert_logs(tenant_id, items, placements);

  return admission || jsonb_build_object('data', jsonb_build_object(
    'inserted_count', jsonb_array_length(placements), 'duplicates', to_jsonb(duplicates)));
exception when sqlstate 'TR403' then
  return admission || (refusal - 'index');
end $$;

revoke execute on function public.duplicate_records, public.upload_items from public, anon, authenticated;
grant execute on function public.duplicate_records, public.upload_items to service_role;
