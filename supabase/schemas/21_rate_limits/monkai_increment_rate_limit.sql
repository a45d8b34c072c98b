-- Counts one request of a token against a bucket; returns how many there were in this minute, this one included. Waits
-- three seconds at most for another request of the token that is counted and not yet done.
create function public.monkai_increment_rate_limit(token_id uuid, bucket text) returns integer
language plpgsql security definer set search_path = '' set lock_timeout = '3s' as $$
declare
  counted integer;
begin
  insert into public.monkai_rate_limits as known (token_id, bucket, minute, count)
  values (monkai_increment_rate_limit.token_id, monkai_increment_rate_limit.bucket, date_trunc('minute', now()), 1)
  on conflict on constraint rate_limit_counts_a_token_a_bucket_and_a_minute do update set count = known.count + 1
  returning known.count into counted;
  return counted;
end $$;
