-- Latencies are kept as histograms, which can be added up and taken apart: {bucket: how many}. A bucket ends at 1.1 times where it
-- begins, so that what is read from its middle is off by less than 5 %.

-- The bucket of so many milliseconds: 0 for 0, else b where 1.1 ^ (b - 2) < milliseconds <= 1.1 ^ (b - 1).
create function internal.latency_bucket(milliseconds bigint) returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return case when milliseconds > 0 then 1 + ceil(round((ln(milliseconds::double precision) / ln(1.1))::numeric, 9)) else milliseconds end;
end $$;

-- What stands for a bucket, in milliseconds: off by less than 5 % from all that is in it.
create function internal.latency_of_bucket(bucket integer) returns numeric
language plpgsql immutable set search_path = '' as $$
begin
  return case when bucket > 0 then round((2 / 2.1 * power(1.1::double precision, bucket - 1))::numeric, 1) else 0 end;
end $$;

-- Both histograms together.
create function internal.added_latencies(one jsonb, other jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if other = '{}' then return one; end if;
  if one = '{}' then return other; end if;
  return coalesce((
    select jsonb_object_agg(bucket.key, bucket.count)
    from (
      select part.key, sum(part.value::bigint) as count
      from (select * from jsonb_each(one) union all select * from jsonb_each(other)) as part
      group by part.key
    ) as bucket
    where bucket.count <> 0), '{}');
end $$;
