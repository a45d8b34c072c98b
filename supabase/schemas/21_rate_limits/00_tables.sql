-- Fair use: requests per token, bucket and minute (a fixed window).
create table public.monkai_rate_limits (
  token_id uuid not null references public.tracer_tokens (id) on delete cascade,
  bucket text not null,
  minute timestamptz not null,
  count integer not null,
  constraint rate_limit_counts_a_token_a_bucket_and_a_minute primary key (token_id, bucket, minute)
) with (fillfactor = 50); -- room to count up in place
comment on table public.monkai_rate_limits is 'Requests so far in a minute. Old minutes are deleted by delete_expired().';
-- The bucket of OpenTelemetry refills by the second: exporters drop what must wait for long.
create table public.refilled_limits (
  token_id uuid not null references public.tracer_tokens (id) on delete cascade,
  bucket text not null,
  used_until timestamptz not null,
  constraint limit_refills_for_a_token_and_a_bucket primary key (token_id, bucket)
);
comment on column public.refilled_limits.used_until is
  'A request moves it on by a minute''s part of the limit; it may be a minute ahead of now, and is then used up.';

create index rate_limits_by_minute on public.monkai_rate_limits (minute);
