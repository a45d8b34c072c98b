-- Which of the messages were stored within the last 60 seconds, or stand in this request already: their indexes. The
-- others are noted. The primary key settles it: of two uploads at once, the second waits for the first. In the order of
-- the fingerprints, so that two uploads of the same records never wait for each other in a circle.
create function internal.duplicate_records(tenant_id uuid, items jsonb) returns integer[]
language plpgsql set search_path = '' as $$
declare
  fresh integer[];
begin
  with item as (
    select item.index, item.session_id, item.user_id, sha256(convert_to(jsonb_build_array(
             item.namespace, item.session_id, item.agent, coalesce(to_jsonb(item.message_hash), item.content -> 'msg'),
             item.occurred_at)::text, 'UTF8'
           )) as fingerprint
    from jsonb_to_recordset(duplicate_records.items)
      as item (
        index integer, kind text, namespace text, session_id text, user_id text, agent text, occurred_at text,
        message_hash text, content jsonb)
    where item.kind = 'message'
  ), first as (
    select distinct on (item.fingerprint) item.fingerprint, item.index, item.session_id, item.user_id from item
    order by item.fingerprint, item.index
  ), noted as (
    insert into public.record_fingerprints as known (tenant_id, fingerprint, session_id, user_id)
    select duplicate_records.tenant_id, first.fingerprint, first.session_id, first.user_id from first order by first.fingerprint
    on conflict on constraint record_fingerprint_is_unique_within_its_tenant
      do update set stored_at = excluded.stored_at, user_id = excluded.user_id where known.stored_at <= now() - interval '60 seconds'
    returning known.fingerprint
  )
  select array_agg(first.index) into fresh from noted join first using (fingerprint);

  return array(
    select item.index from jsonb_to_recordset(duplicate_records.items) as item (index integer, kind text)
    where item.kind = 'message' and item.index <> all (coalesce(fresh, '{}')) order by item.index);
end $$;
