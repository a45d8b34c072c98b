-- What is refused leaves nothing behind, but for its count: no namespace, session or step. And what brings content is
-- counted last: a token's requests wait for each other at its counter, so it is held for a moment and not for all their work.

-- How many requests a minute an admitted token may make in the bucket: its own limit, else its tenant's, else payload.limit.
create function internal.allowed_requests(admission jsonb, payload jsonb) returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(nullif(allowed_requests.admission -> 'limit', 'null'), allowed_requests.payload -> 'limit');
end $$;

-- What is left of the minute that is counted, in seconds: it may be over, for who has waited. What refills (payload.refills) has
-- something to take a second later.
create function internal.seconds_to_reset(payload jsonb) returns integer
language plpgsql volatile set search_path = '' as $$
begin
  if (seconds_to_reset.payload ->> 'refills')::boolean then return 1; end if;
  return greatest(1, ceil(extract(epoch from date_trunc('minute', now()) + interval '1 minute' - clock_timestamp())));
end $$;

-- The step of admission that counts. Adds {rate_limit: {bucket, limit, remaining, reset}}, limit being allowed_requests and
-- reset in seconds, and refuses rate_limit_exceeded. Fails open: whatever breaks here becomes a warning, and the request goes
-- on without a limit.
create function internal.count_request(admission jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  bucket text := count_request.payload ->> 'bucket';
  allowed integer := internal.allowed_requests(count_request.admission, count_request.payload);
  remaining integer; -- below 0: this request is too many
  reset integer;
  counted_admission jsonb;
begin
  if (count_request.payload ->> 'refills')::boolean then
    remaining := internal.take_from_refilled((admission ->> 'token_id')::uuid, bucket, allowed);
  else
    remaining := allowed - public.monkai_increment_rate_limit((admission ->> 'token_id')::uuid, bucket);
  end if;
  if remaining is null then raise exception 'there is no count or no limit'; end if;
  reset := internal.seconds_to_reset(count_request.payload);
  counted_admission := admission || jsonb_build_object('rate_limit', jsonb_build_object(
    'bucket', bucket, 'limit', allowed, 'remaining', greatest(remaining, 0), 'reset', reset));
  if remaining >= 0 then return counted_admission; end if;

  return (counted_admission - array['data', 'replay']) || internal.refusal('rate_limit_exceeded', format(
    'The limit of %s requests per minute in the bucket "%s" is used up. Wait %s seconds.', allowed, bucket, reset));
exception when others then
  return internal.with_warning(admission, 'Rate limiting is off for this request: ' || sqlerrm);
end $$;

-- For who is beyond the limit, in case that count_request cannot say how far.
create function internal.limit_refusal(admission jsonb, payload jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
begin
  return internal.refusal('rate_limit_exceeded', 'The limit of requests per minute is used up.') || jsonb_build_object(
    'rate_limit', jsonb_build_object(
      'bucket', limit_refusal.payload -> 'bucket', 'remaining', 0, 'reset', internal.seconds_to_reset(limit_refusal.payload),
      'limit', internal.allowed_requests(limit_refusal.admission, limit_refusal.payload)));
end $$;

-- Raises TR429 where the limit is used up already, as far as other requests have committed: no work is begun then. Fails open,
-- as count_request does, which has the last word.
create function internal.refuse_beyond_limit(admission jsonb, payload jsonb) returns void
language plpgsql stable set search_path = '' as $$
declare
  sender uuid := refuse_beyond_limit.admission ->> 'token_id';
  wanted text := refuse_beyond_limit.payload ->> 'bucket';
  allowed integer := internal.allowed_requests(refuse_beyond_limit.admission, refuse_beyond_limit.payload);
begin
  if (refuse_beyond_limit.payload ->> 'refills')::boolean then
    if internal.is_refilled_used_up(sender, wanted, allowed) then raise sqlstate 'TR429'; end if;
  elsif (select known.count from public.monkai_rate_limits known
         where known.token_id = sender and known.bucket = wanted and known.minute = date_trunc('minute', now())) >= allowed then
    raise sqlstate 'TR429';
  end if;
exception
  when sqlstate 'TR429' then raise;
  when others then null;
end $$;

-- Counts a request whose work is done. Raises TR429 when it is beyond the limit: then who calls undoes the work, and counts.
create function internal.count_or_undo(answer jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  counted jsonb := internal.count_request(count_or_undo.answer, count_or_undo.payload);
begin
  if counted #>> '{error,code}' = 'rate_limit_exceeded' then raise sqlstate 'TR429'; end if;
  return counted;
end $$;
