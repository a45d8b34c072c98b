-- A limit that refills by the second: of `allowed` requests a minute, as many may come at once, and then one each minute's part.

-- How many are left after a request now; null where it is one too many. Both without counting it.
create function internal.left_in_refilled(used_until timestamptz, allowed integer) returns integer
language plpgsql volatile set search_path = '' as $$
begin
  return floor(left_in_refilled.allowed * least(1, extract(
    epoch from clock_timestamp() + interval '1 minute' - left_in_refilled.used_until) / 60));
end $$;

-- Takes a request of a token from a bucket. Returns how many are left, -1 where this one was too many.
create function internal.take_from_refilled(token_id uuid, bucket text, allowed integer) returns integer
language plpgsql set search_path = '' set lock_timeout = '3s' as $$
declare
  part interval := interval '1 minute' / greatest(take_from_refilled.allowed, 1);
  used timestamptz;
begin
  insert into public.refilled_limits as known (token_id, bucket, used_until)
  select take_from_refilled.token_id, take_from_refilled.bucket, clock_timestamp() + part where take_from_refilled.allowed > 0
  on conflict on constraint limit_refills_for_a_token_and_a_bucket
    do update set used_until = greatest(known.used_until, clock_timestamp()) + part
    where greatest(known.used_until, clock_timestamp()) + part <= clock_timestamp() + interval '1 minute'
  returning known.used_until into used;
  if not found then return -1; end if;
  return greatest(0, internal.left_in_refilled(used, take_from_refilled.allowed));
end $$;

-- Whether the bucket of a token is used up, as far as other requests have committed.
create function internal.is_refilled_used_up(token_id uuid, bucket text, allowed integer) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return is_refilled_used_up.allowed <= 0 or coalesce((
    select internal.left_in_refilled(known.used_until, is_refilled_used_up.allowed) < 1 from public.refilled_limits as known
    where known.token_id = is_refilled_used_up.token_id and known.bucket = is_refilled_used_up.bucket), false);
end $$;
