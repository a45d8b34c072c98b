-- GET /usage. payload.query: {namespace?, agent?, model?, tool?, user_id?, by: [day | hour, namespace, agent, model, tool, user],
-- time_zone, start_date?, end_date?}, the dates being RFC 3339 or days (YYYY-MM-DD) of the time zone. Without a start: the day
-- of the end, or this one, and the six before it; without an end: all that has come. payload.known: see unless_known. data: {rows:
-- [usage_view], totals: usage_view, start_date, end_date?}.
create function public.get_usage(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := internal.with_counted_names(get_usage.payload -> 'query');
  admission jsonb := public.admit(get_usage.payload);
  wanted internal.usage_time;
  usage jsonb;
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  if not admission ? 'error' and not internal.is_time_zone(query ->> 'time_zone') then
    admission := admission || internal.refusal('invalid_payload',
      'time_zone: there is no such time zone. Send a name like "America/Recife".');
  end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  wanted := internal.time_of_usage(query);
  if wanted.parts is null then
    return admission || internal.refusal('invalid_payload', 'start_date: by day or by hour, it can be 366 days at most.');
  end if;
  usage := internal.usage_of_time(
    (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace'), query, wanted);
  if jsonb_array_length(usage -> 'rows') > 10000 then
    return admission || internal.refusal('invalid_payload',
      'by: these are more than 10,000 rows. Ask for a shorter time, or by less.');
  end if;
  return internal.unless_known(admission, usage, get_usage.payload);
end $$;

create function internal.is_time_zone(name text) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return now() at time zone is_time_zone.name is not null;
exception when invalid_parameter_value then return false;
end $$;

-- The time that usage is asked for, and where it is to be read: whole days (UTC) in a grain of days, other whole hours in one of
-- hours (or in `session`, which has users), and the rest, `parts`, step by step. An hour is whole where it is not cut by the ends
-- of the time and lies in one day of the time zone: those of India begin at half past an hour.
create type internal.usage_time as (
  unit text, -- day, hour or null
  zone text,
  begins timestamptz,
  ends timestamptz, -- infinity: open
  first_day timestamptz,
  last_day timestamptz, -- exclusive, as last_hour; before first_day: none is whole
  first_hour timestamptz,
  last_hour timestamptz,
  parts tstzrange[]); -- null: it is longer than 366 days, which is too long to be told by day or hour

create function internal.time_of_usage(query jsonb) returns internal.usage_time
language plpgsql stable set search_path = '' as $$
declare
  zone text := query ->> 'time_zone';
  by_user boolean := query -> 'by' ? 'user' or query ? 'user_id';
  wanted internal.usage_time;
  cut timestamptz[]; -- hours that lie in two days
  last_moment timestamptz; -- up to now
  told_end timestamptz; -- the end of what is looked at day by day and hour by hour
begin
  wanted.unit := case when query -> 'by' ? 'hour' then 'hour' when query -> 'by' ? 'day' then 'day' end;
  wanted.zone := zone;
  wanted.ends := coalesce(internal.moment_in_zone(query ->> 'end_date', zone, 1), 'infinity');
  last_moment := least(now(), wanted.ends - interval '1 microsecond');
  wanted.begins := coalesce(
    internal.moment_in_zone(query ->> 'start_date', zone, 0),
    (date_trunc('day', last_moment at time zone zone) - interval '6 days') at time zone zone);
  wanted.ends := greatest(wanted.begins, wanted.ends);
  if wanted.unit is not null and least(wanted.ends, now()) - wanted.begins > interval '366 days' then return wanted; end if;
  -- What is dated later than that is rare, and read step by step.
  told_end := case when wanted.unit is null then wanted.ends else least(wanted.ends, now() + interval '2 days') end;
  wanted.first_hour := date_trunc('hour', wanted.begins + interval '1 hour' - interval '1 microsecond', 'UTC');
  wanted.last_hour := greatest(wanted.first_hour, internal.begin_of('hour', told_end));
  wanted.first_day := date_trunc('day', wanted.begins + interval '1 day' - interval '1 microsecond', 'UTC');
  wanted.last_day := greatest(wanted.first_day, internal.begin_of('day', told_end));
  if by_user or wanted.unit = 'hour' or wanted.unit is not null and exists (
    select from generate_series(wanted.first_day, wanted.last_day, interval '1 day') as day
    where date_trunc('day', day, zone) <> day) then
    wanted.last_day := wanted.first_day;
  end if;
  cut := case when wanted.unit is null then '{}' else array(
    select hour from generate_series(wanted.first_hour, wanted.last_hour - interval '1 hour', interval '1 hour') as hour
    where date_trunc(wanted.unit, hour, zone) <> date_trunc(wanted.unit, hour + interval '1 hour' - interval '1 microsecond', zone)) end;
  wanted.parts := array(
    select part from unnest(array[
      tstzrange(wanted.begins, least(wanted.first_hour, wanted.ends)),
      tstzrange(least(wanted.last_hour, wanted.ends), wanted.ends)
    ] || array(select tstzrange(hour, hour + interval '1 hour') from unnest(cut) as hour)) as part
    where not isempty(part));
  return wanted;
end $$;

-- The moment that a text stands for: a day is one of the time zone, and so many days later. Null for none. A day at either end of
-- the calendar may begin in a year that RFC 3339 cannot write; nothing has happened there.
create function internal.moment_in_zone(moment text, zone text, days integer) returns timestamptz
language plpgsql stable set search_path = '' as $$
declare
  told timestamptz := case
    when length(moment_in_zone.moment) = 10 then (moment::date + days)::timestamp at time zone zone
    else moment::timestamptz + days * interval '1 microsecond' end; -- an end is inclusive
begin
  if told is null then return null; end if;
  return least(greatest(told, '0001-01-01Z'), '10000-01-01Z');
end $$;

-- The beginning of the hour or day (UTC) that a moment is in. What is open stays open.
create function internal.begin_of(unit text, moment timestamptz) returns timestamptz
language plpgsql immutable set search_path = '' as $$
begin
  return case when isfinite(begin_of.moment) then date_trunc(begin_of.unit, begin_of.moment, 'UTC') else begin_of.moment end;
end $$;
