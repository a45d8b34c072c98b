-- Fair use: requests per token, bucket and minute (a fixed window).
create table public.monkai_rate_limits (
  token_id uuid not null references public.tracer_tokens (id) on delete cascade,
  bucket text not null,
  minute timestamptz not null,
  count integer not null,
  constraint rate_limit_counts_a_token_a_bucket_and_a_minute primary key (token_id, bucket, minute)
) with (fillfactor = 50); -- room to count up in place
comment on table public.monkai_rate_limits is 'Requests so far in a minute. Old minutes are deleted by delete_expired().';
create index rate_limits_by_minute on public.monkai_rate_limits (minute);
