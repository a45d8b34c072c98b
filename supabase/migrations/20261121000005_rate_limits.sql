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

-- Whether overrides are of the form {"traces": 6000}: whole numbers from 0 up.
create function public.rate_limits_are_valid(rate_limits jsonb) returns boolean
language sql immutable set search_path = ''
return jsonb_typeof(rate_limits_are_valid.rate_limits) = 'object' and not exists (
  select from jsonb_each(rate_limits_are_valid.rate_limits) as override
  where case jsonb_typeof(override.value)
    when 'number' then override.value::numeric <> trunc(override.value::numeric)
      or override.value::numeric not between 0 and 2147483647
    else true end);

alter table public.tenants add column rate_limits jsonb not null default '{}',
  add constraint tenant_rate_limits_are_whole_numbers check (public.rate_limits_are_valid(rate_limits));
alter table public.tracer_tokens add column rate_limits jsonb not null default '{}',
  add constraint token_rate_limits_are_whole_numbers check (public.rate_limits_are_valid(rate_limits));

comment on column public.tenants.rate_limits is
  'Requests per minute that each token of the tenant may make, where not the default: {"traces": 6000}.';
comment on column public.tracer_tokens.rate_limits is
  'Requests per minute that this token may make, where not its tenant''s: {"traces": 6000}.';

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

-- The step of admission that counts. The limit is the token's own, else its tenant's, else payload.limit, the bucket's
-- default. Adds {rate_limit: {bucket, limit, remaining, reset}}, reset in seconds, and refuses rate_limit_exceeded. Fails
-- open: whatever breaks here becomes a warning, and the request goes on without a limit.
create function public.count_request(admission jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  bucket text := count_request.payload ->> 'bucket';
  allowed integer;
  counted integer;
  reset integer;
  counted_admission jsonb;
begin
  select coalesce(tracer_tokens.rate_limits -> bucket, tenants.rate_limits -> bucket, count_request.payload -> 'limit')
  into allowed
  from public.tracer_tokens join public.tenants on tenants.id = tracer_tokens.tenant_id
  where tracer_tokens.id = (admission ->> 'token_id')::uuid;

  counted := public.monkai_increment_rate_limit((admission ->> 'token_id')::uuid, bucket);
  if counted is null or allowed is null then raise exception 'there is no count or no limit'; end if;
  reset := ceil(60 - extract(second from clock_timestamp()));
  counted_admission := admission || jsonb_build_object('rate_limit', jsonb_build_object(
    'bucket', bucket, 'limit', allowed, 'remaining', greatest(allowed - counted, 0), 'reset', reset));
  if counted <= allowed then return counted_admission; end if;

  return (counted_admission - array['data', 'replay']) || public.refusal('rate_limit_exceeded', format(
    'The limit of %s requests per minute in the bucket "%s" is used up. Wait %s seconds.', allowed, bucket, reset));
exception when others then
  return public.with_warning(admission, 'Rate limiting is off for this request: ' || sqlerrm);
end $$;

alter table public.monkai_rate_limits enable row level security;
revoke all on table public.monkai_rate_limits from public, anon, authenticated;
grant select, insert, update, delete on table public.monkai_rate_limits to service_role;
revoke execute on function public.rate_limits_are_valid, public.monkai_increment_rate_limit, public.count_request
  from public, anon, authenticated;
grant execute on function public.rate_limits_are_valid, public.monkai_increment_rate_limit, public.count_request
  to service_role;
