-- What the models of these names cost a tenant over time, for those that have a price: money per million tokens, from the day
-- valid_from ('-infinity': from ever) until before valid_until ('infinity': until further notice); ranges of a model do not
-- overlap. On each day, of the entries that match the name and are valid by then, that with the most specific pattern counts
-- (most characters other than `*`, then the one without `*`, then the first by name), and of its pattern the latest one.
create function internal.prices_of_models(owner_id uuid, models text[])
returns table (model text, valid_from date, valid_until date, input numeric, cached_input numeric, output numeric)
language plpgsql stable rows 50 set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  return query
    with entries as materialized ( -- so that each pattern is put into LIKE's terms once, and not once for each name
      select
        coalesce(entry.valid_from, '-infinity') as since, entry.input, entry.cached_input, entry.output,
        replace(replace(replace(replace(lower(entry.model), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%') as alike,
        row_number() over (
          order by char_length(replace(entry.model, '*', '')) desc, strpos(entry.model, '*') > 0,
                   lower(entry.model) collate "C", entry.valid_from desc nulls last) as place
      from internal.price_entries(prices_of_models.owner_id) as entry
    ),
    names as materialized (
      select distinct wanted.name, lower(wanted.name) as lowered from unnest(prices_of_models.models) as wanted (name)
    ),
    -- An entry never ends by itself: it counts from its first day on, unless a better one is valid by then, until a better
    -- one comes.
    matches as (
      select names.name, entries.*, min(entries.place) over (partition by names.name order by entries.since, entries.place) as best
      from names join entries on names.lowered like entries.alike
    )
    select
      matches.name, matches.since,
      lead(matches.since, 1, 'infinity') over (partition by matches.name order by matches.since),
      coalesce(matches.input, 0), coalesce(matches.cached_input, matches.input, 0), coalesce(matches.output, 0)
    from matches where matches.place = matches.best;
end $$;

-- The entries that apply to a tenant: its own, else the known ones.
create function internal.price_entries(owner_id uuid)
returns table (model text, valid_from date, input numeric, cached_input numeric, output numeric)
language plpgsql stable set search_path = '' as $$
declare
  own jsonb := (
    select model_prices.prices from public.model_prices where model_prices.tenant_id = price_entries.owner_id);
begin
  if own is null then
    return query select * from internal.known_model_prices();
  else
    return query
      select * from jsonb_to_recordset(own)
        as entry (model text, valid_from date, input numeric, cached_input numeric, output numeric);
  end if;
end $$;

-- The currency of all prices of a tenant, as three capital letters.
create function internal.currency_of_prices(owner_id uuid) returns text
language plpgsql stable set search_path = '' as $$
begin
  return coalesce((
    select model_prices.prices #>> '{0,currency}'
    from public.model_prices where model_prices.tenant_id = currency_of_prices.owner_id), 'USD');
end $$;
