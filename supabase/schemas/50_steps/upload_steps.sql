-- POST /records/upload and /logs/upload. payload.items: steps (internal.store_steps) of the kind message or log, each with its
-- namespace. All are stored but duplicates, or none is: an item that the token may not store refuses the request, forbidden.
-- data: {inserted_count, duplicates: [index, ...]}. payload.anonymization_version: see identify_sender.
create function public.upload_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := internal.identify_sender(upload_steps.payload);
  owner_id uuid := admission ->> 'tenant_id';
  items jsonb := upload_steps.payload -> 'items';
  refused jsonb;
  refusal jsonb;
  duplicates integer[];
begin
  if admission ?| array['error', 'anonymization', 'data_keys'] then return admission; end if;
  perform internal.refuse_beyond_limit(admission, upload_steps.payload);
  refusal := internal.upload_refusal(admission, items);
  if refusal is null then
    refused := internal.refused_items(admission, items);
    if refused <> '[]' then refusal := jsonb_build_object('error', (refused -> 0) - 'index'); end if;
  end if;
  if refusal is not null then raise sqlstate 'TR403'; end if;

  duplicates := internal.duplicate_records(owner_id, items);
  if duplicates <> '{}' then
    items := to_jsonb(array( -- jsonb_agg takes long over large values: see docs/performance.md
      select item.value from jsonb_array_elements(items) as item
      where (item.value ->> 'index')::integer <> all (duplicates)));
  end if;
  perform internal.store_steps(owner_id, items);
  return internal.count_or_undo(
    admission || jsonb_build_object('data', jsonb_build_object(
      'inserted_count', jsonb_array_length(items), 'duplicates', to_jsonb(duplicates))), upload_steps.payload);
exception when sqlstate 'TR403' or sqlstate 'TR429' then -- nothing of the above has happened
  return internal.count_request(
    admission || coalesce(refusal, internal.limit_refusal(admission, upload_steps.payload)), upload_steps.payload);
end $$;
