-- The time that a query {start_date?, end_date?} is about: from `begins` until before `ends`, null where it is open. The whole
-- hours in it, which public.counts has, are from `first_hour` until before `last_hour`. What is left is counted by index.
create function internal.hours_of(
  query jsonb, out begins timestamptz, out first_hour timestamptz, out last_hour timestamptz, out ends timestamptz)
language plpgsql stable set search_path = '' as $$
begin
  begins := hours_of.query ->> 'start_date';
  ends := (hours_of.query ->> 'end_date')::timestamptz + interval '1 microsecond'; -- it is inclusive
  first_hour := date_trunc('hour', begins + interval '1 hour' - interval '1 microsecond', 'UTC');
  if ends is not null then
    last_hour := greatest(first_hour, date_trunc('hour', ends, 'UTC'));
  end if;
end $$;

-- How many rows of these lists are in the namespaces, of this label (null: of all), in the whole hours from `first_hour` until
-- before `last_hour` (null: open).
create function internal.counted_rows(
  tenant_id uuid, lists text[], namespace_ids bigint[], label text, first_hour timestamptz, last_hour timestamptz)
returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  return (
    select coalesce(sum(counts.count), 0) from public.counts
    where counts.tenant_id = counted_rows.tenant_id and counts.list = any (counted_rows.lists)
      and counts.namespace_id = any (counted_rows.namespace_ids)
      and (counted_rows.label is not null or counts.label is null)
      and (counted_rows.label is null or counts.label = counted_rows.label)
      and (counted_rows.first_hour is not null or counted_rows.last_hour is not null or counts.hour is null)
      and (counted_rows.first_hour is null or counts.hour >= counted_rows.first_hour)
      and (counted_rows.last_hour is null or counts.hour < counted_rows.last_hour));
end $$;
