-- Made from supabase/schemas/, which says what is true now, by `npm run db:migration`.

-- A function may call one that is made after it.
set check_function_bodies = off;

-- supabase/schemas/00_internal.sql
-- What the API calls is in the schema `public`. What those functions share is in `internal`, which the REST layer does not
-- expose.
create schema internal;

-- supabase/schemas/00_shared/answers.sql
-- What every request function answers with: an envelope {tenant_id, rate_limit, warnings, ...} with `data` or `error`.

-- A refusal that a client gets to see: {error: {code, message}}. Refusals are returned and not raised: what was counted must
-- commit.
create function internal.refusal(code text, message text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return jsonb_build_object('error', jsonb_build_object('code', refusal.code, 'message', refusal.message));
end $$;

-- The envelope with one more warning, which the API writes into its log.
create function internal.with_warning(envelope jsonb, message text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return with_warning.envelope || jsonb_build_object(
    'warnings', coalesce(with_warning.envelope -> 'warnings', '[]') || to_jsonb(with_warning.message));
end $$;

-- An answer with the version of its data; without the data, where the client has it already: payload.known is what its
-- If-None-Match says. Put together once: each time costs as much as the data is large.
create function internal.unless_known(admission jsonb, data jsonb, payload jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  version text := md5(unless_known.data::text);
  known text := unless_known.payload ->> 'known';
begin
  if strpos(known, '"' || version || '"') > 0 or btrim(known) = '*' then
    return unless_known.admission || jsonb_build_object('version', version);
  end if;
  return unless_known.admission || jsonb_build_object('version', version, 'data', unless_known.data);
end $$;

-- A moment as clients read it: RFC 3339 in UTC, with microseconds where there are any, else with milliseconds.
create function internal.timestamp_text(moment timestamptz) returns text
language plpgsql stable set search_path = '' as $$
begin
  return regexp_replace(
    to_char(timestamp_text.moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '000$', '') || 'Z';
end $$;

-- supabase/schemas/00_shared/check_ready.sql
-- GET /health/ready. Whether the API can work here: it answers when the REST layer reaches Postgres and takes the API's key,
-- with {schema_version}, for the API to compare. Raises when the tables that every request needs are not there.
create function public.check_ready() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform from public.tenants join public.tracer_tokens on tracer_tokens.tenant_id = tenants.id limit 1;
  return jsonb_build_object('schema_version', public.schema_version());
end $$;

-- supabase/schemas/00_shared/ids.sql
-- Ids that clients see.

-- A random id: the prefix and 16 letters and digits.
create function internal.new_public_id(prefix text) returns text
language plpgsql volatile set search_path = '' as $$
begin
  return internal.public_id(new_public_id.prefix, gen_random_uuid()::text);
end $$;

-- The id that is made of a text: the same text always gives the same id, so that a rebuild does not rename anything.
create function internal.public_id(prefix text, made_of text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return public_id.prefix || left(translate(
    encode(sha256(convert_to(public_id.made_of, 'UTF8')), 'base64'), E'+/=\n', ''), 16);
end $$;

-- supabase/schemas/00_shared/schema_version.sql
-- The number of the newest migration, for GET /health/ready. Written by `npm run db:migration`.
create or replace function public.schema_version() returns bigint
language sql immutable set search_path = ''
return 20261122024926;

-- supabase/schemas/10_tenants/00_tables.sql
-- Who owns data, and the tokens that speak for them.

-- Whether limits are of the form {"traces": 6000}: whole numbers from 0 up.
create function internal.rate_limits_are_valid(rate_limits jsonb) returns boolean
language sql immutable set search_path = ''
return jsonb_typeof(rate_limits_are_valid.rate_limits) = 'object' and not exists (
  select from jsonb_each(rate_limits_are_valid.rate_limits) as override
  where case jsonb_typeof(override.value)
    when 'number' then override.value::numeric <> trunc(override.value::numeric)
      or override.value::numeric not between 0 and 2147483647
    else true end);

create table public.tenants (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  registered_namespaces_only boolean not null default false,
  rate_limits jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint tenant_name_is_unique unique (name),
  constraint tenant_name_is_not_empty check (name <> ''),
  constraint tenant_rate_limits_are_whole_numbers check (internal.rate_limits_are_valid(rate_limits))
);
comment on table public.tenants is 'Who owns data. Every other table carries tenant_id, and every query starts from it.';
comment on column public.tenants.registered_namespaces_only is
  'Whether namespaces must be registered before anything is stored in them. Else first use registers.';
comment on column public.tenants.rate_limits is
  'Requests per minute that each token of the tenant may make, where not the default: {"traces": 6000}.';

create table public.tracer_tokens (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  token_hash text not null,
  name text,
  active boolean not null default true,
  expires_at timestamptz,
  namespaces text[],
  scope text not null default 'all',
  rate_limits jsonb not null default '{}',
  created_at timestamptz not null default now(),
  constraint token_scope_is_known check (scope in ('all', 'read')),
  constraint token_hash_belongs_to_one_token unique (token_hash),
  constraint token_hash_is_sha256_in_hex check (token_hash ~ '^[0-9a-f]{64}$'),
  constraint token_namespaces_are_null_or_some check (cardinality(namespaces) > 0),
  constraint token_rate_limits_are_whole_numbers check (internal.rate_limits_are_valid(rate_limits))
);
comment on column public.tracer_tokens.token_hash is 'SHA-256 of the token in lower-case hex. The token itself is never stored.';
comment on column public.tracer_tokens.namespaces is 'The only namespaces that this token may use; null: all of its tenant.';
comment on column public.tracer_tokens.scope is
  'read: it may look at everything, and can neither write, nor take content away, nor change rules.';
comment on column public.tracer_tokens.rate_limits is
  'Requests per minute that this token may make, where not its tenant''s: {"traces": 6000}.';
create index tracer_tokens_of_a_tenant on public.tracer_tokens (tenant_id);

-- supabase/schemas/10_tenants/create_tracer_token.sql
-- payload: {tenant, token_hash, name?, namespaces?, scope?, expires_at?, refuse_similar?}. The tenant is created on first use; with
-- refuse_similar not beside one of nearly its name: tenant_too_similar. A token that is known stays as it is (revoked, too) and is
-- returned; another tenant's is token_taken.
create function public.create_tracer_token(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := create_tracer_token.payload;
  owner_id uuid;
  similar_name text;
  token public.tracer_tokens;
begin
  if (wanted ->> 'refuse_similar')::boolean then
    similar_name := internal.similar_tenant(wanted ->> 'tenant');
    if similar_name is not null then
      return internal.refusal('tenant_too_similar',
        format('There is no tenant "%s", but one called "%s".', wanted ->> 'tenant', similar_name));
    end if;
  end if;

  insert into public.tenants (name) values (wanted ->> 'tenant') on conflict do nothing;
  select tenants.id into owner_id from public.tenants where tenants.name = wanted ->> 'tenant';

  insert into public.tracer_tokens (tenant_id, token_hash, name, namespaces, scope, expires_at)
  values (owner_id, wanted ->> 'token_hash', wanted ->> 'name',
          (select array_agg(given.namespace) from jsonb_array_elements_text(
             case jsonb_typeof(wanted -> 'namespaces') when 'array' then wanted -> 'namespaces' else '[]' end
           ) as given (namespace)),
          coalesce(wanted ->> 'scope', 'all'),
          (wanted ->> 'expires_at')::timestamptz)
  on conflict on constraint token_hash_belongs_to_one_token do nothing;

  select tracer_tokens.* into token from public.tracer_tokens
  where tracer_tokens.token_hash = wanted ->> 'token_hash' and tracer_tokens.tenant_id = owner_id;
  if not found then
    return internal.refusal('token_taken', 'This token already belongs to another tenant. Choose another token.');
  end if;
  return internal.token_view(token);
end $$;

-- The name of a tenant that is easily taken for this one, which is not there; else null.
create function internal.similar_tenant(name text) returns text
language plpgsql stable set search_path = '' as $$
begin
  if exists (select from public.tenants where tenants.name = similar_tenant.name) then return null; end if;
  return (
    select min(tenants.name) from public.tenants
    where internal.names_are_similar(tenants.name, similar_tenant.name));
end $$;

-- A token as `npm run token` shows it.
create function internal.token_view(token public.tracer_tokens) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', (token_view.token).id,
    'tenant', (select tenants.name from public.tenants where tenants.id = (token_view.token).tenant_id),
    'name', (token_view.token).name,
    'active', (token_view.token).active,
    'expires_at', internal.timestamp_text((token_view.token).expires_at),
    'namespaces', (token_view.token).namespaces,
    'scope', (token_view.token).scope,
    'created_at', internal.timestamp_text((token_view.token).created_at));
end $$;

-- supabase/schemas/10_tenants/get_token.sql
-- GET /token. What the token of the request may do. data: {tenant, name, namespaces, scope, expires_at}; namespaces null: all of
-- the tenant's. payload.known: see unless_known.
create function public.get_token(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(get_token.payload);
begin
  if admission ? 'error' then return admission; end if;
  return internal.unless_known(admission, (
    select internal.token_view(tracer_tokens) - array['id', 'active', 'created_at']
    from public.tracer_tokens where tracer_tokens.id = (admission ->> 'token_id')::uuid), get_token.payload);
end $$;

-- supabase/schemas/10_tenants/list_tracer_tokens.sql
-- payload: {tenant?}. All tokens, or one tenant's, oldest first.
create function public.list_tracer_tokens(payload jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(internal.token_view(token) order by token.created_at, token.id), '[]')
    from public.tracer_tokens token
    join public.tenants on tenants.id = token.tenant_id
    where list_tracer_tokens.payload ->> 'tenant' is null or tenants.name = list_tracer_tokens.payload ->> 'tenant');
end $$;

-- supabase/schemas/10_tenants/revoke_tracer_token.sql
-- payload: {id} or {token_hash}. Returns the token, null if there is none.
create function public.revoke_tracer_token(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  token public.tracer_tokens;
begin
  update public.tracer_tokens set active = false
  where tracer_tokens.id = (revoke_tracer_token.payload ->> 'id')::uuid
     or tracer_tokens.token_hash = revoke_tracer_token.payload ->> 'token_hash'
  returning * into token;
  return case when found then internal.token_view(token) end;
end $$;

-- supabase/schemas/20_admission/admit.sql
-- Who is asking, and may they pass: identify, then count_request.
create function public.admit(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.identify(admit.payload);
begin
  if admission ? 'error' then return admission; end if;
  return internal.count_request(admission, admit.payload);
end $$;

-- admit, for a request about one namespace: refuses forbidden where the token may not use it.
create function internal.admit_to_namespace(payload jsonb, namespace text) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return internal.in_namespace(public.admit(admit_to_namespace.payload), admit_to_namespace.namespace);
end $$;

-- admit, for a request that writes, takes away or changes rules.
create function internal.admit_writer(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return internal.as_writer(public.admit(admit_writer.payload));
end $$;

-- supabase/schemas/20_admission/identify.sql
-- Who is asking. Returns {tenant_id, token_id, scope, namespaces, limit}, `namespaces` being the only ones that the token may use
-- (null: any) and `limit` the limit that is set for the token, or else for its tenant (null: neither has one, and the bucket's
-- own counts); or a refusal: invalid_token, token_inactive, token_expired.
create function internal.identify(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  token record;
  usable text[];
begin
  select tracer_tokens.id, tracer_tokens.tenant_id, tracer_tokens.active, tracer_tokens.expires_at, tracer_tokens.namespaces,
         tracer_tokens.scope,
         tenants.registered_namespaces_only,
         coalesce(tracer_tokens.rate_limits -> (identify.payload ->> 'bucket'),
                  tenants.rate_limits -> (identify.payload ->> 'bucket')) as rate_limit
  into token
  from public.tracer_tokens join public.tenants on tenants.id = tracer_tokens.tenant_id
  where tracer_tokens.token_hash = identify.payload ->> 'token_hash';

  if not found then
    return internal.refusal('invalid_token', 'This tracer token is not known here. Check it for missing characters.');
  end if;
  if not token.active then
    return internal.refusal('token_inactive', 'This tracer token was revoked. Use another one.');
  end if;
  if token.expires_at <= now() then
    return internal.refusal('token_expired',
      format('This tracer token expired at %s. Use another one.', internal.timestamp_text(token.expires_at)));
  end if;

  usable := token.namespaces;
  if token.registered_namespaces_only then
    usable := array(
      select namespaces.name from public.namespaces
      where namespaces.tenant_id = token.tenant_id
        and (token.namespaces is null or namespaces.name = any (token.namespaces)));
  end if;
  return jsonb_build_object(
    'tenant_id', token.tenant_id, 'token_id', token.id, 'scope', token.scope, 'namespaces', to_jsonb(usable), 'limit', token.rate_limit);
end $$;

-- The namespaces that an admitted token may use, null for any.
create function internal.usable_namespaces(admission jsonb) returns text[]
language plpgsql immutable set search_path = '' as $$
begin
  if coalesce(jsonb_typeof(admission -> 'namespaces'), 'null') = 'null' then return null; end if;
  return array(select jsonb_array_elements_text(admission -> 'namespaces'));
end $$;

-- Whether an admitted token may use the namespace.
create function internal.may_use_namespace(admission jsonb, namespace text) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(jsonb_typeof(may_use_namespace.admission -> 'namespaces'), 'null') = 'null'
    or may_use_namespace.admission -> 'namespaces' ? may_use_namespace.namespace;
end $$;

-- The refusal forbidden, naming the namespace.
create function internal.namespace_refusal(namespace text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return internal.refusal('forbidden',
    format('This tracer token may not use the namespace "%s".', namespace_refusal.namespace));
end $$;

-- An admission, and the refusal `forbidden` where its token may not use the namespace.
create function internal.in_namespace(admission jsonb, namespace text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if in_namespace.admission ? 'error' or internal.may_use_namespace(in_namespace.admission, in_namespace.namespace) then
    return in_namespace.admission;
  end if;
  return in_namespace.admission || internal.namespace_refusal(in_namespace.namespace);
end $$;

-- An admission, and the refusal `forbidden` where its token may only read: for what writes, takes away or changes rules.
create function internal.as_writer(admission jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if as_writer.admission ->> 'scope' is distinct from 'read' or as_writer.admission ? 'error' then return as_writer.admission; end if;
  return as_writer.admission || internal.refusal('forbidden', 'This tracer token may only read (scope "read").');
end $$;

-- supabase/schemas/21_rate_limits/00_tables.sql
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

-- supabase/schemas/21_rate_limits/count_request.sql
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

-- supabase/schemas/21_rate_limits/monkai_increment_rate_limit.sql
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

-- supabase/schemas/21_rate_limits/take_from_refilled.sql
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

-- supabase/schemas/22_idempotency/00_tables.sql
-- Safe retries: an idempotency key's first request does the work, its repetitions get the same response.
create table public.monkai_idempotency_keys (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  key text not null,
  request_hash text not null,
  request_id text not null,
  response jsonb,
  expires_at timestamptz not null default now() + interval '24 hours',
  constraint idempotency_key_is_unique_within_its_tenant primary key (tenant_id, key)
);
comment on column public.monkai_idempotency_keys.request_hash is 'SHA-256 of the route and the body''s bytes, in hex.';
comment on column public.monkai_idempotency_keys.request_id is 'The X-Request-ID of the first request.';
comment on column public.monkai_idempotency_keys.response is
  'What the first request was answered with; null when that was an error or could not be kept: the key is free again.';
create index idempotency_keys_by_expiry on public.monkai_idempotency_keys (expires_at);

-- supabase/schemas/22_idempotency/keys.sql
-- Claims a free key for this request and returns null, or returns the known one {request_hash, request_id, response}.
-- Two at once: the second waits at the primary key until the first has committed (and is then known) or failed (and
-- then the key is free). It does not wait for ever: lock_not_available after 5 seconds.
create function internal.claim_idempotency_key(tenant_id uuid, key text, request_hash text, request_id text)
returns jsonb
language plpgsql set search_path = '' set lock_timeout = '5s' as $$
begin
  insert into public.monkai_idempotency_keys as known (tenant_id, key, request_hash, request_id)
  values (claim_idempotency_key.tenant_id, claim_idempotency_key.key, claim_idempotency_key.request_hash,
          claim_idempotency_key.request_id)
  on conflict on constraint idempotency_key_is_unique_within_its_tenant do update
    set request_hash = excluded.request_hash, request_id = excluded.request_id, response = null,
        expires_at = excluded.expires_at
    where known.expires_at <= now() or known.response is null;
  if found then return null; end if;

  return (select to_jsonb(known) from public.monkai_idempotency_keys known
          where known.tenant_id = claim_idempotency_key.tenant_id and known.key = claim_idempotency_key.key);
end $$;

-- Replays, again: a token that is bound to namespaces is kept out of the others by them, too, since keys are the tenant's and
-- the first request may have been another token's. And who meets a first request that is still running is told to come back.

-- Why a token may not be shown a remembered response: it tells of an item in a namespace that the token may not use. Null: it
-- may. Items that were refused then say nothing, and their sender must get the same answer again.
create function internal.replay_refusal(admission jsonb, items jsonb, response jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  usable text[] := internal.usable_namespaces(replay_refusal.admission);
begin
  if usable is null then return null; end if;

  perform
  from jsonb_to_recordset(internal.not_refused(replay_refusal.items, replay_refusal.response -> 'refused'))
    as item (session_id text, namespace text)
  left join public.sessions
    on sessions.tenant_id = (replay_refusal.admission ->> 'tenant_id')::uuid and sessions.id = item.session_id
  left join public.namespaces on namespaces.id = sessions.namespace_id
  where item.namespace <> all (usable) or namespaces.name <> all (usable);
  if not found then -- scores are remembered with the namespaces that they have got
    perform from jsonb_to_recordset(replay_refusal.response -> 'scores') as score (namespace text)
    where score.namespace <> all (usable);
  end if;
  if not found then return null; end if;
  return internal.refusal('forbidden',
    'This tracer token may not use every namespace of the request that was first sent with this Idempotency-Key.');
end $$;

-- The step before the work. payload.idempotency: {key, hash}, or nothing. Adds {claimed: true} for a first request, {data,
-- replay: {request_id}} for a repetition; refuses idempotency_key_conflict, and forbidden (see replay_refusal). Fails open
-- with a warning, but for a first request that is still running (status 503): to go on beside it would do its work twice.
create function internal.replay_or_claim(admission jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := replay_or_claim.payload -> 'idempotency';
  known jsonb;
  refusal jsonb;
begin
  if wanted is null then return admission; end if;

  known := internal.claim_idempotency_key((admission ->> 'tenant_id')::uuid, wanted ->> 'key', wanted ->> 'hash',
                                        replay_or_claim.payload ->> 'request_id');
  if known is null then return admission || '{"claimed": true}'; end if;
  if known ->> 'request_hash' <> wanted ->> 'hash' then
    return admission || internal.refusal('idempotency_key_conflict',
      'This Idempotency-Key was used for another request. Use a new key, or send what was sent first.');
  end if;
  if jsonb_typeof(known -> 'response') is distinct from 'object' then
    raise exception 'the key has no response';
  end if;
  refusal := internal.replay_refusal(admission, replay_or_claim.payload -> 'items', known -> 'response');
  if refusal is not null then return admission || refusal; end if;
  return admission || jsonb_build_object(
    'data', known -> 'response', 'replay', jsonb_build_object('request_id', known -> 'request_id'));
exception
  when lock_not_available or deadlock_detected then
    return admission || jsonb_build_object('error', jsonb_build_object('code', 'internal_error', 'status', 503,
      'message', 'The first request with this Idempotency-Key is still running. Please try again.'));
  when others then
    return internal.with_warning(admission, 'Idempotency is off for this request: ' || sqlerrm);
end $$;

-- The step after the work: its data is remembered under the key. An error is not: a key without a response is free.
-- Fails open with a warning.
create function internal.settle_idempotency_key(answer jsonb, payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := settle_idempotency_key.payload -> 'idempotency';
begin
  if not answer ? 'claimed' or answer ? 'error' then return answer; end if;

  update public.monkai_idempotency_keys known set response = answer -> 'data'
  where known.tenant_id = (answer ->> 'tenant_id')::uuid and known.key = wanted ->> 'key'
    and known.request_hash = wanted ->> 'hash' and known.response is null;
  return answer;
exception when others then
  return internal.with_warning(answer, 'The response was not remembered for its Idempotency-Key: ' || sqlerrm);
end $$;

-- supabase/schemas/23_anonymization/00_tables.sql
-- Each tenant's anonymization rules. The redaction itself is the API's: its regular expressions (RE2) take linear time, those
-- of Postgres may not.
create table public.anonymization_rules (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  version integer not null default 1,
  rules jsonb not null,
  updated_at timestamptz not null default now(),
  constraint anonymization_version_is_positive check (version > 0),
  constraint anonymization_rules_have_toggles_and_custom_ones
    check (jsonb_typeof(rules -> 'toggles') = 'object' and jsonb_typeof(rules -> 'custom') = 'array')
);
comment on column public.anonymization_rules.rules is '{toggles: {class: boolean}, custom: [{name, pattern, replacement}]}';

-- supabase/schemas/23_anonymization/get_anonymization_rules.sql
-- GET /anonymization-rules. data: {version, rules}.
create function public.get_anonymization_rules(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(get_anonymization_rules.payload);
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', internal.current_rules((admission ->> 'tenant_id')::uuid));
end $$;

-- supabase/schemas/23_anonymization/put_anonymization_rules.sql
-- PUT /anonymization-rules. payload.rules, payload.expected_version?. data: {version, rules}. Refuses forbidden for a token
-- that is bound to namespaces, since the rules are the whole tenant's, and with status 409 when they are not at
-- expected_version.
create function public.put_anonymization_rules(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(put_anonymization_rules.payload);
  owner_id uuid := admission ->> 'tenant_id';
  expected_version integer := put_anonymization_rules.payload ->> 'expected_version';
  current_version integer;
begin
  if admission ? 'error' then return admission; end if;
  if exists (
    select from public.tracer_tokens
    where tracer_tokens.id = (admission ->> 'token_id')::uuid and tracer_tokens.namespaces is not null) then
    return admission || internal.refusal('forbidden',
      'This tracer token is bound to namespaces: it may read the anonymization rules, but not change them.');
  end if;

  -- One change at a time: of two that expect the same version, the second finds the first. And once this has answered,
  -- nothing is stored by the rules of before: see identify_sender.
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  current_version := (internal.current_rules(owner_id) ->> 'version')::integer;
  if expected_version <> current_version then
    return admission || jsonb_build_object('error', jsonb_build_object(
      'code', 'bad_request', 'status', 409, 'version', current_version,
      'message', format('The rules are at version %s by now, not at the expected_version %s. Read them and try again.',
                        current_version, expected_version)));
  end if;

  insert into public.anonymization_rules as known (tenant_id, rules)
  values (owner_id, put_anonymization_rules.payload -> 'rules')
  on conflict on constraint anonymization_rules_pkey
    do update set rules = excluded.rules, version = known.version + 1, updated_at = now();
  return admission || jsonb_build_object('data', internal.current_rules(owner_id));
end $$;

-- supabase/schemas/23_anonymization/rules.sql
-- A tenant's rules as clients get them: {version, rules}, version 0 where there are none.
create function internal.current_rules(tenant_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(
    (select jsonb_build_object('version', known.version, 'rules', known.rules)
     from public.anonymization_rules known where known.tenant_id = current_rules.tenant_id),
    '{"version": 0, "rules": {"toggles": {}, "custom": []}}');
end $$;

-- The tenant's content lock. Who stores content holds it together with others (shared) until the end of the transaction. Who
-- has it alone waits for them, and is waited for: a change of the rules, a purge, the deletion of a namespace or a session.
create function internal.content_lock(tenant_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended('content ' || content_lock.tenant_id, 0);
end $$;

-- identify, for a request that brings content. Where that was not redacted by the tenant's current rules (payload.
-- anonymization_version), adds them as {anonymization: {version, rules}}: then the request must stop here, and the API
-- redacts by them and asks again. record_steps and upload_steps begin with it.
create function internal.identify_sender(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.as_writer(internal.identify(identify_sender.payload));
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then
    return case when admission ? 'token_id' then internal.count_request(admission, identify_sender.payload) else admission end;
  end if;
  perform pg_advisory_xact_lock_shared(internal.content_lock(owner_id));
  if coalesce((identify_sender.payload ->> 'anonymization_version')::integer, 0) = coalesce((
    select known.version from public.anonymization_rules known where known.tenant_id = owner_id), 0) then
    return admission;
  end if;
  return admission || jsonb_build_object('anonymization', internal.current_rules(owner_id));
end $$;

-- supabase/schemas/25_model_prices/00_tables.sql
-- The prices that a tenant has put in the place of the known ones (internal.known_model_prices). One row a tenant: a list is
-- always read and replaced whole.
create table public.model_prices (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  version integer not null default 1,
  prices jsonb not null,
  updated_at timestamptz not null default now(),
  constraint model_prices_version_is_positive check (version > 0),
  constraint model_prices_are_a_list check (jsonb_typeof(prices) = 'array')
);
comment on column public.model_prices.prices is
  '[{model, valid_from, input, cached_input, output, currency}]: money per million tokens as text, null where there is none.';

-- supabase/schemas/25_model_prices/costs.sql
-- What tokens cost, exactly: prices are money per million tokens. Tokens that are not told (null) count 0. Those that the model had
-- in its cache are part of the input, and never more than it.
create function internal.cost_of_tokens(
  input_tokens numeric, cached_input_tokens numeric, output_tokens numeric, input numeric, cached_input numeric, output numeric)
returns numeric
language plpgsql immutable set search_path = '' as $$
declare
  all_input numeric := coalesce(cost_of_tokens.input_tokens, 0);
  cached numeric := least(coalesce(cost_of_tokens.cached_input_tokens, 0), all_input);
begin
  -- A division would round.
  return 0.000001 * (
    (all_input - cached) * cost_of_tokens.input + cached * cost_of_tokens.cached_input
    + coalesce(cost_of_tokens.output_tokens, 0) * cost_of_tokens.output);
end $$;

-- An amount of money as clients read it: a decimal without trailing zeros, as 0.0123, 0 or 12.
create function internal.amount_text(amount numeric) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return trim_scale(amount_text.amount)::text;
end $$;

-- supabase/schemas/25_model_prices/get_model_prices.sql
-- GET /model-prices. payload.known: see unless_known. data: {version, prices, source?, as_of?}, see current_prices.
create function public.get_model_prices(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(get_model_prices.payload);
begin
  if admission ? 'error' then return admission; end if;
  return internal.unless_known(
    admission, internal.current_prices((admission ->> 'tenant_id')::uuid), get_model_prices.payload);
end $$;

-- A tenant's prices as clients get them: {version, prices: [{model, valid_from, input, cached_input, output, currency}]}. At
-- version 0 the known prices, and where they are from: {source, as_of}.
create function internal.current_prices(tenant_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(
    (select jsonb_build_object('version', own.version, 'prices', own.prices)
     from public.model_prices own where own.tenant_id = current_prices.tenant_id),
    internal.origin_of_known_prices() || jsonb_build_object('version', 0, 'prices', to_jsonb(array(
      select jsonb_build_object(
        'model', known.model, 'valid_from', known.valid_from, 'input', known.input::text,
        'cached_input', known.cached_input::text, 'output', known.output::text, 'currency', 'USD')
      from internal.known_model_prices() as known))));
end $$;

-- supabase/schemas/25_model_prices/known_model_prices.sql
-- Made by `npm run model-prices` from @pydantic/genai-prices 0.1.8, which is MIT. Do not edit.

-- What well-known models cost where a tenant has no prices of its own: dollars per million tokens.
create function internal.known_model_prices()
returns table (model text, valid_from date, input numeric, cached_input numeric, output numeric)
language plpgsql immutable rows 433 set search_path = '' as $$
begin
  return query values
    ('*/codestral-latest'::text, null::date, 0.3::numeric, null::numeric, 0.9::numeric),
    ('*/codex-mini', null, 1.5, 0.375, 6),
    ('*/codex-mini-latest', null, 1.5, 0.375, 6),
    ('*/command-a', null, 2.5, null, 10),
    ('*/command-r', null, 0.15, null, 0.6),
    ('*/command-r-plus', null, 2.5, null, 10),
    ('*/devstral-small', null, 0.1, null, 0.3),
    ('*/devstral-small-latest', null, 0.1, null, 0.3),
    ('*/ft:gpt-3.5-turbo*', null, 3, null, 6),
    ('*/ft:gpt-4o-2024-*', null, 3.75, null, 15),
    ('*/ft:gpt-4o-mini-2024-*', null, 0.3, null, 1.2),
    ('*/gpt-3.5-turbo', null, 0.5, null, 1.5),
    ('*/gpt-5-nano-*', null, 0.05, 0.005, 0.4),
    ('*/gpt-chat-latest', null, 5, 0.5, 30),
    ('*/grok-code-fast', null, 0.2, 0.02, 1.5),
    ('*/grok-latest', null, 2, 0.3, 6),
    ('*/magistral-medium*', null, 2, null, 5),
    ('*/magistral-small-*', null, 0.5, null, 1.5),
    ('*/mistral-embed', null, 0.1, null, 0.1),
    ('*/mistral-large', null, 2, null, 6),
    ('*/mistral-large-latest', null, 2, null, 6),
    ('*/mistral-medium', null, 0.4, 0.04, 2),
    ('*/mistral-medium-latest', null, 0.4, 0.04, 2),
    ('*/mistral-medium-latest', '2026-06-16', 1.5, 0.15, 7.5),
    ('*/mistral-saba', null, 0.2, null, 0.6),
    ('*/mistral-saba-latest', null, 0.2, null, 0.6),
    ('*/mistral-small-latest', null, 0.1, null, 0.3),
    ('*/o1', null, 15, 7.5, 60),
    ('*/o1-pro', null, 150, null, 600),
    ('*/o3', null, 10, 0.5, 40),
    ('*/o3', '2025-06-10', 2, 0.5, 8),
    ('*/o3-deep-research', null, 10, 2.5, 40),
    ('*/o3-mini', null, 1.1, 0.55, 4.4),
    ('*/o3-mini-high', null, 1.1, 0.55, 4.4),
    ('*/o3-pro', null, 20, null, 80),
    ('*/o4-mini', null, 1.1, 0.275, 4.4),
    ('*/o4-mini-deep-research', null, 2, 0.5, 8),
    ('*/o4-mini-high', null, 1.1, 0.275, 4.4),
    ('*/open-mistral-nemo', null, 0.15, null, 0.15),
    ('*/pixtral-large-latest', null, 2, null, 6),
    ('*/voxtral-small-latest', null, 0.1, 0.01, 0.3),
    ('*/voxtral-small-latest', '2026-08-11', 0.1, 0.01, 0.4),
    ('*amazon.nova-lite*', null, 0.06, 0.015, 0.24),
    ('*amazon.nova-micro*', null, 0.035, 0.00875, 0.14),
    ('*amazon.nova-premier*', null, 2.5, 0.625, 12.5),
    ('*amazon.nova-pro*', null, 0.8, 0.2, 3.2),
    ('*amazon.titan-embed-text*', null, 0.1, null, null),
    ('*anthropic.claude-fable-5', null, 11, 1.1, 55),
    ('*anthropic.claude-fable-5-1', null, 11, 0.275, 55),
    ('*anthropic.claude-fable-5-1-v1*', null, 11, 0.275, 55),
    ('*anthropic.claude-fable-5-v1*', null, 11, 1.1, 55),
    ('*anthropic.claude-haiku-4-5-20251001*', null, 1.1, 0.11, 5.5),
    ('*anthropic.claude-opus-4-5*', null, 5.5, 0.55, 27.5),
    ('*anthropic.claude-opus-4-6*', null, 5.5, 0.55, 27.5),
    ('*anthropic.claude-opus-4-7*', null, 5.5, 0.55, 27.5),
    ('*anthropic.claude-opus-4-8*', null, 5.5, 0.55, 27.5),
    ('*anthropic.claude-opus-5', null, 5.5, 0.55, 27.5),
    ('*anthropic.claude-opus-5-5', null, 4.4, 0.22, 22),
    ('*anthropic.claude-opus-5-5-v1*', null, 4.4, 0.22, 22),
    ('*anthropic.claude-opus-5-v1*', null, 5.5, 0.55, 27.5),
    ('*anthropic.claude-sonnet-4-5-20250929*', null, 3.3, 0.33, 16.5),
    ('*anthropic.claude-sonnet-4-6*', null, 3.3, 0.33, 16.5),
    ('*anthropic.claude-sonnet-5*', null, 2.2, 0.22, 11),
    ('*chatgpt-4o-latest', null, 5, null, 15),
    ('*claude-3-5-haiku*', null, 0.8, 0.08, 4),
    ('*claude-3-5-sonnet*', null, 3, 0.3, 15),
    ('*claude-3-7-sonnet*', null, 3, 0.3, 15),
    ('*claude-3-haiku*', null, 0.25, 0.03, 1.25),
    ('*claude-3.5-haiku*', null, 0.8, 0.08, 4),
    ('*claude-3.5-sonnet*', null, 3, 0.3, 15),
    ('*claude-3.7-sonnet*', null, 3, 0.3, 15),
    ('*claude-fable-5', null, 10, 1, 50),
    ('*claude-fable-5-1', null, 10, 0.25, 50),
    ('*claude-fable-5-1-20*', null, 10, 0.25, 50),
    ('*claude-fable-5-20*', null, 10, 1, 50),
    ('*claude-haiku-4-5*', null, 1, 0.1, 5),
    ('*claude-haiku-4.5*', null, 1, 0.1, 5),
    ('*claude-opus-4', null, 15, 1.5, 75),
    ('*claude-opus-4-0*', null, 15, 1.5, 75),
    ('*claude-opus-4-1*', null, 15, 1.5, 75),
    ('*claude-opus-4-20250514', null, 15, 1.5, 75),
    ('*claude-opus-4-5*', null, 5, 0.5, 25),
    ('*claude-opus-4-6*', null, 5, 0.5, 25),
    ('*claude-opus-4-7*', null, 5, 0.5, 25),
    ('*claude-opus-4-8*', null, 5, 0.5, 25),
    ('*claude-opus-4.1*', null, 15, 1.5, 75),
    ('*claude-opus-4.5*', null, 5, 0.5, 25),
    ('*claude-opus-4.6*', null, 5, 0.5, 25),
    ('*claude-opus-4.7*', null, 5, 0.5, 25),
    ('*claude-opus-4.8*', null, 5, 0.5, 25),
    ('*claude-opus-5', null, 5, 0.5, 25),
    ('*claude-opus-5-20*', null, 5, 0.5, 25),
    ('*claude-opus-5-5', null, 4, 0.2, 20),
    ('*claude-opus-5-5-20*', null, 4, 0.2, 20),
    ('*claude-opus-5.0*', null, 5, 0.5, 25),
    ('*claude-opus-5.5*', null, 4, 0.2, 20),
    ('*claude-sonnet-3-7*', null, 3, 0.3, 15),
    ('*claude-sonnet-3.7*', null, 3, 0.3, 15),
    ('*claude-sonnet-4', null, 3, 0.3, 15),
    ('*claude-sonnet-4-0*', null, 3, 0.3, 15),
    ('*claude-sonnet-4-2025*', null, 3, 0.3, 15),
    ('*claude-sonnet-4-5*', null, 3, 0.3, 15),
    ('*claude-sonnet-4-6*', null, 3, 0.3, 15),
    ('*claude-sonnet-4.5*', null, 3, 0.3, 15),
    ('*claude-sonnet-4.6*', null, 3, 0.3, 15),
    ('*claude-sonnet-4@*', null, 3, 0.3, 15),
    ('*claude-sonnet-5*', null, 2, 0.2, 10),
    ('*codestral-2501', null, 0.3, null, 0.9),
    ('*codestral-2508', null, 0.3, 0.03, 0.9),
    ('*command-a-03-2025', null, 2.5, null, 10),
    ('*command-r-08-2024', null, 0.15, null, 0.6),
    ('*command-r-plus-08-2024', null, 2.5, null, 10),
    ('*command-r7b', null, 0.0375, null, 0.15),
    ('*command-r7b-12-2024', null, 0.0375, null, 0.15),
    ('*deepseek.r1*', null, 1.35, null, 5.4),
    ('*devstral-2512', null, 0.4, 0.04, 2),
    ('*devstral-small-2505', null, 0.1, null, 0.3),
    ('*devstral-small-2507', null, 0.1, null, 0.3),
    ('*embed-v4.0', null, 0.12, null, null),
    ('*eu.amazon.nova-2-lite*', null, 0.33, 0.0825, 2.75),
    ('*ft:gpt-4-0*', null, 30, null, 60),
    ('*gemini-2.0-flash', null, 0.1, 0.025, 0.4),
    ('*gemini-2.0-flash-0*', null, 0.1, 0.025, 0.4),
    ('*gemini-2.0-flash-latest*', null, 0.1, 0.025, 0.4),
    ('*gemini-2.0-flash-lite*', null, 0.075, null, 0.3),
    ('*gemini-2.5-flash', null, 0.3, 0.03, 2.5),
    ('*gemini-2.5-flash-latest', null, 0.3, 0.03, 2.5),
    ('*gemini-2.5-flash-lite', null, 0.1, 0.01, 0.4),
    ('*gemini-2.5-flash-lite-preview', null, 0.1, 0.01, 0.4),
    ('*gemini-2.5-flash-lite-preview-0*', null, 0.1, 0.01, 0.4),
    ('*gemini-2.5-pro', null, 1.25, 0.125, 10),
    ('*gemini-2.5-pro-0*', null, 1.25, 0.125, 10),
    ('*gemini-2.5-pro-preview-0*', null, 1.25, 0.125, 10),
    ('*gemini-3-flash-preview', null, 0.5, 0.05, 3),
    ('*gemini-3-flash-preview-*', null, 0.5, 0.05, 3),
    ('*gemini-3-pro-preview*', null, 2, 0.2, 12),
    ('*gemini-3-pro-text-preview', null, 2, 0.2, 12),
    ('*gemini-3.1-flash-lite', null, 0.25, 0.025, 1.5),
    ('*gemini-3.1-flash-lite-preview*', null, 0.25, 0.025, 1.5),
    ('*gemini-3.1-pro-preview*', null, 2, 0.2, 12),
    ('*gemini-3.5-flash', null, 1.5, 0.15, 9),
    ('*gemini-3.5-flash-lite*', null, 0.3, 0.03, 2.5),
    ('*gemini-3.5-flash-preview*', null, 1.5, 0.15, 9),
    ('*gemini-3.6-flash*', null, 0.75, 0.075, 3.75),
    ('*gemini-3.6-flash*', '2027-01-01', 1.5, 0.15, 7.5),
    ('*gemini-3.7-flash*', null, 0.75, 0.075, 3.75),
    ('*gemini-3.7-flash*', '2027-01-01', 1.5, 0.15, 7.5),
    ('*gemini-3.8-flash*', null, 0.75, 0.075, 3.75),
    ('*gemini-3.8-flash*', '2027-01-01', 1.5, 0.15, 7.5),
    ('*gemini-embedding-001', null, 0.15, null, null),
    ('*gemini-embedding-2', null, 0.2, null, null),
    ('*global.amazon.nova-2-lite*', null, 0.3, 0.075, 2.5),
    ('*global.anthropic.claude-fable-5', null, 10, 1, 50),
    ('*global.anthropic.claude-fable-5-1', null, 10, 0.25, 50),
    ('*global.anthropic.claude-fable-5-1-v1*', null, 10, 0.25, 50),
    ('*global.anthropic.claude-fable-5-v1*', null, 10, 1, 50),
    ('*global.anthropic.claude-haiku-4-5-20251001*', null, 1, 0.1, 5),
    ('*global.anthropic.claude-opus-4-5*', null, 5, 0.5, 25),
    ('*global.anthropic.claude-opus-4-6*', null, 5, 0.5, 25),
    ('*global.anthropic.claude-opus-4-7*', null, 5, 0.5, 25),
    ('*global.anthropic.claude-opus-4-8*', null, 5, 0.5, 25),
    ('*global.anthropic.claude-opus-5', null, 5, 0.5, 25),
    ('*global.anthropic.claude-opus-5-5', null, 4, 0.2, 20),
    ('*global.anthropic.claude-opus-5-5-v1*', null, 4, 0.2, 20),
    ('*global.anthropic.claude-opus-5-v1*', null, 5, 0.5, 25),
    ('*global.anthropic.claude-sonnet-4-5-20250929*', null, 3, 0.3, 15),
    ('*global.anthropic.claude-sonnet-4-6*', null, 3, 0.3, 15),
    ('*global.anthropic.claude-sonnet-5*', null, 2, 0.2, 10),
    ('*global.openai.gpt-5.6-luna*', null, 0.2, 0.02, 1.2),
    ('*global.openai.gpt-5.6-sol*', null, 5, 0.5, 30),
    ('*global.openai.gpt-5.6-sol*', '2026-08-21', 4, 0.4, 20),
    ('*global.openai.gpt-5.6-terra*', null, 2, 0.2, 12),
    ('*google.gemma-3-12b-it*', null, 0.09, null, 0.29),
    ('*google.gemma-3-27b-it*', null, 0.23, null, 0.38),
    ('*google.gemma-3-4b-it*', null, 0.04, null, 0.08),
    ('*gpt-3.5-turbo-0125', null, 0.5, null, 1.5),
    ('*gpt-3.5-turbo-1106', null, 1, null, 2),
    ('*gpt-4', null, 30, null, 60),
    ('*gpt-4-0613', null, 30, null, 60),
    ('*gpt-4-turbo', null, 10, null, 30),
    ('*gpt-4-turbo-2024-04-09', null, 10, null, 30),
    ('*gpt-4.1', null, 2, 0.5, 8),
    ('*gpt-4.1-2025-04-14', null, 2, 0.5, 8),
    ('*gpt-4.1-mini', null, 0.4, 0.1, 1.6),
    ('*gpt-4.1-mini-2025-04-14', null, 0.4, 0.1, 1.6),
    ('*gpt-4.1-nano', null, 0.1, 0.025, 0.4),
    ('*gpt-4.1-nano-2025-04-14', null, 0.1, 0.025, 0.4),
    ('*gpt-4o', null, 2.5, 1.25, 10),
    ('*gpt-4o-2024-05-13', null, 5, null, 15),
    ('*gpt-4o-2024-08-06', null, 2.5, 1.25, 10),
    ('*gpt-4o-2024-11-20', null, 2.5, 1.25, 10),
    ('*gpt-4o-mini', null, 0.15, 0.075, 0.6),
    ('*gpt-4o-mini-2024-07-18', null, 0.15, 0.075, 0.6),
    ('*gpt-4o-mini-2024-07-18.ft-*', null, 0.3, null, 1.2),
    ('*gpt-4o-mini-search-preview', null, 0.15, 0.075, 0.6),
    ('*gpt-4o-mini-search-preview-2025-03-11', null, 0.15, 0.075, 0.6),
    ('*gpt-4o-search-preview', null, 2.5, null, 10),
    ('*gpt-4o-search-preview-2025-03-11', null, 2.5, null, 10),
    ('*gpt-5', null, 1.25, 0.125, 10),
    ('*gpt-5-2025-08-07', null, 1.25, 0.125, 10),
    ('*gpt-5-chat', null, 1.25, 0.125, 10),
    ('*gpt-5-chat-latest', null, 1.25, 0.125, 10),
    ('*gpt-5-codex', null, 1.25, 0.125, 10),
    ('*gpt-5-mini', null, 0.25, 0.025, 2),
    ('*gpt-5-mini-2025-08-07', null, 0.25, 0.025, 2),
    ('*gpt-5-nano', null, 0.05, 0.005, 0.4),
    ('*gpt-5-pro', null, 15, null, 120),
    ('*gpt-5-pro-2025-10-06', null, 15, null, 120),
    ('*gpt-5.1', null, 1.25, 0.125, 10),
    ('*gpt-5.1-2025-11-13', null, 1.25, 0.125, 10),
    ('*gpt-5.1-chat', null, 1.25, 0.125, 10),
    ('*gpt-5.1-chat-latest', null, 1.25, 0.125, 10),
    ('*gpt-5.1-codex', null, 1.25, 0.125, 10),
    ('*gpt-5.1-codex-max', null, 1.25, 0.125, 10),
    ('*gpt-5.1-codex-mini', null, 0.25, 0.025, 2),
    ('*gpt-5.1-mini', null, 0.25, 0.025, 2),
    ('*gpt-5.2', null, 1.75, 0.175, 14),
    ('*gpt-5.2-2025-12-11', null, 1.75, 0.175, 14),
    ('*gpt-5.2-chat', null, 1.75, 0.175, 14),
    ('*gpt-5.2-chat-latest', null, 1.75, 0.175, 14),
    ('*gpt-5.2-codex', null, 1.75, 0.175, 14),
    ('*gpt-5.2-pro', null, 21, null, 168),
    ('*gpt-5.2-pro-2025-12-11', null, 21, null, 168),
    ('*gpt-5.3', null, 1.75, 0.175, 14),
    ('*gpt-5.3-chat', null, 1.75, 0.175, 14),
    ('*gpt-5.3-chat-latest', null, 1.75, 0.175, 14),
    ('*gpt-5.3-codex', null, 1.75, 0.175, 14),
    ('*gpt-5.4', null, 2.5, 0.25, 15),
    ('*gpt-5.4-2026-03-05', null, 2.5, 0.25, 15),
    ('*gpt-5.4-mini', null, 0.75, 0.075, 4.5),
    ('*gpt-5.4-mini-2026-03-17', null, 0.75, 0.075, 4.5),
    ('*gpt-5.4-nano', null, 0.2, 0.02, 1.25),
    ('*gpt-5.4-nano-2026-03-17', null, 0.2, 0.02, 1.25),
    ('*gpt-5.4-pro', null, 30, null, 180),
    ('*gpt-5.4-pro-2026-03-05', null, 30, null, 180),
    ('*gpt-5.5', null, 5, 0.5, 30),
    ('*gpt-5.5-2026-04-23', null, 5, 0.5, 30),
    ('*gpt-5.5-2026-04-24', null, 5, 0.5, 30),
    ('*gpt-5.5-chat', null, 5, 0.5, 30),
    ('*gpt-5.5-chat-latest', null, 5, 0.5, 30),
    ('*gpt-5.5-codex', null, 5, 0.5, 30),
    ('*gpt-5.5-pro', null, 30, null, 180),
    ('*gpt-5.5-pro-2026-04-23', null, 30, null, 180),
    ('*gpt-5.6', null, 5, 0.5, 30),
    ('*gpt-5.6', '2026-08-21', 4, 0.4, 20),
    ('*gpt-5.6-luna', null, 1, 0.1, 6),
    ('*gpt-5.6-luna', '2026-07-30', 0.2, 0.02, 1.2),
    ('*gpt-5.6-luna-20*', null, 1, 0.1, 6),
    ('*gpt-5.6-luna-20*', '2026-07-30', 0.2, 0.02, 1.2),
    ('*gpt-5.6-sol', null, 5, 0.5, 30),
    ('*gpt-5.6-sol', '2026-08-21', 4, 0.4, 20),
    ('*gpt-5.6-sol-20*', null, 5, 0.5, 30),
    ('*gpt-5.6-sol-20*', '2026-08-21', 4, 0.4, 20),
    ('*gpt-5.6-terra', null, 2.5, 0.25, 15),
    ('*gpt-5.6-terra', '2026-07-30', 2, 0.2, 12),
    ('*gpt-5.6-terra-20*', null, 2.5, 0.25, 15),
    ('*gpt-5.6-terra-20*', '2026-07-30', 2, 0.2, 12),
    ('*gpt-6-astra', null, 10, 1, 50),
    ('*gpt-6-astra-20*', null, 10, 1, 50),
    ('*gpt-6-luna', null, 0.1, 0.01, 0.5),
    ('*gpt-6-luna-20*', null, 0.1, 0.01, 0.5),
    ('*gpt-6-sol', null, 2, 0.2, 10),
    ('*gpt-6-sol-20*', null, 2, 0.2, 10),
    ('*grok-3', null, 3, 0.75, 15),
    ('*grok-3-fast', null, 5, 1.25, 25),
    ('*grok-3-fast-latest', null, 5, 1.25, 25),
    ('*grok-3-latest', null, 3, 0.75, 15),
    ('*grok-3-mini', null, 0.3, 0.075, 0.5),
    ('*grok-3-mini-fast', null, 0.6, 0.15, 4),
    ('*grok-3-mini-fast-latest', null, 0.6, 0.15, 4),
    ('*grok-3-mini-latest', null, 0.3, 0.075, 0.5),
    ('*grok-4', null, 3, 0.75, 15),
    ('*grok-4-0709', null, 3, 0.75, 15),
    ('*grok-4-1-fast', null, 0.2, 0.05, 0.5),
    ('*grok-4-1-fast-non-reasoning', null, 0.2, 0.05, 0.5),
    ('*grok-4-1-fast-non-reasoning-latest', null, 0.2, 0.05, 0.5),
    ('*grok-4-1-fast-reasoning', null, 0.2, 0.05, 0.5),
    ('*grok-4-1-fast-reasoning-latest', null, 0.2, 0.05, 0.5),
    ('*grok-4-fast', null, 0.2, 0.05, 0.5),
    ('*grok-4-fast-non-reasoning', null, 0.2, 0.05, 0.5),
    ('*grok-4-fast-non-reasoning-latest', null, 0.2, 0.05, 0.5),
    ('*grok-4-fast-reasoning', null, 0.2, 0.05, 0.5),
    ('*grok-4-fast-reasoning-latest', null, 0.2, 0.05, 0.5),
    ('*grok-4-latest', null, 3, 0.75, 15),
    ('*grok-4.20', null, 1.25, 0.2, 2.5),
    ('*grok-4.20-multi-agent', null, 2, 0.2, 6),
    ('*grok-4.3', null, 1.25, 0.2, 2.5),
    ('*grok-4.3-20*', null, 1.25, 0.2, 2.5),
    ('*grok-4.3-latest', null, 1.25, 0.2, 2.5),
    ('*grok-4.5', null, 2, 0.3, 6),
    ('*grok-4.5-20*', null, 2, 0.3, 6),
    ('*grok-4.5-latest', null, 2, 0.3, 6),
    ('*grok-4.6', null, 2, 0.5, 6),
    ('*grok-4.6-20*', null, 2, 0.5, 6),
    ('*grok-4.6-latest', null, 2, 0.5, 6),
    ('*grok-build-0.1', null, 1, 0.2, 2),
    ('*grok-code-fast-1', null, 0.2, 0.02, 1.5),
    ('*grok-code-fast-1-0825', null, 0.2, 0.02, 1.5),
    ('*groq/llama-3.1-8b-instant', null, 0.05, null, 0.08),
    ('*groq/llama-3.3-70b-versatile', null, 0.59, null, 0.79),
    ('*groq/meta-llama/llama-4-maverick-17b-128e-instruct', null, 0.2, null, 0.6),
    ('*groq/meta-llama/llama-4-scout-17b-16e-instruct', null, 0.11, null, 0.34),
    ('*groq/mistral-saba-24b', null, 0.79, null, 0.79),
    ('*groq/moonshotai/kimi-k2-instruct', null, 1, 0.5, 3),
    ('*groq/moonshotai/kimi-k2-instruct-0905', null, 1, 0.5, 3),
    ('*groq/openai/gpt-oss-120b', null, 0.15, 0.075, 0.6),
    ('*groq/openai/gpt-oss-20b', null, 0.075, 0.0375, 0.3),
    ('*groq/openai/gpt-oss-safeguard-20b', null, 0.15, 0.075, 0.6),
    ('*groq/qwen/qwen3-32b', null, 0.29, null, 0.59),
    ('*jp.amazon.nova-2-lite*', null, 0.33, 0.0825, 2.75),
    ('*kimi-k2-turbo*', null, 1.15, 0.15, 8),
    ('*kimi-k2.7-code-highspeed', null, 1.9, 0.38, 8),
    ('*kimi-k3', null, 3, 0.3, 15),
    ('*labs-devstral-small-2512', null, 0.1, null, 0.3),
    ('*meta.llama4-maverick-17b-instruct*', null, 0.24, null, 0.97),
    ('*meta.llama4-scout-17b-instruct*', null, 0.17, null, 0.66),
    ('*ministral-14b-2512', null, 0.2, 0.02, 0.2),
    ('*ministral-3b', null, 0.04, null, 0.04),
    ('*ministral-3b-2512', null, 0.1, 0.01, 0.1),
    ('*ministral-8b', null, 0.1, null, 0.1),
    ('*ministral-8b-2410', null, 0.1, null, 0.1),
    ('*ministral-8b-2512', null, 0.15, 0.015, 0.15),
    ('*ministral-8b-latest', null, 0.1, null, 0.1),
    ('*ministral-8b-latest', '2025-12-02', 0.15, 0.015, 0.15),
    ('*mistral-large-2411', null, 2, null, 6),
    ('*mistral-large-2512', null, 0.5, 0.05, 1.5),
    ('*mistral-medium-2505', null, 0.4, 0.04, 2),
    ('*mistral-medium-2508', null, 0.4, 0.04, 2),
    ('*mistral-medium-3', null, 1.5, 0.15, 7.5),
    ('*mistral-medium-3-5', null, 1.5, 0.15, 7.5),
    ('*mistral-medium-3.5', null, 1.5, 0.15, 7.5),
    ('*mistral-small-2603', null, 0.15, 0.015, 0.6),
    ('*mistral.devstral-2-123b*', null, 0.4, null, 2),
    ('*mistral.magistral-small-2509*', null, 0.5, null, 1.5),
    ('*mistral.ministral-3-14b-instruct*', null, 0.2, null, 0.2),
    ('*mistral.ministral-3-3b-instruct*', null, 0.1, null, 0.1),
    ('*mistral.ministral-3-8b-instruct*', null, 0.15, null, 0.15),
    ('*mistral.mistral-large-2402*', null, 4, null, 12),
    ('*mistral.mistral-large-3-675b-instruct*', null, 0.5, null, 1.5),
    ('*mistral.mistral-small-2402*', null, 1, null, 3),
    ('*mistral.mixtral-8x7b-instruct-v0*', null, 0.45, null, 0.7),
    ('*mistral.pixtral-large-2502*', null, 2, null, 6),
    ('*mistral.voxtral-mini-3b-2507*', null, 0.04, null, 0.04),
    ('*mistral.voxtral-small-24b-2507*', null, 0.1, null, 0.3),
    ('*nvidia.nemotron-nano-3-30b*', null, 0.06, null, 0.24),
    ('*nvidia.nemotron-nano-9b-v2*', null, 0.06, null, 0.23),
    ('*nvidia.nemotron-super-3-120b*', null, 0.15, null, 0.65),
    ('*o1-2024-12-17', null, 15, 7.5, 60),
    ('*o1-pro-2025-03-19', null, 150, null, 600),
    ('*o3-2025-04-16', null, 10, 0.5, 40),
    ('*o3-2025-04-16', '2025-06-10', 2, 0.5, 8),
    ('*o3-deep-research-2025-06-26', null, 10, 2.5, 40),
    ('*o3-mini-2025-01-31', null, 1.1, 0.55, 4.4),
    ('*o3-pro-2025-06-10', null, 20, null, 80),
    ('*o4-mini-2025-04-16', null, 1.1, 0.275, 4.4),
    ('*o4-mini-deep-research-2025-06-26', null, 2, 0.5, 8),
    ('*openai.gpt-5.4', null, 2.75, 0.275, 16.5),
    ('*openai.gpt-5.5', null, 5.5, 0.55, 33),
    ('*openai.gpt-5.6-luna*', null, 1.1, 0.11, 6.6),
    ('*openai.gpt-5.6-luna*', '2026-07-30', 0.22, 0.022, 1.32),
    ('*openai.gpt-5.6-sol*', null, 5.5, 0.55, 33),
    ('*openai.gpt-5.6-sol*', '2026-08-21', 4.4, 0.44, 22),
    ('*openai.gpt-5.6-terra*', null, 2.75, 0.275, 16.5),
    ('*openai.gpt-5.6-terra*', '2026-07-30', 2.2, 0.22, 13.2),
    ('*openai.gpt-oss-120b-1*', null, 0.15, null, 0.6),
    ('*openai.gpt-oss-20b-1*', null, 0.07, null, 0.3),
    ('*pixtral-12b', null, 0.15, null, 0.15),
    ('*pixtral-12b-latest', null, 0.15, null, 0.15),
    ('*pixtral-large-2411', null, 2, null, 6),
    ('*qwen.qwen3-32b*', null, 0.15, null, 0.6),
    ('*qwen.qwen3-coder-30b-a3b*', null, 0.15, null, 0.6),
    ('*qwen.qwen3-coder-480b-a35b*', null, 0.45, null, 1.8),
    ('*qwen.qwen3-vl-235b-a22b*', null, 0.53, null, 2.66),
    ('*text-embedding-3-large', null, 0.13, null, null),
    ('*text-embedding-3-small', null, 0.02, null, null),
    ('*text-embedding-ada-002', null, 0.1, null, null),
    ('*text-embedding-ada-002-v2', null, 0.1, null, null),
    ('*us.amazon.nova-2-lite*', null, 0.33, 0.0825, 2.75),
    ('*voxtral-small-24b-2507', null, 0.1, 0.01, 0.3),
    ('*voxtral-small-24b-2507', '2026-08-11', 0.1, 0.01, 0.4),
    ('*voxtral-small-2507', null, 0.1, 0.01, 0.3),
    ('*voxtral-small-2507', '2026-08-11', 0.1, 0.01, 0.4),
    ('*writer.palmyra-x4*', null, 2.5, null, 10),
    ('*writer.palmyra-x5*', null, 0.6, null, 6),
    ('codestral-latest', null, 0.3, null, 0.9),
    ('codex-mini', null, 1.5, 0.375, 6),
    ('codex-mini-latest', null, 1.5, 0.375, 6),
    ('command-a', null, 2.5, null, 10),
    ('command-r', null, 0.15, null, 0.6),
    ('command-r-plus', null, 2.5, null, 10),
    ('devstral-small', null, 0.1, null, 0.3),
    ('devstral-small-latest', null, 0.1, null, 0.3),
    ('ft:gpt-4o-2024-*', null, 3.75, null, 15),
    ('ft:gpt-4o-mini-2024-*', null, 0.3, null, 1.2),
    ('gpt-3.5-turbo', null, 0.5, null, 1.5),
    ('gpt-5-nano-*', null, 0.05, 0.005, 0.4),
    ('gpt-chat-latest', null, 5, 0.5, 30),
    ('grok-code-fast', null, 0.2, 0.02, 1.5),
    ('grok-latest', null, 2, 0.3, 6),
    ('kimi-k2.5*', null, 0.6, 0.1, 3),
    ('kimi-k2.6*', null, 0.95, 0.16, 4),
    ('kimi-k2.7-code', null, 0.95, 0.19, 4),
    ('llama-3.1-8b-instant', null, 0.05, null, 0.08),
    ('llama-3.3-70b-versatile', null, 0.59, null, 0.79),
    ('magistral-medium*', null, 2, null, 5),
    ('magistral-small-*', null, 0.5, null, 1.5),
    ('meta-llama/llama-4-maverick-17b-128e-instruct', null, 0.2, null, 0.6),
    ('mistral-embed', null, 0.1, null, 0.1),
    ('mistral-large', null, 2, null, 6),
    ('mistral-large-latest', null, 2, null, 6),
    ('mistral-medium', null, 0.4, 0.04, 2),
    ('mistral-medium-latest', null, 0.4, 0.04, 2),
    ('mistral-medium-latest', '2026-06-16', 1.5, 0.15, 7.5),
    ('mistral-nemo', null, 0.15, null, 0.15),
    ('mistral-saba', null, 0.2, null, 0.6),
    ('mistral-saba-24b', null, 0.79, null, 0.79),
    ('mistral-saba-latest', null, 0.2, null, 0.6),
    ('mistral-small-latest', null, 0.1, null, 0.3),
    ('o1', null, 15, 7.5, 60),
    ('o1-pro', null, 150, null, 600),
    ('o3', null, 10, 0.5, 40),
    ('o3', '2025-06-10', 2, 0.5, 8),
    ('o3-deep-research', null, 10, 2.5, 40),
    ('o3-mini', null, 1.1, 0.55, 4.4),
    ('o3-mini-high', null, 1.1, 0.55, 4.4),
    ('o3-pro', null, 20, null, 80),
    ('o4-mini', null, 1.1, 0.275, 4.4),
    ('o4-mini-deep-research', null, 2, 0.5, 8),
    ('o4-mini-high', null, 1.1, 0.275, 4.4),
    ('open-mistral-nemo', null, 0.15, null, 0.15),
    ('pixtral-large-latest', null, 2, null, 6),
    ('voxtral-small-latest', null, 0.1, 0.01, 0.3),
    ('voxtral-small-latest', '2026-08-11', 0.1, 0.01, 0.4);
end $$;

-- Where they are from, and of which day: {source, as_of}.
create function internal.origin_of_known_prices() returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return '{"source": "@pydantic/genai-prices 0.1.8", "as_of": "2026-09-23"}';
end $$;

-- supabase/schemas/25_model_prices/prices_of_models.sql
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

-- supabase/schemas/25_model_prices/put_model_prices.sql
-- PUT /model-prices. payload.prices: as the table has them, payload.expected_version?. data: {version, prices}. Refuses forbidden
-- for a token that is bound to namespaces, since the prices are the whole tenant's, and with status 409 when they are not at
-- expected_version.
create function public.put_model_prices(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(put_model_prices.payload);
  owner_id uuid := admission ->> 'tenant_id';
  expected_version integer := put_model_prices.payload ->> 'expected_version';
  current_version integer;
begin
  if admission ? 'error' then return admission; end if;
  if exists (
    select from public.tracer_tokens
    where tracer_tokens.id = (admission ->> 'token_id')::uuid and tracer_tokens.namespaces is not null) then
    return admission || internal.refusal('forbidden',
      'This tracer token is bound to namespaces: it may read the model prices, but not change them.');
  end if;

  -- One change at a time: of two that expect the same version, the second finds the first.
  perform pg_advisory_xact_lock(hashtextextended('model prices ' || owner_id, 0));
  current_version := coalesce((
    select model_prices.version from public.model_prices where model_prices.tenant_id = owner_id), 0);
  if expected_version <> current_version then
    return admission || jsonb_build_object('error', jsonb_build_object(
      'code', 'bad_request', 'status', 409, 'version', current_version,
      'message', format('The prices are at version %s by now, not at the expected_version %s. Read them and try again.',
                        current_version, expected_version)));
  end if;

  insert into public.model_prices as own (tenant_id, prices)
  values (owner_id, put_model_prices.payload -> 'prices')
  on conflict on constraint model_prices_pkey
    do update set prices = excluded.prices, version = own.version + 1, updated_at = now();
  return admission || jsonb_build_object('data', internal.current_prices(owner_id));
end $$;

-- supabase/schemas/30_namespaces/00_tables.sql
create table public.namespaces (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  name text not null,
  public_id text not null default internal.new_public_id('proj_'),
  created_at timestamptz not null default now(),
  constraint namespace_name_is_unique_within_its_tenant unique (tenant_id, name),
  constraint namespace_id_names_its_tenant unique (tenant_id, id),
  constraint namespace_public_id_is_unique_within_its_tenant unique (tenant_id, public_id),
  constraint namespace_name_is_not_empty check (name <> '')
);
comment on table public.namespaces is 'Parts of a tenant''s data. A token may be bound to some of them.';
comment on column public.namespaces.public_id is 'What the SOAT API calls a project_id.';

-- supabase/schemas/30_namespaces/list_namespaces.sql
-- GET /namespaces. data: {namespaces: [{namespace, created_at}]}, those that the token may use, by name.
create function public.list_namespaces(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := public.admit(list_namespaces.payload);
begin
  if admission ? 'error' then return admission; end if;

  return admission || jsonb_build_object('data', jsonb_build_object('namespaces', (
    select coalesce(jsonb_agg(internal.namespace_view(namespace) order by namespace.name), '[]')
    from public.namespaces namespace
    where namespace.tenant_id = (admission ->> 'tenant_id')::uuid
      and internal.may_use_namespace(admission, namespace.name))));
end $$;

-- supabase/schemas/30_namespaces/names.sql
-- The id of a tenant's namespace, null where there is none.
create function internal.namespace_id(tenant_id uuid, name text) returns bigint
language plpgsql stable set search_path = '' as $$
begin
  return (
    select namespaces.id from public.namespaces
    where namespaces.tenant_id = namespace_id.tenant_id and namespaces.name = namespace_id.name);
end $$;

-- The ids of the namespaces that the token may use; of these, where one is named, only that.
create function internal.namespaces_in_sight(admission jsonb, namespace text) returns bigint[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  usable text[] := internal.usable_namespaces(admission);
begin
  return array(
    select namespaces.id from public.namespaces
    where namespaces.tenant_id = (admission ->> 'tenant_id')::uuid
      and (usable is null or namespaces.name = any (usable))
      and (namespaces_in_sight.namespace is null or namespaces.name = namespaces_in_sight.namespace));
end $$;

-- A namespace as clients get it.
create function internal.namespace_view(namespace public.namespaces) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'namespace', (namespace_view.namespace).name,
    'created_at', internal.timestamp_text((namespace_view.namespace).created_at));
end $$;

-- Sessions: create, and get-or-create.

-- Makes sure that these namespaces of the tenant exist: first use registers.
-- Ordered, so that two requests registering the same names never wait for each other in a circle.
create function internal.register_namespaces(tenant_id uuid, names text[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.namespaces (tenant_id, name)
  select distinct register_namespaces.tenant_id, wanted.name
  from unnest(register_namespaces.names) as wanted (name)
  where not exists (
    select from public.namespaces known
    where known.tenant_id = register_namespaces.tenant_id and known.name = wanted.name)
  order by wanted.name
  on conflict do nothing;
end $$;

-- supabase/schemas/30_namespaces/register_namespace.sql
-- POST /namespace/register. payload.namespace. data: {namespace, created_at}. Refuses forbidden, namespace_taken and
-- namespace_too_similar {similar_namespaces, suggestion}.
create function public.register_namespace(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(register_namespace.payload);
  owner_id uuid := admission ->> 'tenant_id';
  wanted text := register_namespace.payload ->> 'namespace';
  similar_names jsonb;
  registered public.namespaces;
begin
  if admission ? 'error' then return admission; end if;
  if not coalesce((
    select tracer_tokens.namespaces is null or wanted = any (tracer_tokens.namespaces)
    from public.tracer_tokens where tracer_tokens.id = (admission ->> 'token_id')::uuid), false) then
    return admission || internal.namespace_refusal(wanted);
  end if;

  -- One at a time per tenant: of two similar names at once, the second finds the first.
  perform pg_advisory_xact_lock(hashtextextended('register_namespace' || owner_id, 0));
  if exists (select from public.namespaces where namespaces.tenant_id = owner_id and namespaces.name = wanted) then
    return admission || internal.refusal('namespace_taken', format('The namespace "%s" is registered already.', wanted));
  end if;
  select jsonb_agg(namespaces.name order by namespaces.name) into similar_names from public.namespaces
  where namespaces.tenant_id = owner_id and internal.names_are_similar(namespaces.name, wanted);
  if similar_names is not null then
    return admission || jsonb_build_object('error', jsonb_build_object(
      'code', 'namespace_too_similar',
      'message', format('The namespace "%s" is too similar to %s.', wanted, similar_names ->> 0),
      'similar_namespaces', similar_names,
      'suggestion', format('Use "%s", or choose a name that differs more.', similar_names ->> 0)));
  end if;

  perform internal.register_namespaces(owner_id, array[wanted]);
  select namespaces.* into registered from public.namespaces
  where namespaces.tenant_id = owner_id and namespaces.name = wanted;
  return admission || jsonb_build_object('data', internal.namespace_view(registered));
end $$;

-- Registering namespaces on purpose, and listing them.

-- What of a name people tell apart: its letters and digits, in one case.
create function internal.namespace_skeleton(name text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return regexp_replace(lower(namespace_skeleton.name), '[^[:alnum:]]', '', 'g');
end $$;

-- Whether two names are too easily taken for each other: they differ in case and separators only, or by one letter put in
-- or left out (`my-agent`, `my_agents`). A digit tells apart: `agent-1` and `agent-2` are two.
create function internal.names_are_similar(one text, other text) returns boolean
language plpgsql immutable set search_path = '' as $$
declare
  shorter text := internal.namespace_skeleton(names_are_similar.one);
  longer text := internal.namespace_skeleton(names_are_similar.other);
begin
  if length(shorter) > length(longer) then
    return internal.names_are_similar(names_are_similar.other, names_are_similar.one);
  end if;
  if shorter = longer then return shorter <> ''; end if;
  if length(longer) - length(shorter) <> 1 or length(shorter) < 4 then return false; end if;

  return exists (
    select from generate_series(1, length(longer)) as place
    where substr(longer, place, 1) !~ '[0-9]' and overlay(longer placing '' from place for 1) = shorter);
end $$;

-- supabase/schemas/40_sessions/00_tables.sql
create table public.sessions (
  tenant_id uuid not null,
  id text not null,
  namespace_id bigint not null,
  user_id text,
  inactivity_timeout integer not null default 120,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  last_activity_at timestamptz not null default now(),
  was_created boolean not null default false,
  constraint session_id_is_unique_within_its_tenant primary key (tenant_id, id),
  constraint session_namespace_belongs_to_its_tenant
    foreign key (tenant_id, namespace_id) references public.namespaces (tenant_id, id) on delete cascade,
  constraint session_id_is_not_empty check (id <> ''),
  constraint session_inactivity_timeout_is_at_least_a_second check (inactivity_timeout >= 1)
);
comment on table public.sessions is 'Conversations.';
comment on column public.sessions.id is 'The tenant''s own key: made by the API, or offline by a client.';
comment on column public.sessions.inactivity_timeout is 'Seconds.';
comment on column public.sessions.last_activity_at is
  'When its last step arrived, or get-or-create found it. A projection: steps count from when they are folded.';
comment on column public.sessions.was_created is 'Whether a client has created it. Else its first step has brought it.';
-- get-or-create: the most recently active session of a user. And a namespace that is deleted takes its sessions along.
create index sessions_of_a_user_by_activity
  on public.sessions (tenant_id, namespace_id, user_id, last_activity_at desc);

-- supabase/schemas/40_sessions/create_session.sql
-- POST /sessions/create. payload.session: {namespace, user_id?, inactivity_timeout?, metadata?}.
create function public.create_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := create_session.payload -> 'session';
  admission jsonb := internal.in_namespace(internal.admit_writer(create_session.payload), wanted ->> 'namespace');
begin
  if admission ? 'error' then return admission; end if;

  return admission || jsonb_build_object('data',
    internal.session_view(internal.open_session((admission ->> 'tenant_id')::uuid, wanted), wanted ->> 'namespace'));
end $$;

-- Opens a session {namespace, user_id, inactivity_timeout, metadata} named {namespace}-{user_id}-{YYYYMMDDHHMMSS} (UTC).
-- The primary key settles two in one second: the second one waits for the first, finds the name gone, takes -1.
create function internal.open_session(tenant_id uuid, wanted jsonb) returns public.sessions
language plpgsql set search_path = '' as $$
declare
  base text := format('%s-%s-%s', wanted ->> 'namespace', coalesce(wanted ->> 'user_id', 'anonymous'),
                      to_char(now() at time zone 'UTC', 'YYYYMMDDHH24MISS'));
  suffix text := '';
  namespace_id bigint;
  session public.sessions;
begin
  perform internal.register_namespaces(open_session.tenant_id, array[wanted ->> 'namespace']);
  namespace_id := internal.namespace_id(open_session.tenant_id, wanted ->> 'namespace');

  for attempt in 1 .. 1000000 loop
    insert into public.sessions (tenant_id, id, namespace_id, user_id, inactivity_timeout, metadata, was_created)
    values (open_session.tenant_id, base || suffix, namespace_id, wanted ->> 'user_id',
            coalesce((wanted ->> 'inactivity_timeout')::integer, 120), coalesce(wanted -> 'metadata', '{}'), true)
    on conflict on constraint session_id_is_unique_within_its_tenant do nothing
    returning * into session;
    exit when found;
    suffix := '-' || attempt;
  end loop;
  perform internal.list_session_without_steps(session.tenant_id, session.id, session.namespace_id);
  return session;
end $$;

-- A session as clients get it. The namespace's name is passed in: a lookup here would not see one that the same
-- statement has just registered.
create function internal.session_view(session public.sessions, namespace text) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'session_id', (session_view.session).id,
    'namespace', session_view.namespace,
    'user_id', (session_view.session).user_id,
    'inactivity_timeout', (session_view.session).inactivity_timeout,
    'created_at', internal.timestamp_text((session_view.session).created_at),
    'metadata', (session_view.session).metadata);
end $$;

-- supabase/schemas/40_sessions/get_or_create_session.sql
-- POST /sessions/get-or-create. payload.session: {namespace, user_id, inactivity_timeout?, metadata?, force_new?}.
-- Answers with the user's most recently active session if its last activity is within inactivity_timeout seconds; to be found
-- is activity too.
create function public.get_or_create_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  wanted jsonb := get_or_create_session.payload -> 'session';
  admission jsonb := internal.in_namespace(internal.admit_writer(get_or_create_session.payload), wanted ->> 'namespace');
  session public.sessions;
  reused boolean := false;
begin
  admission := internal.folded(admission); -- the last activity of sessions comes from their steps
  if admission ? 'error' then return admission; end if;

  -- One at a time per user: a concurrent caller waits here until the first has committed, and then finds its session.
  perform pg_advisory_xact_lock(hashtextextended(
    jsonb_build_array(admission -> 'tenant_id', wanted -> 'namespace', wanted -> 'user_id')::text, 0));

  if not coalesce((wanted ->> 'force_new')::boolean, false) then
    select sessions.* into session
    from public.sessions
    where sessions.tenant_id = (admission ->> 'tenant_id')::uuid
      and sessions.namespace_id = internal.namespace_id((admission ->> 'tenant_id')::uuid, wanted ->> 'namespace')
      and sessions.user_id = wanted ->> 'user_id'
      and sessions.last_activity_at >=
        now() - make_interval(secs => coalesce((wanted ->> 'inactivity_timeout')::integer, 120))
    order by sessions.last_activity_at desc, sessions.created_at desc, sessions.id desc
    limit 1;
    reused := found;
    update public.sessions set last_activity_at = now()
    where sessions.tenant_id = session.tenant_id and sessions.id = session.id;
  end if;
  if not reused then
    session := internal.open_session((admission ->> 'tenant_id')::uuid, wanted);
  end if;

  return admission || jsonb_build_object('data',
    internal.session_view(session, wanted ->> 'namespace') || jsonb_build_object('reused', reused));
end $$;

-- supabase/schemas/50_steps/00_previews.sql
-- What lists of steps show of what was said. Made when a step is stored, so that no list reads whole contents.

-- What a step says, in one line of at most 120 characters: of a tool call the result, else the arguments; of a model call or a
-- span the last of its output, else of its input; of a record the first of its messages. Null: nothing, or it was taken away.
create function internal.step_preview(kind text, name text, content jsonb) returns text
language plpgsql immutable set search_path = '' as $$
declare
  said text := case
    when content is null then null
    when kind = 'handoff' then 'to: ' || name
    when kind = 'log' then content ->> 'message'
    when kind = 'message' then internal.text_within(content -> 'msg', 0)
    when kind = 'tool' then
      coalesce(internal.text_within(content -> 'result', -1), internal.text_within(content -> 'arguments', -1))
    else coalesce(internal.text_within(content -> 'output', -1), internal.text_within(content -> 'input', -1))
  end;
begin
  return nullif(btrim(left(btrim(regexp_replace(left(said, 1000), '\s+', ' ', 'g')), 120)), '');
end $$;

-- The text in a value, whatever its shape: of a list its first (0) or last (-1) element, but a text before a picture; of an object the
-- member that says most. A model that asks for tools and says nothing asks for these. What has none of all that is its JSON.
create function internal.text_within(value jsonb, place integer) returns text
language plpgsql immutable set search_path = '' as $$
declare
  here jsonb := text_within.value;
  inside jsonb;
begin
  for depth in 1 .. 10 loop
    inside := case jsonb_typeof(here)
      when 'array' then
        case when here -> text_within.place ->> 'type' in ('text', 'input_text', 'output_text', 'message')
          or not coalesce(here -> text_within.place ? 'type', false) then here -> text_within.place
        else coalesce(internal.text_part(here, text_within.place), here -> text_within.place) end
      when 'object' then coalesce(
        nullif(here -> 'content', 'null'), nullif(here -> 'text', 'null'), nullif(here -> 'messages', 'null'),
        nullif(here -> 'message', 'null'), nullif(here -> 'choices', 'null'), nullif(here -> 'parts', 'null'),
        nullif(here -> 'prompt', 'null'), internal.asked_tools(here))
    end;
    exit when inside is null;
    here := inside;
  end loop;
  return here #>> '{}';
end $$;

-- The first (0) or last (-1) part of a message that is a text.
create function internal.text_part(parts jsonb, place integer) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return jsonb_path_query_array(text_part.parts, '$[*] ? (@.type == "text" || @.type == "input_text" || @.type == "output_text")')
    -> text_part.place;
end $$;

-- Which tools a message of a model asks for, as OpenAI tells it: `calls: search, book`. Null: none.
create function internal.asked_tools(message jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  names jsonb := case when jsonb_typeof(asked_tools.message -> 'tool_calls') = 'array' then jsonb_path_query_array(
    asked_tools.message, '$.tool_calls[*].function.name ? (@.type() == "string")') end;
begin
  if names is null or names = '[]' then return null; end if;
  return to_jsonb('calls: ' || array_to_string(array(select jsonb_array_elements_text(names)), ', '));
end $$;

-- supabase/schemas/50_steps/00_tables.sql
-- What is derived together: all steps of an OpenTelemetry trace, of a trace that clients named (claimed), of a session (and
-- namespace); or a record that belongs to none of them, by itself (lone). Null: a log entry that belongs to no trace.
create function internal.tree_kind(kind text, session_id text, trace_id text, otel_trace_id text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return case
    when tree_kind.otel_trace_id is not null then 'otel'
    when tree_kind.trace_id is not null then 'claimed'
    when tree_kind.session_id is not null then 'session'
    when tree_kind.kind <> 'log' then 'lone'
  end;
end $$;

-- The key of a tree of that kind, which is made of an id.
create function internal.tree_key(tenant_id uuid, tree_kind text, made_of text) returns uuid
language plpgsql immutable set search_path = '' as $$
begin
  return encode(substring(sha256(convert_to(
    tree_key.tenant_id || ' ' || tree_key.tree_kind || ' ' || tree_key.made_of, 'UTF8')) for 16), 'hex')::uuid;
end $$;

-- The key of the tree that a step belongs to.
create function internal.tree_key_of_step(
  id uuid, tenant_id uuid, namespace_id bigint, kind text, session_id text, trace_id text, otel_trace_id text) returns uuid
language plpgsql immutable set search_path = '' as $$
declare
  tree_kind text := internal.tree_kind(kind, session_id, trace_id, otel_trace_id);
begin
  return internal.tree_key(tenant_id, tree_kind, case tree_kind
    when 'otel' then otel_trace_id
    when 'claimed' then trace_id
    when 'session' then namespace_id || ' ' || session_id
    when 'lone' then id::text
  end);
end $$;

-- Everything that happened, one row a step. Rows are only ever inserted; what was said can be taken away from them. The
-- columns are the skeleton that is filtered, counted and linked; `content` and `error` hold what was said, under the API's own
-- field names. Which trace a step belongs to is not written here: it is derived (60_traces).
-- Steps have no foreign keys, which would cost more than a quarter of a large request. Instead, who writes steps holds the
-- tenant's content lock, and who deletes a namespace or a session waits for it and deletes the steps (90_upkeep).
create table public.steps (
  id uuid not null,
  tenant_id uuid not null,
  namespace_id bigint not null,
  session_id text,
  kind text not null,
  list text not null generated always as (
    case kind when 'log' then 'logs' when 'agent' then 'spans' when 'span' then 'spans' else 'records' end) stored,
  name text,
  agent text,
  agent_is_named boolean not null,
  status text,
  started_at timestamptz,
  occurred_at timestamptz not null,
  latency_ms bigint,
  model text,
  input_tokens bigint,
  output_tokens bigint,
  process_tokens bigint,
  memory_tokens bigint,
  total_tokens bigint,
  cached_input_tokens bigint,
  reasoning_tokens bigint,
  level text,
  resource_id text,
  trace_id text,
  parent_trace_id text,
  otel_trace_id text,
  span_id text,
  parent_span_id text,
  user_id text,
  role text,
  fingerprint uuid,
  handoffs jsonb,
  tree_kind text generated always as (internal.tree_kind(kind, session_id, trace_id, otel_trace_id)) stored,
  tree_key uuid generated always as (
    internal.tree_key_of_step(id, tenant_id, namespace_id, kind, session_id, trace_id, otel_trace_id)) stored,
  error jsonb,
  content jsonb,
  bytes integer not null generated always as (coalesce(octet_length(content::text), 0)) stored,
  preview text generated always as (internal.step_preview(kind, name, content)) stored,
  constraint step_id_is_unique primary key (id),
  constraint step_kind_is_known check (kind in ('llm', 'tool', 'handoff', 'message', 'log', 'agent', 'span')),
  constraint step_role_is_known check (role in ('turn', 'task')),
  constraint step_status_is_known check (status in ('ok', 'error')),
  constraint step_level_is_known check (level in ('debug', 'info', 'warn', 'error')),
  constraint step_figures_are_not_negative
    check (latency_ms >= 0 and input_tokens >= 0 and output_tokens >= 0 and process_tokens >= 0 and memory_tokens >= 0
      and total_tokens >= 0 and cached_input_tokens >= 0 and reasoning_tokens >= 0)
);
comment on column public.steps.id is
  'A UUID of version 7: it begins with the time of arrival. The ids of one request differ in their last five digits alone.';
comment on column public.steps.list is 'In which list clients read it back: records, logs, or (spans) in none of the two.';
comment on column public.steps.name is 'Of a tool call, the tool''s; of a handoff, the agent''s who takes over; of other spans, their own.';
comment on column public.steps.agent is
  'Whom it is filed under: the agent that its sender named, else, but for log entries, the namespace''s own.';
comment on column public.steps.status is 'ok or error. Null: its sender did not tell.';
comment on column public.steps.started_at is
  'When it began, as far as its sender told a time: this one, or its end and how long it took. Null: no time was told.';
comment on column public.steps.occurred_at is
  'When it was over: the sender''s timestamp, else when it arrived. A span is listed by when it began.';
comment on column public.steps.trace_id is
  'The trace that the sender named for it. Where only a parent was named: the one of its agent and session below that parent.';
comment on column public.steps.parent_trace_id is 'What the sender claimed to be the parent of that trace.';
comment on column public.steps.cached_input_tokens is
  'Input tokens that came from a cache, as its sender told. By the conventions of OpenTelemetry and OpenAI they are part of input_tokens; by Anthropic''s (and Claude Code''s) beside them, and may be more. Null: not told.';
comment on column public.steps.reasoning_tokens is 'Those of output_tokens that were spent on thinking. Null: not told.';
comment on column public.steps.user_id is
  'The user whom its sender tells: external_user_id; of an uploaded record without one, user_id. It stays when content is taken away, but is read back of spans alone.';
comment on column public.steps.role is
  'Of a span of OpenAI Agents: turn, whose tokens are those of the model call in it and of the tasks in it; or task.';
comment on column public.steps.fingerprint is 'A hash of a log record that has no id of its own: what is equal is stored once.';
comment on column public.steps.handoffs is 'Who handed over to whom, in order: [{from, to}]. Null: nobody.';
comment on column public.steps.tree_key is
  'What is derived together with it (internal.tree_key). Null: it belongs to no trace, as a log entry without a session.';
comment on column public.steps.bytes is 'The size of its content, as the text of its JSON. 0: it was taken away.';
comment on column public.steps.preview is 'The beginning of what it says: internal.step_preview.';

create index steps_by_time on public.steps (tenant_id, namespace_id, list, occurred_at desc, id desc);
create index steps_of_an_agent_by_time
  on public.steps (tenant_id, namespace_id, list, agent, occurred_at desc, id desc) where agent is not null;
create index steps_of_a_level_by_time
  on public.steps (tenant_id, namespace_id, list, level, occurred_at desc, id desc) where level is not null;
create index steps_of_a_resource_by_time
  on public.steps (tenant_id, namespace_id, list, resource_id, occurred_at desc, id desc) where resource_id is not null;
create index steps_of_a_session_by_time
  on public.steps (tenant_id, session_id, occurred_at desc, id desc) where session_id is not null;
create index steps_of_a_tree on public.steps (tree_key, id) where tree_key is not null;
create index steps_naming_a_parent on public.steps (tenant_id, parent_trace_id) where parent_trace_id is not null;
-- The same span or log record may come twice: the first one counts.
create unique index span_is_stored_once on public.steps (tenant_id, otel_trace_id, span_id) where span_id is not null;
create unique index log_record_is_stored_once on public.steps (tenant_id, fingerprint) where fingerprint is not null;
create index log_entries_of_a_span on public.steps (tree_key, parent_span_id) where kind = 'log' and parent_span_id is not null;

-- Steps that are not folded into the projections yet (60_traces/fold.sql): a row for each thousand of a request's. Only inserted
-- into, so that no request waits for another.
create table public.changes (
  tenant_id uuid not null,
  first_step_id uuid not null,
  last_step_id uuid not null,
  steps integer not null,
  arrived_at timestamptz not null default now(),
  constraint change_is_noted_once primary key (tenant_id, first_step_id)
);
comment on column public.changes.first_step_id is 'The lowest id that one of these steps can have; last_step_id: the highest.';
comment on column public.changes.steps is 'How many there are at most: of a repetition, some may not have been stored.';

-- What was uploaded within the last minute, so that a client's repetition is not stored again.
create table public.record_fingerprints (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  fingerprint bytea not null,
  stored_at timestamptz not null default now(),
  constraint record_fingerprint_is_unique_within_its_tenant primary key (tenant_id, fingerprint)
);
comment on column public.record_fingerprints.fingerprint is
  'SHA-256 of namespace, session, agent, message (as it was sent, hashed by the API) and, when the client gave one, inserted_at.';
create index record_fingerprints_by_age on public.record_fingerprints (stored_at);

-- supabase/schemas/50_steps/duplicates.sql
-- Which of the messages were stored within the last 60 seconds, or stand in this request already: their indexes. The
-- others are noted. The primary key settles it: of two uploads at once, the second waits for the first. In the order of
-- the fingerprints, so that two uploads of the same records never wait for each other in a circle.
create function internal.duplicate_records(tenant_id uuid, items jsonb) returns integer[]
language plpgsql set search_path = '' as $$
declare
  fresh integer[];
begin
  with item as (
    select item.index, sha256(convert_to(jsonb_build_array(
             item.namespace, item.session_id, item.agent, coalesce(to_jsonb(item.message_hash), item.content -> 'msg'),
             item.occurred_at)::text, 'UTF8'
           )) as fingerprint
    from jsonb_to_recordset(duplicate_records.items)
      as item (
        index integer, kind text, namespace text, session_id text, agent text, occurred_at text, message_hash text,
        content jsonb)
    where item.kind = 'message'
  ), first as (
    select distinct on (item.fingerprint) item.fingerprint, item.index from item order by item.fingerprint, item.index
  ), noted as (
    insert into public.record_fingerprints as known (tenant_id, fingerprint)
    select duplicate_records.tenant_id, first.fingerprint from first order by first.fingerprint
    on conflict on constraint record_fingerprint_is_unique_within_its_tenant
      do update set stored_at = excluded.stored_at where known.stored_at <= now() - interval '60 seconds'
    returning known.fingerprint
  )
  select array_agg(first.index) into fresh from noted join first using (fingerprint);

  return array(
    select item.index from jsonb_to_recordset(duplicate_records.items) as item (index integer, kind text)
    where item.kind = 'message' and item.index <> all (coalesce(fresh, '{}')) order by item.index);
end $$;

-- supabase/schemas/50_steps/places.sql
-- Where the items of a request belong: their namespaces and sessions.

-- Items that give the same session and the same namespace ('' for none) belong to the same place. Without a namespace_id, the
-- session or the namespace is not there yet.
create type internal.place as (session_id text, given_namespace text, namespace_id bigint, namespace text);

-- The places of the items: an item's own namespace, else that of its session. What is not there yet is opened: sessions in the
-- first namespace that an item gives for them, else in `default`.
create function internal.places_of(owner_id uuid, items jsonb) returns internal.place[]
language plpgsql set search_path = '' as $$
declare
  places internal.place[] := internal.known_places(owner_id, items);
begin
  if not exists (select from unnest(places) as place where place.namespace_id is null) then return places; end if;
  perform internal.open_places(owner_id, places);
  return internal.known_places(owner_id, items);
end $$;

-- The places as they are now, in the order in which the items first give them. By scalar subqueries: a plan that was made while
-- the tables were small would join by reading them.
create function internal.known_places(owner_id uuid, items jsonb) returns internal.place[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return array(
    select (
      given.session_id, given.namespace,
      case when given.session_id = '' or home.id is not null then coalesce(named.id, case given.namespace when '' then home.id end) end,
      case given.namespace
        when '' then (select namespaces.name from public.namespaces where namespaces.id = home.id)
        else given.namespace
      end
    )::internal.place
    from (
      select coalesce(item.session_id, '') as session_id, coalesce(item.namespace, '') as namespace
      from jsonb_to_recordset(known_places.items) as item (index integer, session_id text, namespace text)
      group by item.session_id, item.namespace
      order by min(item.index)
    ) as given
    cross join lateral (
      select (
        select sessions.namespace_id from public.sessions
        where sessions.tenant_id = owner_id and sessions.id = given.session_id) as id offset 0
    ) as home
    cross join lateral (
      select (
        select namespaces.id from public.namespaces
        where namespaces.tenant_id = owner_id and namespaces.name = given.namespace) as id offset 0
    ) as named);
end $$;

-- Opens the sessions that are not there yet, and registers the namespaces. In the order of the ids, so that two requests over
-- the same sessions never wait for each other in a circle. A session that another request is just opening is waited for, and
-- keeps the namespace in which that request opens it.
create function internal.open_places(owner_id uuid, places internal.place[]) returns void
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  new_sessions text[];
  namespaces_of_sessions text[];
begin
  select array_agg(wanted.id order by wanted.id), array_agg(wanted.namespace order by wanted.id)
  into new_sessions, namespaces_of_sessions
  from (
    select place.session_id as id, coalesce(
      (array_agg(place.given_namespace order by place.number) filter (where place.given_namespace <> ''))[1],
      'default') as namespace
    from unnest(open_places.places) with ordinality as place (session_id, given_namespace, namespace_id, namespace, number)
    where place.session_id <> ''
    group by place.session_id
  ) as wanted
  where ( -- looked up one by one: a join might read all sessions of the tenant
    select known.id from public.sessions as known where known.tenant_id = owner_id and known.id = wanted.id) is null;
  perform internal.register_namespaces(owner_id, namespaces_of_sessions || array(
    select distinct place.given_namespace from unnest(open_places.places) as place where place.given_namespace <> ''));
  insert into public.sessions (tenant_id, id, namespace_id)
  select owner_id, wanted.id, internal.namespace_id(owner_id, wanted.namespace)
  from unnest(new_sessions, namespaces_of_sessions) as wanted (id, namespace)
  order by wanted.id
  on conflict on constraint session_id_is_unique_within_its_tenant do nothing;
end $$;

-- Spans that say neither a namespace nor a session are put where the first span of their tree that was stored is, else in
-- `default`: the agents of OpenAI name their run once, before its spans, and often in another request.
create function internal.in_namespaces_of_trees(owner_id uuid, items jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  if not jsonb_path_exists(in_namespaces_of_trees.items, '$[*] ? (!exists(@.namespace) && !exists(@.session_id))') then
    return items;
  end if;
  return to_jsonb(array(
    select case when item.value ?| array['namespace', 'session_id'] then item.value
      else item.value || jsonb_build_object('namespace', coalesce((
        select (select namespaces.name from public.namespaces where namespaces.id = steps.namespace_id)
        from public.steps
        where steps.tree_key = internal.tree_key(owner_id, 'otel', item.value ->> 'otel_trace_id')
        order by steps.id limit 1), 'default'))
      end
    from jsonb_array_elements(in_namespaces_of_trees.items) with ordinality as item (value, number)
    order by item.number));
end $$;

-- supabase/schemas/50_steps/record_steps.sql
-- POST /traces/llm, /traces/tool, /traces/handoff, /traces/log (one item) and /traces/batch (1 to 100).
-- payload.items: steps (internal.store_steps), numbered by their `index` in the request. What validation refused is not among
-- them. All that the token may store are stored, or none is.
-- data: {ids, refused: [{index, code, message}]}, `ids` being what the steps' ids begin with (internal.new_step_ids).
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create function public.record_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := internal.identify_sender(record_steps.payload);
  items jsonb := record_steps.payload -> 'items';
  refused jsonb;
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  -- The key before the count: a request that waits for its twin must not hold up the other requests of its token.
  if record_steps.payload ? 'idempotency' then
    admission := internal.replay_or_claim(admission, record_steps.payload);
    if admission ?| array['error', 'replay'] then return internal.count_request(admission, record_steps.payload); end if;
  end if;
  perform internal.refuse_beyond_limit(admission, record_steps.payload);

  if items -> 0 ? 'otel_trace_id' then
    items := internal.in_namespaces_of_trees((admission ->> 'tenant_id')::uuid, items);
  end if;
  refused := internal.refused_items(admission, items);
  if record_steps.payload ? 'single' and refused <> '[]' then
    admission := admission || jsonb_build_object('error', (refused -> 0) - 'index');
  else
    admission := admission || jsonb_build_object('data', jsonb_build_object(
      'ids', internal.store_steps((admission ->> 'tenant_id')::uuid, internal.not_refused(items, refused)),
      'refused', refused));
  end if;
  if record_steps.payload ? 'idempotency' then
    admission := internal.settle_idempotency_key(admission, record_steps.payload);
  end if;
  return internal.count_or_undo(admission, record_steps.payload);
exception when sqlstate 'TR429' then -- nothing of the above has happened
  return internal.count_request(
    admission || internal.limit_refusal(admission, record_steps.payload), record_steps.payload);
end $$;

-- supabase/schemas/50_steps/refused_items.sql
-- Which items the token may not store, as far as it is bound to namespaces.

-- The refusals of items: [{index, code, message}]. The sessions of the others are opened: another request may be opening them
-- elsewhere at this moment, and then its namespace decides.
create function internal.refused_items(admission jsonb, items jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(refused_items.admission);
  refused jsonb;
begin
  if usable is null then return '[]'; end if;
  refused := internal.refused_now(owner_id, usable, refused_items.items);
  perform internal.places_of(owner_id, internal.not_refused(refused_items.items, refused));
  return refused || internal.refused_now(owner_id, usable, internal.not_refused(refused_items.items, refused));
end $$;

-- The items without those that are refused.
create function internal.not_refused(items jsonb, refused jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if refused = '[]' then return items; end if;
  return to_jsonb(array(
    select item.value
    from jsonb_array_elements(not_refused.items) with ordinality as item (value, number)
    where item.value -> 'index' not in (select refusal.value -> 'index' from jsonb_array_elements(refused) as refusal)
    order by item.number));
end $$;

-- An item is refused where it is given a namespace that is not among the usable ones, belongs to a session in one, or names a
-- trace that has steps in one. A session that is not there yet counts as where it would be opened.
create function internal.refused_now(owner_id uuid, usable text[], items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(
      jsonb_build_object('index', item.value -> 'index') || (refused.refusal -> 'error') order by item.number), '[]')
    from jsonb_array_elements(refused_now.items) with ordinality as item (value, number)
    cross join lateral (
      select case
        when item.value ->> 'namespace' <> all (usable) then internal.namespace_refusal(item.value ->> 'namespace')
        when item.value ? 'session_id'
          and internal.namespace_of_session(owner_id, usable, refused_now.items, item.value ->> 'session_id') <> all (usable) then
          internal.refusal('forbidden', 'This tracer token may not use the namespace of this session. '
            || 'A session that is new and names none is opened in "default".')
        when item.value ? 'trace_id' and exists (
          select from public.steps
          where steps.tree_key = internal.tree_key(owner_id, 'claimed', item.value ->> 'trace_id')
            and steps.tenant_id = owner_id
            and (select namespaces.name from public.namespaces where namespaces.id = steps.namespace_id) <> all (usable)) then
          internal.refusal('forbidden', 'trace_id: this trace is in a namespace that this tracer token may not use.')
      end as refusal
    ) as refused
    where refused.refusal is not null);
end $$;

-- The namespace of a session; of one that is not there, where the items would open it, as far as the token may use theirs.
create function internal.namespace_of_session(owner_id uuid, usable text[], items jsonb, session_id text) returns text
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(
    (select (select namespaces.name from public.namespaces where namespaces.id = sessions.namespace_id)
     from public.sessions where sessions.tenant_id = owner_id and sessions.id = namespace_of_session.session_id),
    (select item.namespace
     from jsonb_to_recordset(namespace_of_session.items) as item (index integer, session_id text, namespace text)
     where item.session_id = namespace_of_session.session_id and item.namespace = any (usable)
     order by item.index limit 1),
    'default');
end $$;

-- supabase/schemas/50_steps/store_steps.sql
-- Writing steps: facts are appended, and nothing is looked up but where they belong. What follows from them is derived
-- (60_traces).

-- Stores the items, and notes them as what is to be folded. Returns what the ids of its steps begin with: see new_step_ids. An
-- item: {index, kind, session_id?, namespace?, name?, agent?, status?, error?, started_at?, occurred_at?, latency_ms?, model?,
-- input_tokens?, output_tokens?, process_tokens?, memory_tokens?, total_tokens?, cached_input_tokens?, reasoning_tokens?,
-- level?, resource_id?, trace_id?, parent_trace_id?, otel_trace_id?, span_id?, parent_span_id?, user_id?, role?,
-- fingerprint?, content}.
create function internal.store_steps(owner_id uuid, items jsonb) returns text
language plpgsql set search_path = '' as $$
declare
  places internal.place[] := internal.places_of(owner_id, items);
  ids text := internal.new_step_ids();
begin
  insert into public.steps (
    id, tenant_id, namespace_id, session_id, kind, name, agent, agent_is_named, status, started_at, occurred_at, latency_ms,
    model, input_tokens, output_tokens, process_tokens, memory_tokens, total_tokens, cached_input_tokens, reasoning_tokens,
    level, resource_id, trace_id, parent_trace_id, otel_trace_id, span_id, parent_span_id, user_id, role, fingerprint,
    handoffs, error, content)
  select
    (ids || lpad(to_hex(item.index), 5, '0'))::uuid, owner_id, place.namespace_id, item.session_id,
    item.kind, item.name, coalesce(item.agent, case when item.kind <> 'log' then place.namespace end),
    item.agent is not null, item.status, item.started_at,
    -- in the order of the request, where no time was told
    coalesce(case when item.span_id is not null then item.started_at end, item.occurred_at, now() + item.index * interval '1 microsecond'), item.latency_ms, item.model,
    item.input_tokens, item.output_tokens, item.process_tokens, item.memory_tokens, item.total_tokens,
    item.cached_input_tokens, item.reasoning_tokens, item.level, item.resource_id,
    case when item.trace_id is null and item.parent_trace_id is not null then internal.trace_below(
      owner_id, item.parent_trace_id, place.namespace_id, coalesce(item.agent, place.namespace), item.session_id)
    else item.trace_id end,
    item.parent_trace_id, item.otel_trace_id, item.span_id, item.parent_span_id, item.user_id, item.role,
    left(item.fingerprint, 32)::uuid,
    case item.kind
      when 'handoff' then jsonb_build_array(
        jsonb_build_object('from', item.content -> 'from_agent', 'to', item.content -> 'to_agent'))
      when 'message' then internal.handoffs_of(item.content)
    end,
    item.error, item.content
  from jsonb_to_recordset(store_steps.items) as item (
    index integer, kind text, session_id text, namespace text, name text, agent text, status text, error jsonb,
    started_at timestamptz, occurred_at timestamptz, latency_ms bigint, model text, input_tokens bigint,
    output_tokens bigint, process_tokens bigint, memory_tokens bigint, total_tokens bigint, cached_input_tokens bigint,
    reasoning_tokens bigint, level text, resource_id text, trace_id text, parent_trace_id text, otel_trace_id text,
    span_id text, parent_span_id text, user_id text, role text, fingerprint text, content jsonb)
  join unnest(places) as place
    on place.session_id = coalesce(item.session_id, '') and place.given_namespace = coalesce(item.namespace, '')
  -- Two requests with the same spans or log records in another order must not wait in a circle.
  order by item.span_id, item.fingerprint, item.index
  on conflict do nothing;
  if found then -- a retry that stores nothing notes nothing
    insert into public.changes (tenant_id, first_step_id, last_step_id, steps)
    select owner_id, (ids || lpad(to_hex(first.index), 5, '0'))::uuid, (ids || lpad(to_hex(first.index + 999), 5, '0'))::uuid,
           least(1000, jsonb_array_length(items) - first.index)
    from generate_series(0, (items -> -1 ->> 'index')::integer, 1000) as first (index);
  end if;
  return ids;
end $$;

-- What the ids of a request's steps begin with: UUIDs of version 7, of the time and of chance. Their last five digits are the
-- index of the item in hexadecimal, so that the ids of a request are in order and no other request's are among them.
create function internal.new_step_ids() returns text
language plpgsql volatile set search_path = '' as $$
declare
  chance text := gen_random_uuid();
  moment text := lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0');
begin
  return left(moment, 8) || '-' || right(moment, 4) || '-7' || substr(chance, 1, 3) || '-8' || substr(chance, 21, 3) || '-'
    || substr(chance, 25, 7);
end $$;

-- Who handed over to whom, as a record's transfers say: [{from, to}], null where nobody did.
create function internal.handoffs_of(content jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if jsonb_typeof(handoffs_of.content -> 'transfers') is distinct from 'array' then return null; end if;
  return (
    select jsonb_agg(jsonb_build_object('from', transfer.value -> 'from', 'to', transfer.value -> 'to') order by transfer.number)
    from jsonb_array_elements(handoffs_of.content -> 'transfers') with ordinality as transfer (value, number));
end $$;

-- The id of the trace of an agent and session below a parent, for steps that name the parent alone.
create function internal.trace_below(owner_id uuid, parent text, namespace_id bigint, agent text, session_id text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return internal.public_id('agt_trace_', jsonb_build_array(
    owner_id, trace_below.parent, trace_below.namespace_id, trace_below.agent, trace_below.session_id)::text);
end $$;

-- supabase/schemas/50_steps/upload_refusal.sql
-- Why the items may not be uploaded, null where they may: forbidden, with `unregistered_namespaces` (where the tenant
-- insists on registered ones) and `namespaces_without_token` (those that the token is not bound to).
create function internal.upload_refusal(admission jsonb, items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  refused text[];
  unregistered jsonb;
  unbound jsonb;
begin
  select array_agg(distinct item.namespace order by item.namespace) into refused
  from jsonb_to_recordset(upload_refusal.items) as item (namespace text)
  where not internal.may_use_namespace(upload_refusal.admission, item.namespace);
  if refused is null then return null; end if;

  select
    coalesce(jsonb_agg(wanted.name) filter (where token.namespaces is null or wanted.name = any (token.namespaces)), '[]'),
    coalesce(jsonb_agg(wanted.name) filter (where wanted.name <> all (token.namespaces)), '[]')
  into unregistered, unbound
  from public.tracer_tokens token, unnest(refused) as wanted (name)
  where token.id = (upload_refusal.admission ->> 'token_id')::uuid;
  return jsonb_build_object('error', jsonb_build_object(
    'code', 'forbidden',
    'message', format('This tracer token may not store anything in: %s.', array_to_string(refused, ', ')),
    'unregistered_namespaces', unregistered,
    'namespaces_without_token', unbound));
end $$;

-- supabase/schemas/50_steps/upload_steps.sql
-- POST /records/upload and /logs/upload. payload.items: steps (internal.store_steps) of the kind message or log, each with its
-- namespace. All are stored but duplicates, or none is: an item that the token may not store refuses the request, forbidden.
-- data: {inserted_count, duplicates: [index, ...]}. payload.anonymization_version: see identify_sender.
create function public.upload_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  admission jsonb := internal.identify_sender(upload_steps.payload);
  owner_id uuid := admission ->> 'tenant_id';
  items jsonb := upload_steps.payload -> 'items';
  refused jsonb;
  refusal jsonb;
  duplicates integer[];
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  perform internal.refuse_beyond_limit(admission, upload_steps.payload);
  refusal := internal.upload_refusal(admission, items);
  if refusal is null then
    refused := internal.refused_items(admission, items);
    if refused <> '[]' then refusal := jsonb_build_object('error', (refused -> 0) - 'index'); end if;
  end if;
  if refusal is not null then raise sqlstate 'TR403'; end if;

  duplicates := internal.duplicate_records(owner_id, items);
  if duplicates <> '{}' then
    items := to_jsonb(array( -- jsonb_agg takes long over large values: see docs/performance.md
      select item.value from jsonb_array_elements(items) as item
      where (item.value ->> 'index')::integer <> all (duplicates)));
  end if;
  perform internal.store_steps(owner_id, items);
  return internal.count_or_undo(
    admission || jsonb_build_object('data', jsonb_build_object(
      'inserted_count', jsonb_array_length(items), 'duplicates', to_jsonb(duplicates))), upload_steps.payload);
exception when sqlstate 'TR403' or sqlstate 'TR429' then -- nothing of the above has happened
  return internal.count_request(
    admission || coalesce(refusal, internal.limit_refusal(admission, upload_steps.payload)), upload_steps.payload);
end $$;

-- supabase/schemas/60_traces/00_tables.sql
-- Projections of the steps: which traces there are, and which step belongs to which. Only fold (60_traces/fold.sql) writes
-- them, under one lock of the tenant. They can be thrown away and rebuilt (90_upkeep/rebuild.sql).

-- A trace is one agent's part in an execution. Its id is made of what opened it, or is the one that clients gave it.
create table public.traces (
  tenant_id uuid not null,
  trace_id text not null,
  tree_key uuid not null,
  is_claimed boolean not null,
  is_named_only boolean not null default false,
  takes_steps_of_its_agent boolean not null default false,
  namespace_id bigint not null,
  session_id text,
  agent text not null,
  parent_trace_id text,
  claimed_parent_id text,
  parent_claimed_at timestamptz,
  step_count bigint not null default 0,
  fold_number bigint not null,
  created_at timestamptz not null,
  constraint trace_id_is_unique_within_its_tenant primary key (tenant_id, trace_id),
  constraint trace_step_count_is_not_negative check (step_count >= 0)
);
comment on column public.traces.tree_key is 'What it was derived from: see internal.tree_key.';
comment on column public.traces.is_claimed is
  'Whether it is there because steps name it (trace_id, parent_trace_id). Else it was derived from a session or from spans.';
comment on column public.traces.is_named_only is
  'Whether it is known only as the parent of another. Its agent is then the namespace''s own, until a step of its own comes.';
comment on column public.traces.takes_steps_of_its_agent is
  'Whether it is the latest of its agent in its tree: later steps that name the agent belong to it.';
comment on column public.traces.parent_trace_id is 'Its parent; of claimed ones: that claim, unless it would close a cycle.';
comment on column public.traces.claimed_parent_id is 'The parent that was claimed for it first, by the time of the step that did.';
comment on column public.traces.fold_number is
  'The fold (public.folds) that made it, or last changed its parent, agent or namespace.';
comment on column public.traces.created_at is 'When the step happened that opened it.';

create index traces_by_time on public.traces (tenant_id, created_at desc, trace_id desc);
create index traces_of_a_namespace_by_time on public.traces (tenant_id, namespace_id, created_at desc, trace_id desc);
create index traces_of_an_agent_by_time on public.traces (tenant_id, agent, namespace_id, created_at desc, trace_id desc);
create index traces_of_a_session_by_time
  on public.traces (tenant_id, session_id, created_at desc, trace_id desc) where session_id is not null;
create index traces_of_a_parent on public.traces (tenant_id, parent_trace_id) where parent_trace_id is not null;
create index traces_of_a_tree on public.traces (tree_key, agent);
create index traces_whose_claim_closes_a_cycle
  on public.traces (tenant_id) where parent_trace_id is null and claimed_parent_id is not null;

-- What must be known of a session's tree to place its next steps without deriving it anew.
create table public.trees (
  tree_key uuid not null,
  tenant_id uuid not null,
  active_trace_id text not null,
  last_event_at timestamptz not null,
  constraint tree_key_is_unique primary key (tree_key)
);
comment on column public.trees.active_trace_id is 'Where steps belong that name no agent.';
comment on column public.trees.last_event_at is 'When something last opened a trace, or handed over.';
create index trees_of_a_tenant on public.trees (tenant_id);

-- How often a tenant's changes were folded. Counted under the lock of its folds, so the numbers come in the order in which they
-- are committed: who sees one sees all that was folded before. That is what makes a watermark of it exact.
create table public.folds (
  tenant_id uuid not null,
  number bigint not null,
  constraint folds_are_numbered_within_their_tenant primary key (tenant_id)
);

-- Which trace a step belongs to; and of a span or log record, what it does not say itself but follows from its tree.
create table public.placements (
  step_id uuid not null,
  tenant_id uuid not null,
  trace_id text not null,
  happened_at timestamptz not null,
  session_id text,
  user_id text,
  agent text,
  is_wrapper boolean not null default false,
  input_tokens bigint,
  output_tokens bigint,
  cached_input_tokens bigint,
  reasoning_tokens bigint,
  to_trace_id text,
  fold_number bigint not null,
  constraint step_has_one_placement primary key (step_id)
);
comment on column public.placements.happened_at is 'When the step began, where a time was told, else when it arrived: their order.';
comment on column public.placements.session_id is
  'That of the nearest span above it which tells one, else of the first span of the tree that does, else the tree''s id.';
comment on column public.placements.user_id is
  'Whose step it is: the user that it tells, else likewise the one of the spans around it, else its session''s.';
comment on column public.placements.agent is 'The agent of its trace.';
comment on column public.placements.is_wrapper is 'Whether it is a model call with another one below it: it counts as a plain span.';
comment on column public.placements.input_tokens is 'What is known from the spans around it. The other tokens likewise.';
comment on column public.placements.to_trace_id is 'Of a step that hands over, the trace that it leads to; null where that is not known.';
comment on column public.placements.fold_number is
  'The fold (public.folds) that last changed it, or the number of the purge that took away what its step said.';
create index placements_of_a_session on public.placements (tenant_id, session_id) where session_id is not null;
create index placements_of_an_agent on public.placements (tenant_id, agent) where agent is not null;
create index placements_of_a_trace on public.placements (tenant_id, trace_id, happened_at, step_id) include (fold_number);

-- Trees that must be derived anew from all of their steps, because steps are gone or projections were thrown away.
create table public.rebuilds (
  tenant_id uuid not null,
  tree_key uuid not null,
  tree_kind text not null,
  trace_id text,
  namespace_id bigint not null,
  session_id text,
  constraint tree_is_noted_once_to_be_rebuilt primary key (tenant_id, tree_key)
);
comment on column public.rebuilds.trace_id is 'Of the tree of a trace that clients named (claimed): that trace.';

-- When content was taken away from a trace. A fact and no projection: a rebuild leaves it alone.
create table public.purges (
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  trace_id text not null,
  purged_at timestamptz not null,
  constraint trace_knows_its_last_purge primary key (tenant_id, trace_id)
);

-- supabase/schemas/60_traces/01_shapes.sql
-- What deriving hands on to writing.

-- What a request brings to a tree: a change for each namespace, agent, level and hour. Or a tree that is to be rebuilt.
create type internal.change as (
  first_step_id uuid,
  last_step_id uuid,
  arrived_at timestamptz,
  tree_kind text,
  tree_key uuid,
  trace_id text, -- of the tree of a claimed trace: that trace
  hands_over boolean, -- whether someone hands over in these steps
  is_rebuild boolean, -- it brings no steps, but the tree is to be derived from all that it has
  first_happened_at timestamptz,
  namespace_id bigint,
  session_id text,
  list text,
  agent text,
  agent_is_named boolean,
  level text,
  hour timestamptz,
  steps bigint);

-- A tree as it is derived from its steps. The arrays `trace_ids` to `opened_at` have one element for each trace, in the order in
-- which they were opened, the first one being the root; `step_ids` to `step_traces` have one for each step.
create type internal.tree as (
  tree_key uuid,
  trace_ids text[],
  agents text[],
  namespace_ids bigint[],
  session_ids text[],
  parents integer[], -- the place of the parent in these arrays; null for the root
  opened_at timestamptz[],
  latest_of_agents boolean[], -- whether later steps that name the agent belong to it
  active integer, -- where steps belong that name no agent
  last_event_at timestamptz,
  step_ids uuid[],
  step_times timestamptz[],
  step_traces integer[],
  step_to_traces text[], -- the trace that a step leads to which hands over; null for others. May be shorter
  -- Only of spans and log records: what they do not say themselves.
  step_sessions text[],
  step_users text[],
  step_agents text[],
  step_wrappers boolean[],
  step_input_tokens bigint[],
  step_output_tokens bigint[],
  step_cached_input_tokens bigint[],
  step_reasoning_tokens bigint[]);

-- A step of an OpenTelemetry trace. A log entry has no span id of its own: it has its step's. An agent without a name has its
-- span's.
create type internal.span as (
  id uuid, happened_at timestamptz, kind text, otel_trace_id text, span_id text, parent_span_id text, agent text,
  namespace_id bigint, session_id text, user_id text, role text, input_tokens bigint, output_tokens bigint,
  cached_input_tokens bigint, reasoning_tokens bigint, handoffs jsonb);

-- See public.placements.
create type internal.placed_step as (
  step_id uuid, happened_at timestamptz, trace_id text, session_id text, user_id text, agent text, is_wrapper boolean,
  input_tokens bigint, output_tokens bigint, cached_input_tokens bigint, reasoning_tokens bigint, to_trace_id text);

-- What one tree, or one step, tells of a trace. Of several, the lowest rank counts, then the earliest.
create type internal.told_trace as (
  trace_id text,
  rank integer, -- 0: it was derived; 1: a step names it as its own; 2: a step names it as a parent
  tree_key uuid,
  namespace_id bigint,
  session_id text,
  agent text,
  opened_at timestamptz,
  parent_trace_id text, -- as it was derived
  is_latest boolean,
  claimed_parent_id text,
  parent_claimed_at timestamptz);

create type internal.derivation as (
  changes internal.change[], -- what was taken, and what follows from it:
  remade uuid[], -- the trees that were derived from all of their steps: what they had before, and have no more, is to go
  placed internal.placed_step[],
  told internal.told_trace[],
  trees public.trees[]);

-- A step that is placed without deriving its tree.
create type internal.appended_step as (
  step_id uuid, happened_at timestamptz, trace_id text, is_claimed boolean, tree_key uuid, namespace_id bigint, session_id text,
  agent text, parent_trace_id text);

-- supabase/schemas/60_traces/derive_changes.sql
-- Derives what the requests and the rebuilds ask for. Stable: it sees the steps as the statement does that takes them.
create function internal.derive_changes(owner_id uuid, requests public.changes[], rebuilds public.rebuilds[])
returns internal.derivation
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  changes internal.change[] := internal.changes_of(owner_id, requests) || internal.changes_of_rebuilds(rebuilds);
  result internal.derivation;
  settled uuid[] := internal.settled_trees(changes);
  trees internal.tree[];
  appended internal.appended_step[];
begin
  result.changes := changes;
  result.remade := array(
    select distinct change.tree_key from unnest(changes) as change
    where change.tree_key not in (select unnest(settled)) and (change.tree_kind <> 'claimed' or change.is_rebuild));
  trees := array(
    select internal.derive_tree(change) from (
      select distinct on (change.tree_key) change
      from unnest(changes) as change
      where change.tree_kind <> 'claimed' and change.tree_key not in (select unnest(settled))
      order by change.tree_key
    ) as changed);
  appended := internal.appended_steps(changes, settled, result.remade);

  result.placed := array(
    select (
      step.id, step.happened_at, trace.id, step.session_id, step.user_id, step.agent, coalesce(step.is_wrapper, false),
      step.input_tokens, step.output_tokens, step.cached_input_tokens, step.reasoning_tokens,
      step.to_trace_id)::internal.placed_step
    from unnest(trees) as tree
    cross join lateral unnest(
      tree.step_ids, tree.step_times, tree.step_traces, tree.step_sessions, tree.step_users, tree.step_agents,
      tree.step_wrappers, tree.step_input_tokens, tree.step_output_tokens, tree.step_cached_input_tokens,
      tree.step_reasoning_tokens, tree.step_to_traces
    ) as step (id, happened_at, trace, session_id, user_id, agent, is_wrapper, input_tokens, output_tokens, cached_input_tokens,
      reasoning_tokens, to_trace_id)
    join lateral unnest(tree.trace_ids) with ordinality as trace (id, place) on trace.place = step.trace
    union all
    select (step.step_id, step.happened_at, step.trace_id, null, null, null, false, null, null, null, null,
      null)::internal.placed_step
    from unnest(appended) as step);
  result.told := array(
    select (
      trace.id, 0, tree.tree_key, trace.namespace_id, trace.session_id, trace.agent, trace.opened_at, parent.id,
      trace.is_latest, null, null)::internal.told_trace
    from unnest(trees) as tree
    cross join lateral unnest(
      tree.trace_ids, tree.agents, tree.namespace_ids, tree.session_ids, tree.parents, tree.opened_at, tree.latest_of_agents
    ) with ordinality as trace (id, agent, namespace_id, session_id, parent, opened_at, is_latest, place)
    left join lateral unnest(tree.trace_ids) with ordinality as parent (id, place) on parent.place = trace.parent
    union all
    select internal.told_by_step(step) from unnest(appended) as step where step.is_claimed
    union all
    select internal.told_by_child(owner_id, step.parent_trace_id, step.namespace_id, step.happened_at)
    from unnest(appended) as step where step.is_claimed and step.parent_trace_id is not null
    union all
    select internal.told_by_child(
      owner_id, steps.parent_trace_id, steps.namespace_id, coalesce(steps.started_at, steps.occurred_at))
    from unnest(changes) as change
    join public.steps on steps.tenant_id = owner_id and steps.parent_trace_id = change.trace_id
    where change.is_rebuild and change.tree_kind = 'claimed');
  result.trees := array(
    select (tree.tree_key, owner_id, tree.trace_ids[tree.active], tree.last_event_at)::public.trees
    from unnest(trees) as tree where tree.active is not null);
  return result;
end $$;

-- What the steps of these requests change.
create function internal.changes_of(owner_id uuid, requests public.changes[]) returns internal.change[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select (
      request.first_step_id, request.last_step_id, request.arrived_at, step.tree_kind, step.tree_key,
      case step.tree_kind when 'claimed' then step.trace_id end, bool_or(step.hands_over), false, min(step.happened_at),
      step.namespace_id, step.session_id, step.list, step.agent, step.agent_is_named, step.level, step.hour, count(*)
      )::internal.change
    from unnest(changes_of.requests) as request
    cross join lateral (
      select steps.tenant_id, steps.tree_kind, steps.tree_key, steps.trace_id, steps.handoffs is not null as hands_over,
             coalesce(steps.started_at, steps.occurred_at) as happened_at, steps.namespace_id, steps.session_id, steps.list,
             steps.agent, steps.agent_is_named, steps.level, date_trunc('hour', steps.occurred_at, 'UTC') as hour
      from public.steps
      where steps.id between request.first_step_id and request.last_step_id
      offset 0 -- by the ids, whatever the index of the tenant promises
    ) as step
    where step.tenant_id = owner_id
    group by request.first_step_id, request.last_step_id, request.arrived_at, step.tree_kind, step.tree_key,
             case step.tree_kind when 'claimed' then step.trace_id end, step.namespace_id, step.session_id, step.list,
             step.agent, step.agent_is_named, step.level, step.hour);
end $$;

create function internal.changes_of_rebuilds(rebuilds public.rebuilds[]) returns internal.change[]
language plpgsql immutable set search_path = '' as $$
begin
  return array(
    select (
      null, null, null, tree.tree_kind, tree.tree_key, tree.trace_id, false, true, null, tree.namespace_id, tree.session_id,
      null, null, false, null, null, 0)::internal.change
    from unnest(changes_of_rebuilds.rebuilds) as tree);
end $$;

-- The trees of sessions to which these changes only add steps: nothing is handed over, nothing happened before the last event of
-- the tree, and each agent has a trace already. They need not be derived anew.
create function internal.settled_trees(changes internal.change[]) returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select change.tree_key
    from unnest(settled_trees.changes) as change
    where change.tree_key is not null
    group by change.tree_key
    having bool_and(
      change.tree_kind = 'session' and not change.hands_over and not change.is_rebuild
      and coalesce(change.first_happened_at > (
        select trees.last_event_at from public.trees where trees.tree_key = change.tree_key), false)
      and internal.trace_of_agent(change.tree_key, change.agent, change.agent_is_named) is not null));
end $$;

-- Where the next step of an agent belongs in a session's tree, or the next step that names none. Null: there is no such trace.
create function internal.trace_of_agent(tree_key uuid, agent text, agent_is_named boolean) returns text
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if not trace_of_agent.agent_is_named then
    return (select trees.active_trace_id from public.trees where trees.tree_key = trace_of_agent.tree_key);
  end if;
  return (
    select traces.trace_id from public.traces
    where traces.tree_key = trace_of_agent.tree_key and traces.agent = trace_of_agent.agent
      and traces.takes_steps_of_its_agent);
end $$;

-- The tree of a change, derived from all of its steps. Those of sessions are in one namespace and session: the change's.
create function internal.derive_tree(change internal.change) returns internal.tree
language plpgsql stable set search_path = '' as $$
declare
  tree internal.tree;
begin
  if change.tree_kind = 'otel' then
    tree := internal.derive_spans(change.tree_key);
  else
    tree := internal.derive_session(change.tree_key);
    tree.namespace_ids := array_fill(change.namespace_id, array[cardinality(tree.trace_ids)]);
    tree.session_ids := array_fill(change.session_id, array[cardinality(tree.trace_ids)]);
    if change.tree_kind <> 'session' then tree.active := null; end if; -- no more steps come to it
  end if;
  tree.tree_key := change.tree_key;
  return tree;
end $$;

-- The new steps of settled trees and of traces that clients named; of those that are remade, all steps.
create function internal.appended_steps(changes internal.change[], settled uuid[], remade uuid[])
returns internal.appended_step[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select (
      step.id, coalesce(step.started_at, step.occurred_at),
      case when range.tree_kind = 'claimed' then step.trace_id
        else internal.trace_of_agent(step.tree_key, step.agent, step.agent_is_named) end,
      range.tree_kind = 'claimed', step.tree_key, step.namespace_id, step.session_id, step.agent, step.parent_trace_id
      )::internal.appended_step
    from (
      select distinct change.tree_key, change.tree_kind,
        case when change.tree_key in (select unnest(remade)) then '00000000-0000-0000-0000-000000000000'
          else change.first_step_id end as first_id,
        case when change.tree_key in (select unnest(remade)) then 'ffffffff-ffff-ffff-ffff-ffffffffffff'
          else change.last_step_id end as last_id
      from unnest(appended_steps.changes) as change
      where change.tree_kind = 'claimed' or change.tree_key in (select unnest(settled))
    ) as range
    cross join lateral (
      select steps.id, steps.started_at, steps.occurred_at, steps.trace_id, steps.tree_key, steps.agent, steps.agent_is_named,
             steps.namespace_id, steps.session_id, steps.parent_trace_id
      from public.steps
      where steps.tree_key = range.tree_key and steps.id between range.first_id::uuid and range.last_id::uuid
      offset 0
    ) as step);
end $$;

-- What a step tells of the trace that it names as its own.
create function internal.told_by_step(step internal.appended_step) returns internal.told_trace
language plpgsql stable set search_path = '' as $$
begin
  return (
    step.trace_id, 1, step.tree_key, step.namespace_id, step.session_id,
    coalesce(step.agent, (select namespaces.name from public.namespaces where namespaces.id = step.namespace_id)),
    step.happened_at, null, false, step.parent_trace_id,
    case when step.parent_trace_id is not null then step.happened_at end)::internal.told_trace;
end $$;

-- What a step tells of the trace that it names as a parent: that there is one.
create function internal.told_by_child(owner_id uuid, trace_id text, namespace_id bigint, happened_at timestamptz)
returns internal.told_trace
language plpgsql stable set search_path = '' as $$
begin
  return (
    told_by_child.trace_id, 2, internal.tree_key(owner_id, 'claimed', told_by_child.trace_id), told_by_child.namespace_id,
    null, (select namespaces.name from public.namespaces where namespaces.id = told_by_child.namespace_id),
    told_by_child.happened_at, null, false, null, null)::internal.told_trace;
end $$;

-- supabase/schemas/60_traces/derive_session.sql
-- How the traces of a session arise from its steps, in the order in which they happened (docs/api.md, "Trees"):
-- - The first step opens the root, for its agent. Who is not named is the namespace's own agent.
-- - A step that names an agent belongs to that agent's latest trace; where it has none, one is opened below the root. A step
--   that names none belongs to the active trace, which is the one that the last handoff led to.
-- - A handoff returns to the agent's trace on the way from the active one up to the root (the nearest 100), or opens one below
--   the agent that hands over. A handoff itself is a step of the trace that it leaves; a record tells of handoffs before it.
create function internal.derive_session(tree_key uuid) returns internal.tree
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan as $$
declare
  tree internal.tree;
  -- Arrays of their own, and not those of `tree`: only such grow in place.
  trace_ids text[] := '{}';
  agents text[] := '{}';
  agent_numbers integer[] := '{}';
  parents integer[] := '{}';
  opened_at timestamptz[] := '{}';
  step_ids uuid[] := '{}';
  step_times timestamptz[] := '{}';
  step_traces integer[] := '{}';
  step_to_traces text[] := array[null::text]; -- from 1 on: steps are numbered in the order in which they are placed
  latest integer[]; -- the latest trace of each agent, by the agent's number
  event record;
  here integer;
  place integer;
  height integer;
begin
  for event in
    select said.* from internal.events_of_session(derive_session.tree_key) as said order by said.number, said.part
  loop
    latest := coalesce(latest, array_fill(null::integer, array[event.agent_count]));
    here := case when event.agent_is_named then latest[event.agent_number] else tree.active end;
    if here is null then -- nobody has handed over to this agent: below the root, or as the root
      here := cardinality(trace_ids) + 1;
      trace_ids := array_append(trace_ids, internal.public_id('agt_trace_', case when here = 1
        then derive_session.tree_key::text else jsonb_build_array(derive_session.tree_key, event.agent)::text end));
      agents := array_append(agents, event.agent);
      agent_numbers := array_append(agent_numbers, event.agent_number);
      parents := array_append(parents, case when here > 1 then 1 end);
      opened_at := array_append(opened_at, event.happened_at);
      latest[event.agent_number] := here;
      tree.active := coalesce(tree.active, here);
      tree.last_event_at := event.happened_at;
    end if;
    if event.to_agent is null then
      step_ids := array_append(step_ids, event.step_id);
      step_times := array_append(step_times, event.happened_at);
      step_traces := array_append(step_traces, here);
      continue;
    end if;

    tree.last_event_at := event.happened_at;
    place := tree.active;
    height := 0;
    while place is not null and height < 100 and agent_numbers[place] <> event.to_number loop
      place := parents[place];
      height := height + 1;
    end loop;
    if place is null or height = 100 then -- not on the way up to the root
      place := cardinality(trace_ids) + 1;
      trace_ids := array_append(trace_ids, internal.public_id(
        'agt_trace_', jsonb_build_array(derive_session.tree_key, event.facts, event.part)::text));
      agents := array_append(agents, event.to_agent);
      agent_numbers := array_append(agent_numbers, event.to_number);
      parents := array_append(parents, here);
      opened_at := array_append(opened_at, event.happened_at);
      latest[event.to_number] := place;
    end if;
    tree.active := place;
    step_to_traces[event.number::integer] := trace_ids[place];
  end loop;

  tree.trace_ids := trace_ids;
  tree.agents := agents;
  tree.parents := parents;
  tree.opened_at := opened_at;
  tree.latest_of_agents := array(
    select trace.place = latest[trace.agent_number]
    from unnest(agent_numbers) with ordinality as trace (agent_number, place) order by trace.place);
  tree.step_ids := step_ids;
  tree.step_times := step_times;
  tree.step_traces := step_traces;
  tree.step_to_traces := step_to_traces;
  return tree;
end $$;

-- What the steps of a session say of its tree, in order: `number` orders the steps, `part` what is in one step. An event is
-- either a step that is to be placed, or a handoff (to_agent is not null), in which `agent` is the one that hands over. Steps
-- of one moment are ordered by what they say, never by their arrival: handoffs first. Those that say the same are repetitions
-- of each other. `facts` tell a step with handoffs from all others of its session: a trace that it opens is named by them.
-- Agents have numbers from 1 to agent_count.
create function internal.events_of_session(tree_key uuid)
returns table (
  number bigint, part bigint, step_id uuid, happened_at timestamptz, facts text, agent text, agent_is_named boolean,
  agent_number integer, to_agent text, to_number integer, agent_count integer)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_mergejoin = off as $$
begin
  return query
  with step as materialized (
    select steps.id, steps.kind, steps.handoffs, coalesce(steps.started_at, steps.occurred_at) as happened_at,
           steps.agent_is_named,
           case when steps.kind = 'log' and steps.agent is null then (
             select namespaces.name from public.namespaces where namespaces.id = steps.namespace_id)
           else steps.agent end as agent
    from public.steps where steps.tree_key = events_of_session.tree_key
  ), numbered as materialized (
    select step.*, row_number() over (
      order by step.happened_at, step.handoffs is null, step.kind, step.agent, step.agent_is_named, step.handoffs, step.id
    ) as number
    from step
  ), handing_over as materialized ( -- their facts are hashed once: a record may have a thousand handoffs
    select numbered.*, md5(jsonb_build_array(
        extract(epoch from numbered.happened_at), numbered.kind, numbered.agent, numbered.agent_is_named, numbered.handoffs,
        row_number() over (
          partition by numbered.happened_at, numbered.kind, numbered.agent, numbered.agent_is_named, numbered.handoffs
          order by numbered.id))::text) as facts
    from numbered where numbered.handoffs is not null
  ), event as materialized (
    select numbered.number, case when numbered.kind = 'message' then 1000000 else 0 end as part, numbered.id as step_id,
           numbered.happened_at, null as facts, numbered.agent, numbered.agent_is_named, null as to_agent
    from numbered
    union all
    select step.number, handoff.number, null, step.happened_at, step.facts, handoff.value ->> 'from', true,
           handoff.value ->> 'to'
    from handing_over as step
    cross join lateral jsonb_array_elements(step.handoffs) with ordinality as handoff (value, number)
  ), agent as materialized (
    select named.name, row_number() over ()::integer as number, count(*) over ()::integer as count
    from (select event.agent as name from event union select event.to_agent from event where event.to_agent is not null) as named
  )
  select event.number, event.part, event.step_id, event.happened_at, event.facts, event.agent, event.agent_is_named,
         agent.number, event.to_agent, receiver.number, agent.count
  from event
  join agent on agent.name = event.agent
  left join agent as receiver on receiver.name = event.to_agent;
end $$;

-- supabase/schemas/60_traces/derive_spans.sql
-- How the traces of an OpenTelemetry trace arise from its spans, in whatever order they came:
-- - The root has the OpenTelemetry trace id itself. Each agent's span opens a trace below the trace of its nearest agent's span,
--   with the id {trace id}-{span id}; where the earliest span without a parent is an agent's, it is the root.
-- - A span belongs to the trace of its nearest agent's span. Whose parent never comes, or has not come yet, belongs to the root;
--   and in a cycle of parents the link that closes it is ignored.
-- - An agent that is handed over to and then begins beside the one that hands over is below it.
-- And what spans do not say themselves:
-- - Their session is that of the nearest span above which says one, else of the first span that does, else the OpenTelemetry
--   trace id; so is their user, but for the last. A log entry is below its span.
-- - A model call with another one below it is a wrapper, which does not count as a call.
-- - A model call without tokens, in a turn (OpenAI Agents), has those of the turn less those of the tasks in it.
create function internal.derive_spans(tree_key uuid) returns internal.tree
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  tree internal.tree;
  -- Of each span, by its number in the order in which the spans began. Arrays of their own: only such are fast.
  spans internal.span[];
  span internal.span;
  parents integer[]; -- the number of its parent, where that has come
  links integer[]; -- the same, without those that close a cycle
  traces integer[]; -- the trace that it belongs to; 0 while that is being looked for
  session_tellers integer[]; -- the span that tells its session; likewise its user
  user_tellers integer[];
  turns integer[]; -- the turn that it is in
  has_call_below boolean[];
  -- Of each turn, the call that has its tokens, and what is not that call's:
  calls integer[];
  input_of_tasks bigint[];
  output_of_tasks bigint[];
  cached_of_tasks bigint[];
  reasoning_of_tasks bigint[];
  root_id text; -- the OpenTelemetry trace id
  first_root integer;
  -- Of each trace, the root being the first:
  openers integer[]; -- the number of the span that opened it
  parent_traces integer[] := array[null::integer];
  handoffs bigint[]; -- the number of the handoff that it follows
  path integer[]; -- from a span up to the first one whose trace is known
  place integer;
  above integer;
  trace integer;
begin
  select array_agg(found.span order by found.number), array_agg(parent.number order by found.number),
         min((found.span).otel_trace_id), min(found.number) filter (where (found.span).parent_span_id is null)
  into spans, parents, root_id, first_root
  from internal.spans_of_tree(derive_spans.tree_key) as found
  left join internal.spans_of_tree(derive_spans.tree_key) as parent on (parent.span).span_id = (found.span).parent_span_id;
  if spans is null then return tree; end if; -- all of them were deleted

  traces := array_fill(null::integer, array[cardinality(spans)]);
  links := traces;
  session_tellers := traces;
  user_tellers := traces;
  turns := traces;
  calls := traces;
  input_of_tasks := array_fill(0::bigint, array[cardinality(spans)]);
  output_of_tasks := input_of_tasks;
  cached_of_tasks := input_of_tasks;
  reasoning_of_tasks := input_of_tasks;
  has_call_below := array_fill(false, array[cardinality(spans)]);
  openers := array[coalesce(first_root, 1)];

  for number in 1 .. cardinality(spans) loop
    path := '{}';
    place := number;
    while place is not null and traces[place] is null loop
      traces[place] := 0;
      path := array_append(path, place);
      place := parents[place];
    end loop;
    above := case when traces[place] > 0 then place end;
    for depth in reverse cardinality(path) .. 1 loop
      place := path[depth];
      span := spans[place];
      links[place] := above;
      trace := coalesce(traces[above], 1);
      if span.kind = 'agent' and place is distinct from first_root then
        openers := array_append(openers, place);
        parent_traces := array_append(parent_traces, trace);
        trace := cardinality(openers);
      end if;
      traces[place] := trace;
      session_tellers[place] := case when span.session_id is null then session_tellers[above] else place end;
      user_tellers[place] := case when span.user_id is null then user_tellers[above] else place end;
      if span.role is null then
        turns[place] := turns[above];
      elsif span.role = 'turn' then
        turns[place] := place;
      elsif turns[above] is not null then
        input_of_tasks[turns[above]] := input_of_tasks[turns[above]] + coalesce(span.input_tokens, 0);
        output_of_tasks[turns[above]] := output_of_tasks[turns[above]] + coalesce(span.output_tokens, 0);
        cached_of_tasks[turns[above]] := cached_of_tasks[turns[above]] + coalesce(span.cached_input_tokens, 0);
        reasoning_of_tasks[turns[above]] := reasoning_of_tasks[turns[above]] + coalesce(span.reasoning_tokens, 0);
      end if;
      above := place;
    end loop;
  end loop;

  for number in 1 .. cardinality(spans) loop
    span := spans[number];
    continue when span.kind <> 'llm';
    place := links[number];
    while place is not null and not has_call_below[place] loop
      has_call_below[place] := true;
      place := links[place];
    end loop;
    if turns[number] is not null and span.input_tokens is null and span.output_tokens is null then
      calls[turns[number]] := coalesce(calls[turns[number]], number);
    end if;
  end loop;

  select array_agg(opened.parent order by opened.trace), array_agg(opened.handoff order by opened.trace)
  into parent_traces, handoffs
  from internal.parents_after_handoffs(spans, traces, openers, parent_traces) as opened;
  return internal.tree_of_spans(
    root_id, spans, traces, session_tellers, user_tellers, has_call_below, calls, input_of_tasks, output_of_tasks,
    cached_of_tasks, reasoning_of_tasks, openers, parent_traces, handoffs);
end $$;

-- The steps of an OpenTelemetry trace in the order in which they began. Steps of one moment are ordered by what they say, never
-- by their arrival.
create function internal.spans_of_tree(tree_key uuid) returns table (number integer, span internal.span)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  return query
  select row_number() over (
           order by coalesce(steps.started_at, steps.occurred_at), steps.span_id, steps.parent_span_id, steps.kind, steps.agent,
                    steps.agent_is_named, steps.name, steps.namespace_id, steps.session_id, steps.fingerprint, steps.id)::integer,
         (steps.id, coalesce(steps.started_at, steps.occurred_at), steps.kind, steps.otel_trace_id,
          coalesce(steps.span_id, steps.id::text), steps.parent_span_id,
          case when steps.agent_is_named or steps.kind <> 'agent' then steps.agent else coalesce(steps.name, steps.agent) end,
          steps.namespace_id, steps.session_id, steps.user_id, steps.role, steps.input_tokens, steps.output_tokens,
          steps.cached_input_tokens, steps.reasoning_tokens,
          case steps.kind when 'handoff' then steps.handoffs end)::internal.span
  from public.steps where steps.tree_key = spans_of_tree.tree_key;
end $$;

-- The parents of traces, and the number of the handoff that a trace follows. Agents that hand over in a run of OpenAI Agents, and
-- those that take over, are beside each other: of the latter the next one to begin is below the one that hands over. That one has
-- begun before, so this makes no cycle. An agent that begins below the one that hands over follows its handoff, too.
create function internal.parents_after_handoffs(
  spans internal.span[], traces integer[], openers integer[], parent_traces integer[])
returns table (trace bigint, parent integer, handoff bigint)
language plpgsql immutable set search_path = '' set enable_nestloop = off as $$
begin
  if not exists (select from unnest(parents_after_handoffs.spans) as span where span.kind = 'handoff') then
    return query
    select opener.number, opener.parent, null::bigint from unnest(parent_traces) with ordinality as opener (parent, number);
    return;
  end if;
  return query
    with step as materialized (
      select step.*
      from unnest(parents_after_handoffs.spans, parents_after_handoffs.traces) with ordinality as step (
        id, happened_at, kind, otel_trace_id, span_id, parent_span_id, agent, namespace_id, session_id, user_id, role, input_tokens,
        output_tokens, cached_input_tokens, reasoning_tokens, handoffs, trace, number)
    ), opened as materialized (
      select opener.trace, opener.parent, opener.number, step.agent as name
      from unnest(openers, parent_traces) with ordinality as opener (number, parent, trace)
      join step on step.number = opener.number
    ), event as (
      select opened.number, opened.parent, opened.parent as giver, opened.name, opened.trace, true as opens from opened
      union all
      select step.number, giver.parent, giver.trace, handoff.value ->> 'to', step.trace, false
      from step
      join opened as giver on giver.trace = step.trace and giver.number < step.number
      cross join lateral jsonb_array_elements(step.handoffs) as handoff
      where step.kind = 'handoff'
    ), follow as (
      select event.*, lag(event.opens) over same_place as follows_opening, lag(event.trace) over same_place as trace_before,
             lag(event.number) over same_place as number_before,
             lag(event.opens) over below as follows_opening_below, lag(event.number) over below as number_before_below
      from event
      window same_place as (partition by event.parent, event.name order by event.number, event.opens),
             below as (partition by event.giver, event.name order by event.number, event.opens)
    )
    select follow.trace::bigint,
           case when follow.follows_opening = false and follow.parent is not null then follow.trace_before else follow.parent end::integer,
           case
             when follow.follows_opening = false and follow.parent is not null then follow.number_before
             when follow.follows_opening_below = false then follow.number_before_below
           end::bigint
    from follow where follow.opens;
end $$;

-- What was found out, as a tree.
create function internal.tree_of_spans(
  root_id text, spans internal.span[], traces integer[], session_tellers integer[], user_tellers integer[],
  has_call_below boolean[], calls integer[], input_of_tasks bigint[], output_of_tasks bigint[],
  cached_of_tasks bigint[], reasoning_of_tasks bigint[], openers integer[], parent_traces integer[],
  handoffs bigint[]) returns internal.tree
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  tree internal.tree;
  first_session text;
  first_user text;
begin
  select (array_agg(span.session_id order by span.number) filter (where span.session_id is not null))[1],
         (array_agg(span.user_id order by span.number) filter (where span.user_id is not null))[1]
  into first_session, first_user
  from unnest(tree_of_spans.spans) with ordinality as span (
    id, happened_at, kind, otel_trace_id, span_id, parent_span_id, agent, namespace_id, session_id, user_id, role, input_tokens,
    output_tokens, cached_input_tokens, reasoning_tokens, handoffs, number);

  with step as materialized (
    select step.*
    from unnest(
      tree_of_spans.spans, tree_of_spans.traces, session_tellers, user_tellers, has_call_below
    ) with ordinality as step (
      id, happened_at, kind, otel_trace_id, span_id, parent_span_id, agent, namespace_id, session_id, user_id, role, input_tokens,
      output_tokens, cached_input_tokens, reasoning_tokens, handoffs, trace, session_teller, user_teller, has_call_below, number)
  ), turn as materialized (
    select turn.call, turn.input_tokens - turn.input_of_tasks as input_tokens,
           turn.output_tokens - turn.output_of_tasks as output_tokens,
           turn.cached_input_tokens - turn.cached_of_tasks as cached_input_tokens,
           turn.reasoning_tokens - turn.reasoning_of_tasks as reasoning_tokens
    from unnest(
      tree_of_spans.spans, calls, input_of_tasks, output_of_tasks, cached_of_tasks, reasoning_of_tasks
    ) as turn (
      id, happened_at, kind, otel_trace_id, span_id, parent_span_id, agent, namespace_id, session_id, user_id, role, input_tokens,
      output_tokens, cached_input_tokens, reasoning_tokens, handoffs, call, input_of_tasks, output_of_tasks, cached_of_tasks, reasoning_of_tasks)
    where turn.call is not null
  ), opened as materialized (
    select opener.trace, opener.parent, step.number, step.span_id, step.happened_at, step.namespace_id, coalesce(step.agent, (
             select namespaces.name from public.namespaces where namespaces.id = step.namespace_id)) as agent,
           coalesce(teller.session_id, first_session, root_id) as session_id
    from unnest(openers, parent_traces) with ordinality as opener (number, parent, trace)
    join step on step.number = opener.number
    left join step as teller on teller.number = step.session_teller
  ), trees as (
    select array_agg(root_id || case when opened.trace > 1 then '-' || opened.span_id else '' end order by opened.trace) as ids,
           array_agg(opened.agent order by opened.trace) as agents,
           array_agg(opened.namespace_id order by opened.trace) as namespace_ids,
           array_agg(opened.session_id order by opened.trace) as session_ids,
           array_agg(opened.parent order by opened.trace) as parents,
           array_agg(case opened.trace when 1 then least(opened.happened_at, (select min(step.happened_at) from step))
             else opened.happened_at end order by opened.trace) as opened_at
    from opened
  ), led as materialized ( -- where the handoffs lead to
    select handed.number, min(root_id || '-' || step.span_id) as trace_id
    from unnest(openers, handoffs) as handed (opener, number)
    join step on step.number = handed.opener
    where handed.number is not null
    group by handed.number
  ), steps as (
    select array_agg(step.id order by step.number) as ids, array_agg(step.happened_at order by step.number) as times,
           array_agg(step.trace order by step.number) as traces,
           array_agg(case when step.session_id is null then coalesce(session_teller.session_id, first_session, root_id) end
             order by step.number) as sessions,
           array_agg(case when step.user_id is null then coalesce(user_teller.user_id, first_user) end
             order by step.number) as users,
           array_agg(opened.agent order by step.number) as agents,
           array_agg(step.kind = 'llm' and step.has_call_below order by step.number) as wrappers,
           array_agg(turn.input_tokens order by step.number) as input_tokens,
           array_agg(turn.output_tokens order by step.number) as output_tokens,
           array_agg(turn.cached_input_tokens order by step.number) as cached_input_tokens,
           array_agg(turn.reasoning_tokens order by step.number) as reasoning_tokens,
           array_agg(led.trace_id order by step.number) as to_traces
    from step
    join opened on opened.trace = step.trace
    left join step as session_teller on session_teller.number = step.session_teller
    left join step as user_teller on user_teller.number = step.user_teller
    left join turn on turn.call = step.number
    left join led on led.number = step.number
  )
  select trees.ids, trees.agents, trees.namespace_ids, trees.session_ids, trees.parents, trees.opened_at, steps.ids, steps.times,
         steps.traces, steps.sessions, steps.users, steps.agents, steps.wrappers, steps.input_tokens, steps.output_tokens,
         steps.cached_input_tokens, steps.reasoning_tokens, steps.to_traces
  into tree.trace_ids, tree.agents, tree.namespace_ids, tree.session_ids, tree.parents, tree.opened_at, tree.step_ids,
       tree.step_times, tree.step_traces, tree.step_sessions, tree.step_users, tree.step_agents, tree.step_wrappers,
       tree.step_input_tokens, tree.step_output_tokens, tree.step_cached_input_tokens, tree.step_reasoning_tokens,
       tree.step_to_traces
  from trees, steps;
  tree.latest_of_agents := array_fill(false, array[cardinality(openers)]);
  return tree;
end $$;

-- supabase/schemas/60_traces/folded.sql
-- An admission, after its tenant's changes are folded: what is read next has all that was acknowledged. In pieces: where there
-- is more than `patience` worth of it (nobody has read for long, and the schedule does not run), what was folded stays so, and
-- the client is told to come back. Call it in a statement of its own, so that what reads next sees what it has written.
create function internal.folded(admission jsonb, patience interval default '4 seconds') returns jsonb
language plpgsql set search_path = '' as $$
declare
  ends timestamptz := clock_timestamp() + folded.patience;
begin
  if admission ? 'error' then return admission; end if;
  loop
    if internal.fold((admission ->> 'tenant_id')::uuid, 5000) then return admission; end if;
    exit when clock_timestamp() > ends;
  end loop;
  return admission || jsonb_build_object('error', jsonb_build_object('code', 'internal_error', 'status', 503,
    'message', 'Much was stored that is being prepared for reading. Please try again in a moment.'));
end $$;

-- supabase/schemas/60_traces/get_trace.sql
-- GET /traces/{trace_id}. payload.trace_id. data: the trace.
create function public.get_trace(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare -- folded by a statement of its own: only the next one sees what was folded
  admission jsonb := internal.folded(public.admit(get_trace.payload));
begin
  return internal.trace_answer(internal.with_trace(admission, get_trace.payload ->> 'trace_id'));
end $$;

-- admit, for a request about one trace: adds {trace_id}, or refuses not_found. One of another tenant, or in a namespace that the
-- token may not use, looks like one that never was.
create function internal.with_trace(admission jsonb, trace_id text) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if admission ? 'error' then return admission; end if;
  if not exists (
    select from internal.seen_trace(
      (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission), with_trace.trace_id)) then
    return admission || internal.refusal('not_found', 'There is no such trace.');
  end if;
  return admission || jsonb_build_object('trace_id', with_trace.trace_id);
end $$;

-- What with_trace has found as the answer, unless it has refused. data: the trace.
create function internal.trace_answer(admission jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', internal.trace_views(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission), array[admission ->> 'trace_id']) -> 0);
end $$;

-- supabase/schemas/60_traces/get_trace_tree.sql
-- GET /traces/{trace_id}/tree. payload.trace_id: any trace of the tree. data: {traces: [trace_views]}, all of the tree that the
-- token may see, in order of creation, its root among them. The API makes the tree of the list.
create function public.get_trace_tree(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.folded(public.admit(get_trace_tree.payload));
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(admission);
begin
  admission := internal.with_trace(admission, get_trace_tree.payload ->> 'trace_id');
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', jsonb_build_object('traces', internal.trace_views(owner_id, usable,
    internal.traces_below(owner_id, usable, internal.root_of(owner_id, usable, admission ->> 'trace_id')))));
end $$;

-- The highest trace on the way up from this one that the token may see.
create function internal.root_of(owner_id uuid, usable text[], trace_id text) returns text
language plpgsql stable set search_path = '' as $$
declare
  here text := root_of.trace_id;
  above text;
begin
  loop
    select seen.parent_trace_id into above from internal.seen_trace(owner_id, usable, here) as seen;
    if above is null then return here; end if;
    here := above;
  end loop;
end $$;

-- A trace and all below it that the token may see, in order of creation.
create function internal.traces_below(owner_id uuid, usable text[], trace_id text) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    with recursive below as (
      select traces.trace_id, traces.created_at from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = traces_below.trace_id
      union all
      select child.trace_id, child.created_at
      from below cross join lateral (
        select traces.trace_id, traces.created_at from public.traces
        where traces.tenant_id = owner_id and traces.parent_trace_id = below.trace_id
          and (usable is null or (
            select namespaces.name from public.namespaces where namespaces.id = traces.namespace_id) = any (usable))
        offset 0
      ) as child
    )
    select below.trace_id from below order by below.created_at, below.trace_id);
end $$;

-- supabase/schemas/60_traces/list_traces.sql
-- GET /traces. payload.query: {project_id?, session_id?, agent?, start_date?, end_date?, root_only?, limit, offset}. data: {traces:
-- [trace_views], total: all that match}, newest first.
create function public.list_traces(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := list_traces.payload -> 'query';
  admission jsonb := public.admit(list_traces.payload);
  owner_id uuid := admission ->> 'tenant_id';
  wanted_namespace text;
  found_traces record;
begin
  if admission ? 'error' then return admission; end if;
  if query ? 'project_id' then
    wanted_namespace := coalesce(
      (select namespaces.name from public.namespaces
       where namespaces.tenant_id = owner_id and namespaces.public_id = query ->> 'project_id'),
      query ->> 'project_id');
    admission := internal.in_namespace(admission, wanted_namespace);
  end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  found_traces := internal.find_traces(owner_id, internal.namespaces_in_sight(admission, wanted_namespace), query);
  return admission || jsonb_build_object('data', jsonb_build_object(
    'traces', internal.trace_views(owner_id, internal.usable_namespaces(admission), found_traces.ids),
    'total', found_traces.total));
end $$;

-- The traces of a page, and how many match in all. Where there is one namespace, that is said by `=`: an index gives rows in
-- order for one value, not for an array of them.
create function internal.find_traces(owner_id uuid, namespace_ids bigint[], query jsonb, out ids text[], out total bigint)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  ids := array(
    select traces.trace_id from public.traces
    where traces.tenant_id = owner_id
      and traces.namespace_id = any (namespace_ids)
      and (cardinality(namespace_ids) <> 1 or traces.namespace_id = namespace_ids[1])
      and (query ->> 'agent' is null or traces.agent = query ->> 'agent')
      and (query ->> 'session_id' is null or traces.session_id = query ->> 'session_id')
      and (query ->> 'start_date' is null or traces.created_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or traces.created_at <= (query ->> 'end_date')::timestamptz)
      and (query ->> 'root_only' is distinct from 'true' or traces.parent_trace_id is null)
    order by traces.created_at desc, traces.trace_id desc
    limit (query ->> 'limit')::integer offset (query ->> 'offset')::bigint);
  total := internal.count_traces(owner_id, namespace_ids, query);
end $$;

-- How many traces match a query in these namespaces. Those of a session are counted one by one; of the others, by agent and time,
-- the number is known by the hour.
create function internal.count_traces(owner_id uuid, namespace_ids bigint[], query jsonb) returns bigint
language plpgsql stable set search_path = '' as $$
declare
  hours record := internal.hours_of(count_traces.query);
begin
  if query ? 'session_id' then
    return internal.count_traces_one_by_one(owner_id, namespace_ids, query, hours.begins, hours.ends);
  end if;
  return internal.counted_rows(
      owner_id, case when query ->> 'root_only' = 'true' then '{root_traces}' else '{root_traces, child_traces}' end::text[],
      namespace_ids, query ->> 'agent', hours.first_hour, hours.last_hour)
    + case when hours.begins is null then 0 else internal.count_traces_one_by_one(
        owner_id, namespace_ids, query, hours.begins, least(hours.first_hour, hours.ends)) end
    + case when hours.ends is null then 0 else internal.count_traces_one_by_one(
        owner_id, namespace_ids, query, coalesce(hours.last_hour, hours.begins), hours.ends) end;
end $$;

-- How many traces match a query's filters from one moment until before another (null: open).
create function internal.count_traces_one_by_one(
  owner_id uuid, namespace_ids bigint[], query jsonb, begins timestamptz, ends timestamptz) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  if begins >= ends then return 0; end if;
  return (
    select count(*) from public.traces
    where traces.tenant_id = owner_id and traces.namespace_id = any (namespace_ids)
      and (query ->> 'agent' is null or traces.agent = query ->> 'agent')
      and (query ->> 'session_id' is null or traces.session_id = query ->> 'session_id')
      and (query ->> 'root_only' is distinct from 'true' or traces.parent_trace_id is null)
      and (count_traces_one_by_one.begins is null or traces.created_at >= count_traces_one_by_one.begins)
      and (count_traces_one_by_one.ends is null or traces.created_at < count_traces_one_by_one.ends));
end $$;

-- supabase/schemas/60_traces/note_rebuilds.sql
-- Noting trees that are to be derived anew from all of their steps.

-- The trees that a step has to do with: its own, and that of the trace which it names as a parent.
create function internal.trees_of_step(step public.steps) returns setof public.rebuilds
language plpgsql immutable set search_path = '' as $$
begin
  if step.tree_key is not null then
    return next (
      step.tenant_id, step.tree_key, step.tree_kind, case step.tree_kind when 'claimed' then step.trace_id end,
      step.namespace_id, step.session_id)::public.rebuilds;
  end if;
  if step.parent_trace_id is not null then
    return next (
      step.tenant_id, internal.tree_key(step.tenant_id, 'claimed', step.parent_trace_id), 'claimed', step.parent_trace_id,
      step.namespace_id, null)::public.rebuilds;
  end if;
end $$;

-- Notes the trees, each of them once.
create function internal.note_rebuilds(trees public.rebuilds[]) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.rebuilds
  select distinct on (tree.tenant_id, tree.tree_key) tree.* from unnest(note_rebuilds.trees) as tree
  order by tree.tenant_id, tree.tree_key
  on conflict on constraint tree_is_noted_once_to_be_rebuilt do nothing;
end $$;

-- supabase/schemas/60_traces/purge_trace_content.sql
-- DELETE /traces/{trace_id}/content. payload.trace_id. Takes away for good what was said in the trace and in all below it, and in
-- the scores of these, and leaves the skeleton: ids, times, counts. Again it changes nothing, but for steps and scores that have
-- come since. data: the trace, as in get_trace.
create function public.purge_trace_content(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  admission jsonb := internal.admit_writer(purge_trace_content.payload);
  owner_id uuid := admission ->> 'tenant_id';
  usable text[];
  purged text[];
  purge_number bigint;
begin
  if admission ? 'error' then return admission; end if;
  -- Alone with the tenant's content: steps that are being stored are waited for, and are taken too.
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  -- And with its projections: who has read the steps before is to read them again, in the order of its folds.
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  admission := internal.folded(admission);
  admission := internal.with_trace(admission, purge_trace_content.payload ->> 'trace_id');
  if admission ? 'error' then return admission; end if;
  usable := internal.usable_namespaces(admission);
  purged := internal.traces_below(owner_id, usable, admission ->> 'trace_id');

  purge_number := internal.next_fold_number(owner_id);

  with emptied as (
    update public.steps set
      content = null, error = null,
      name = case when steps.kind in ('llm', 'span') then null else steps.name end -- whatever a program has made of it
    from (
      select placements.step_id, placements.trace_id
      from unnest(purged) as wanted (trace_id)
      join public.placements on placements.tenant_id = owner_id and placements.trace_id = wanted.trace_id
    ) as placed
    where steps.id = placed.step_id and (steps.content is not null or steps.error is not null)
      and (usable is null or (
        select namespaces.name from public.namespaces where namespaces.id = steps.namespace_id) = any (usable))
    returning placed.trace_id, placed.step_id
  ), renumbered as (
    update public.placements set fold_number = purge_number
    where placements.step_id in (select emptied.step_id from emptied)
  )
  insert into public.purges as known (tenant_id, trace_id, purged_at)
  select owner_id, wanted.trace_id, now()
  from unnest(purged) as wanted (trace_id)
  where wanted.trace_id in (select emptied.trace_id from emptied) or not exists (
    select from public.purges where purges.tenant_id = owner_id and purges.trace_id = wanted.trace_id)
  on conflict on constraint trace_knows_its_last_purge do update set purged_at = excluded.purged_at;
  perform internal.purge_scores(owner_id, usable, purged);
  return internal.trace_answer(admission);
end $$;

-- supabase/schemas/60_traces/trace_views.sql
-- Traces as clients get them. A token that is bound to namespaces sees the traces in these alone: a parent that it may not see is
-- null, and its root is the highest trace on the way up that it may see. `usable`: its namespaces, null for all.

-- The traces with these ids, in this order: SOAT's Trace, and after it our own members.
create function internal.trace_views(owner_id uuid, usable text[], trace_ids text[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    with recursive above as (
      select wanted.trace_id, seen.parent_trace_id
      from unnest(trace_views.trace_ids) as wanted (trace_id)
      cross join lateral internal.seen_trace(owner_id, usable, wanted.trace_id) as seen
      union
      select above.parent_trace_id, seen.parent_trace_id
      from above cross join lateral internal.seen_trace(owner_id, usable, above.parent_trace_id) as seen
      where above.parent_trace_id is not null
    ), rooted as materialized (
      select roots.* from (
        select array_agg(above.trace_id) as ids, array_agg(above.parent_trace_id) as parent_ids from above
      ) as every cross join lateral internal.roots_of_traces(every.ids, every.parent_ids) as roots
    )
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', trace.trace_id,
      'project_id', trace.project_id,
      'agent_id', internal.public_id('agt_', jsonb_build_array(owner_id, trace.namespace_id, trace.agent)::text),
      'file_id', case when trace.step_count > 0 then 'file_' || trace.trace_id end,
      'step_count', trace.step_count,
      'parent_trace_id', above.parent_trace_id,
      'root_trace_id', case when above.parent_trace_id is not null then rooted.root_trace_id end,
      'created_at', internal.timestamp_text(trace.created_at),
      'namespace', trace.namespace,
      'agent', trace.agent,
      'session_id', trace.session_id,
      'content_redacted_at', internal.timestamp_text(trace.purged_at),
      'scores', internal.scores_of_trace(owner_id, usable, wanted.trace_id)) order by wanted.place), '[]')
    from unnest(trace_views.trace_ids) with ordinality as wanted (trace_id, place)
    join above on above.trace_id = wanted.trace_id
    join rooted on rooted.trace_id = wanted.trace_id
    cross join lateral (
      select traces.*, namespaces.public_id as project_id, namespaces.name as namespace, (
        select purges.purged_at from public.purges
        where purges.tenant_id = owner_id and purges.trace_id = traces.trace_id) as purged_at
      from public.traces join public.namespaces on namespaces.id = traces.namespace_id
      where traces.tenant_id = owner_id and traces.trace_id = wanted.trace_id
      offset 0 -- one by one: the planner does not know how few they are
    ) as trace);
end $$;

-- The trace's parent as the token sees it; no row where it may not see the trace.
create function internal.seen_trace(owner_id uuid, usable text[], wanted text) returns table (parent_trace_id text)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if usable is null then
    return query
    select traces.parent_trace_id from public.traces where traces.tenant_id = owner_id and traces.trace_id = wanted;
    return;
  end if;
  return query
  select (
    select parents.trace_id from public.traces as parents
    where parents.tenant_id = owner_id and parents.trace_id = traces.parent_trace_id
      and (select namespaces.name from public.namespaces where namespaces.id = parents.namespace_id) = any (usable))
  from public.traces
  where traces.tenant_id = owner_id and traces.trace_id = wanted
    and (select namespaces.name from public.namespaces where namespaces.id = traces.namespace_id) = any (usable);
end $$;

-- supabase/schemas/60_traces/write_traces.sql
-- Makes the traces what is told of them, and takes away those that nothing tells of any more. Only fold calls it.
create function internal.write_traces(owner_id uuid, derivation internal.derivation, fold_number bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  standing public.traces[] := internal.standing_traces(owner_id, derivation);
  facts internal.told_trace[] := internal.settled_facts(derivation.told, standing);
  vanished text[];
begin
  with gone as (
    delete from public.traces
    where traces.tree_key = any (derivation.remade) and traces.tenant_id = owner_id
      and traces.trace_id not in (select fact.trace_id from unnest(facts) as fact)
    returning traces.trace_id
  )
  select array_agg(gone.trace_id) into vanished from gone;

  insert into public.traces as known (
    tenant_id, trace_id, tree_key, is_claimed, is_named_only, takes_steps_of_its_agent, namespace_id, session_id, agent,
    parent_trace_id, claimed_parent_id, parent_claimed_at, step_count, fold_number, created_at)
  select owner_id, fact.trace_id, fact.tree_key, fact.rank > 0, fact.rank = 2, fact.is_latest, fact.namespace_id,
         fact.session_id, fact.agent, fact.parent_trace_id, fact.claimed_parent_id, fact.parent_claimed_at, (
           select count(*) from public.placements
           where placements.tenant_id = owner_id and placements.trace_id = fact.trace_id),
         write_traces.fold_number, fact.opened_at
  from unnest(facts) as fact
  order by fact.trace_id
  on conflict on constraint trace_id_is_unique_within_its_tenant do update set
    tree_key = excluded.tree_key, is_claimed = excluded.is_claimed, is_named_only = excluded.is_named_only,
    takes_steps_of_its_agent = excluded.takes_steps_of_its_agent, namespace_id = excluded.namespace_id,
    session_id = excluded.session_id, agent = excluded.agent, parent_trace_id = excluded.parent_trace_id,
    claimed_parent_id = excluded.claimed_parent_id, parent_claimed_at = excluded.parent_claimed_at,
    fold_number = case when (known.parent_trace_id, known.agent, known.namespace_id)
      is distinct from (excluded.parent_trace_id, excluded.agent, excluded.namespace_id)
      then excluded.fold_number else known.fold_number end,
    created_at = excluded.created_at
  where (known.tree_key, known.is_claimed, known.is_named_only, known.takes_steps_of_its_agent, known.namespace_id,
         known.session_id, known.agent, known.parent_trace_id, known.claimed_parent_id, known.parent_claimed_at,
         known.created_at)
    is distinct from
        (excluded.tree_key, excluded.is_claimed, excluded.is_named_only, excluded.takes_steps_of_its_agent,
         excluded.namespace_id, excluded.session_id, excluded.agent, excluded.parent_trace_id, excluded.claimed_parent_id,
         excluded.parent_claimed_at, excluded.created_at);

  delete from public.trees
  where trees.tree_key = any (derivation.remade)
    and trees.tree_key not in (select tree.tree_key from unnest(derivation.trees) as tree);
  insert into public.trees as known (tree_key, tenant_id, active_trace_id, last_event_at)
  select tree.tree_key, tree.tenant_id, tree.active_trace_id, tree.last_event_at from unnest(derivation.trees) as tree
  on conflict on constraint tree_key_is_unique do update
    set active_trace_id = excluded.active_trace_id, last_event_at = excluded.last_event_at;

  perform internal.break_cycles(owner_id, facts, standing, fold_number);
  perform internal.note_named_traces(owner_id, vanished);
end $$;

-- The rows that are there already of the traces that are told of, but those which are remade.
create function internal.standing_traces(owner_id uuid, derivation internal.derivation) returns public.traces[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select known from (select distinct told.trace_id from unnest(derivation.told) as told) as wanted
    cross join lateral (
      select traces as known from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = wanted.trace_id offset 0
    ) as row
    where (known).tree_key not in (select unnest(derivation.remade)));
end $$;

-- What each trace is: of all that is told of it, and was told before, the lowest rank counts, then the earliest; and of the
-- parents that were claimed for it, the one that was claimed first is its parent, unless break_cycles takes it back.
create function internal.settled_facts(told internal.told_trace[], standing public.traces[]) returns internal.told_trace[]
language plpgsql immutable set search_path = '' set plan_cache_mode = force_generic_plan as $$
begin
  return array(
    with every as materialized (
      select told.* from unnest(settled_facts.told) as told
      union all
      select known.trace_id, case when not known.is_claimed then 0 when known.is_named_only then 2 else 1 end, known.tree_key,
             known.namespace_id, known.session_id, known.agent, known.created_at, known.parent_trace_id,
             known.takes_steps_of_its_agent, known.claimed_parent_id, known.parent_claimed_at
      from unnest(settled_facts.standing) as known
    ), first as (
      select distinct on (every.trace_id) every.* from every
      order by every.trace_id, every.rank, every.opened_at, every.agent, every.namespace_id, every.session_id
    ), claim as (
      select distinct on (every.trace_id) every.trace_id, every.claimed_parent_id, every.parent_claimed_at
      from every where every.claimed_parent_id is not null
      order by every.trace_id, every.parent_claimed_at, every.claimed_parent_id
    )
    select (
      first.trace_id, first.rank, first.tree_key, first.namespace_id, first.session_id, first.agent, first.opened_at,
      case when first.rank = 0 then first.parent_trace_id else claim.claimed_parent_id end, first.is_latest,
      case when first.rank > 0 then claim.claimed_parent_id end, case when first.rank > 0 then claim.parent_claimed_at end
      )::internal.told_trace
    from first left join claim on claim.trace_id = first.trace_id);
end $$;

-- In a cycle of claimed parents, the claim that was made latest is ignored. No cycle can come about without a new claim, and
-- those that were ignored before are tried anew: the cycle may be gone.
create function internal.break_cycles(
  owner_id uuid, facts internal.told_trace[], standing public.traces[], fold_number bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  tried text[];
begin
  tried := array(
    select fact.trace_id from unnest(facts) as fact
    where fact.claimed_parent_id is not null and not exists (
      select from unnest(standing) as known
      where known.trace_id = fact.trace_id and known.claimed_parent_id = fact.claimed_parent_id
        and known.parent_trace_id is not null));
  if tried = '{}' then return; end if;
  with again as (
    update public.traces set parent_trace_id = traces.claimed_parent_id, fold_number = break_cycles.fold_number
    where traces.tenant_id = owner_id and traces.parent_trace_id is null and traces.claimed_parent_id is not null
    returning traces.trace_id
  )
  select tried || coalesce(array_agg(again.trace_id), '{}') into tried from again;

  update public.traces set parent_trace_id = null, fold_number = break_cycles.fold_number
  where traces.tenant_id = owner_id and traces.trace_id = any (
    internal.latest_of_cycles(owner_id, internal.traces_above_without_root(owner_id, tried)));
end $$;

-- Of traces that are in cycles or below them, with all above them: of each cycle the one whose parent was claimed latest.
create function internal.latest_of_cycles(owner_id uuid, trace_ids text[]) returns text[]
language plpgsql stable set search_path = '' set enable_nestloop = off as $$
declare
  known record; -- the traces by number: their parents' numbers, and the order in which the parents were claimed
  seen integer[]; -- from which trace each was come by first
  latest text[] := '{}';
  place integer;
  start integer;
  last integer;
begin
  if trace_ids = '{}' then return trace_ids; end if;
  select array_agg(parent.number order by wanted.number) as parents,
         array_agg(claim.turn order by wanted.number) as turns
  into known
  from unnest(trace_ids) with ordinality as wanted (trace_id, number)
  join (
    select traces.trace_id, traces.parent_trace_id,
           row_number() over (order by traces.parent_claimed_at, traces.trace_id) as turn
    from public.traces where traces.tenant_id = owner_id and traces.trace_id = any (trace_ids)
  ) as claim on claim.trace_id = wanted.trace_id
  join unnest(trace_ids) with ordinality as parent (trace_id, number) on parent.trace_id = claim.parent_trace_id;

  seen := array_fill(null::integer, array[cardinality(trace_ids)]);
  for number in 1 .. cardinality(trace_ids) loop
    place := number;
    while seen[place] is null loop
      seen[place] := number;
      place := known.parents[place];
    end loop;
    continue when seen[place] <> number; -- it leads to where an earlier one has led
    start := place;
    last := place;
    loop
      place := known.parents[place];
      exit when place = start;
      if known.turns[place] > known.turns[last] then last := place; end if;
    end loop;
    latest := array_append(latest, trace_ids[last]);
  end loop;
  return latest;
end $$;

-- Of these traces and all above them, those from which no root is reached: they are in a cycle, or below one.
create function internal.traces_above_without_root(owner_id uuid, trace_ids text[]) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  found_traces record;
begin
  with recursive above as (
    select known.* from unnest(traces_above_without_root.trace_ids) as wanted (trace_id)
    cross join lateral (
      select traces.trace_id, traces.parent_trace_id from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = wanted.trace_id offset 0
    ) as known
    union
    select known.* from above
    cross join lateral (
      select traces.trace_id, traces.parent_trace_id from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = above.parent_trace_id offset 0
    ) as known
    where above.parent_trace_id is not null
  )
  select array_agg(above.trace_id) as ids, array_agg(above.parent_trace_id) as parent_ids
  into found_traces from above;
  return array(
    select rooted.trace_id from internal.roots_of_traces(found_traces.ids, found_traces.parent_ids) as rooted
    where rooted.root_trace_id is null order by rooted.trace_id);
end $$;

-- The root of each of these traces, null where a cycle is in the way. With each trace all above it must be there. It looks at
-- each trace once: a trace may be ten thousand below its root.
create function internal.roots_of_traces(ids text[], parent_ids text[])
returns table (trace_id text, root_trace_id text)
language plpgsql immutable set search_path = '' set enable_nestloop = off as $$
declare
  parents integer[]; -- by number, null for a root
  roots integer[]; -- the root of each trace; 0 while it is being looked for, and for good where a cycle is in the way
  path integer[];
  place integer;
  root integer;
begin
  select array_agg(parent.number order by child.number) into parents
  from unnest(ids, parent_ids) with ordinality as child (id, parent_id, number)
  left join unnest(ids) with ordinality as parent (id, number) on parent.id = child.parent_id;
  roots := array_fill(null::integer, array[coalesce(cardinality(ids), 0)]);
  for number in 1 .. coalesce(cardinality(ids), 0) loop
    path := '{}';
    place := number;
    while place is not null and roots[place] is null loop
      roots[place] := 0;
      path := array_append(path, place);
      place := parents[place];
    end loop;
    root := case when place is null then path[cardinality(path)] else roots[place] end;
    foreach place in array path loop
      roots[place] := root;
    end loop;
  end loop;
  return query
  select ids[number], ids[nullif(roots[number], 0)] from generate_subscripts(ids, 1) as number;
end $$;

-- Of traces that a tree does not have any more, those that steps name stay there, for the steps' sake: notes them to be made
-- anew of what the steps say.
create function internal.note_named_traces(owner_id uuid, trace_ids text[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  perform internal.note_rebuilds(array(
    select (owner_id, claimed.tree_key, 'claimed', gone.trace_id, 0, null)::public.rebuilds
    from unnest(note_named_traces.trace_ids) as gone (trace_id)
    cross join lateral (select internal.tree_key(owner_id, 'claimed', gone.trace_id) as tree_key offset 0) as claimed
    where exists (select from public.steps where steps.tree_key = claimed.tree_key)
      or exists (select from public.steps where steps.tenant_id = owner_id and steps.parent_trace_id = gone.trace_id)));
end $$;

-- supabase/schemas/70_queries/find_steps.sql
-- The steps that a query asks for: {list: records | logs, agent?, session_id?, trace_id?, level?, resource_id?, start_date?,
-- end_date?, limit, offset?, after?}, newest first, one more than `limit`; and, where query.counted, how many match in all.
-- Only what is folded: what came since the fold is for the next read. All in one snapshot, so page and count agree.
-- Planned anew for the filters that a call really has, so that each of them finds its index.
create function internal.find_steps(
  tenant_id uuid, namespace_id bigint, query jsonb, out ids uuid[], out total bigint)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  unfolded uuid[] := internal.unfolded_steps(find_steps.tenant_id);
  wanted uuid[] := internal.wanted_steps(find_steps.tenant_id, find_steps.query);
  of_agent text := internal.agent_to_look_for(find_steps.tenant_id, find_steps.query);
begin
  ids := array(
    select steps.id from public.steps
    where steps.tenant_id = find_steps.tenant_id
      and steps.namespace_id = find_steps.namespace_id
      and steps.list = query ->> 'list'
      and (query ->> 'agent' is null or of_agent is not null or steps.agent = query ->> 'agent')
      and (of_agent is null or internal.agent_of(steps.id, steps.agent) = of_agent)
      and (query ->> 'session_id' is null or wanted is not null or steps.session_id = query ->> 'session_id')
      and (query ->> 'level' is null or steps.level = query ->> 'level')
      and (query ->> 'resource_id' is null or steps.resource_id = query ->> 'resource_id')
      and (wanted is null or steps.id = any (wanted))
      and (query ->> 'start_date' is null or steps.occurred_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or steps.occurred_at <= (query ->> 'end_date')::timestamptz)
      and (query -> 'after' is null or (steps.occurred_at, steps.id)
        < ((query #>> '{after,occurred_at}')::timestamptz, (query #>> '{after,id}')::uuid))
      and (steps.kind <> 'llm' or steps.span_id is null or not internal.is_wrapper(steps.id))
      and (unfolded = '{}' or steps.id <> all (unfolded))
    order by steps.occurred_at desc, steps.id desc
    limit (query ->> 'limit')::integer + 1 offset (query ->> 'offset')::bigint);
  if (query ->> 'counted')::boolean then
    total := internal.count_steps(find_steps.tenant_id, find_steps.namespace_id, find_steps.query, unfolded);
  end if;
end $$;

-- The steps of a tenant that are not folded yet: after a fold those that came since, few if any.
create function internal.unfolded_steps(tenant_id uuid) returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return array(
    select step.id
    from public.changes as request
    cross join lateral (
      select steps.id, steps.tenant_id from public.steps
      where steps.id between request.first_step_id and request.last_step_id
      offset 0 -- by the ids, whatever the index of the tenant promises
    ) as step
    where request.tenant_id = unfolded_steps.tenant_id and step.tenant_id = unfolded_steps.tenant_id);
end $$;

-- The steps of a trace or a session, as an array, so that they are found by their ids. Null where none is asked for, or where the
-- steps themselves say all that there is to say of the session.
create function internal.wanted_steps(tenant_id uuid, query jsonb) returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  session text := wanted_steps.query ->> 'session_id';
begin
  if wanted_steps.query ? 'trace_id' then
    return array(
      select placements.step_id from public.placements
      where placements.tenant_id = wanted_steps.tenant_id and placements.trace_id = wanted_steps.query ->> 'trace_id'
        and (session is null or session = coalesce(placements.session_id, (
          select steps.session_id from public.steps where steps.id = placements.step_id))));
  end if;
  if session is null or not exists (
    select from public.placements
    where placements.tenant_id = wanted_steps.tenant_id and placements.session_id = session) then
    return null;
  end if;
  return array(
    select steps.id from public.steps where steps.tenant_id = wanted_steps.tenant_id and steps.session_id = session
    union all
    select placements.step_id from public.placements
    where placements.tenant_id = wanted_steps.tenant_id and placements.session_id = session);
end $$;

-- The agent that a query asks for, where it has steps that do not say so themselves; else null. Its steps are looked for among all
-- of the namespace, from the newest on.
create function internal.agent_to_look_for(tenant_id uuid, query jsonb) returns text
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  if query ->> 'list' = 'records' and exists (
    select from public.placements
    where placements.tenant_id = agent_to_look_for.tenant_id and placements.agent = query ->> 'agent') then
    return agent_to_look_for.query ->> 'agent';
  end if;
  return null;
end $$;

-- Whose step it is: that of its trace, where it does not say so itself.
create function internal.agent_of(step_id uuid, agent text) returns text
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return coalesce(
    (select placements.agent from public.placements where placements.step_id = agent_of.step_id), agent_of.agent);
end $$;

-- Whether it is a model call with another one below it, which does not count.
create function internal.is_wrapper(step_id uuid) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return coalesce((select placements.is_wrapper from public.placements where placements.step_id = is_wrapper.step_id), false);
end $$;

-- How many steps match a query in all. By agent (records), level (logs) and time that is known by the hour; the rest of the
-- hours at both ends is counted, and so are the steps of a session, a resource or a trace, which are few.
create function internal.count_steps(tenant_id uuid, namespace_id bigint, query jsonb, unfolded uuid[]) returns bigint
language plpgsql stable set search_path = '' as $$
declare
  hours record := internal.hours_of(count_steps.query);
  label text := case query ->> 'list' when 'logs' then query ->> 'level' else query ->> 'agent' end;
  has_other_filters boolean := query ?| '{session_id, resource_id, trace_id}' or query ->> 'list' = 'logs' and query ? 'agent';
begin
  if has_other_filters then
    return internal.count_one_by_one(tenant_id, namespace_id, query, hours.begins, hours.ends, unfolded);
  end if;
  return internal.counted_rows(
      tenant_id, array[query ->> 'list'], array[namespace_id], label, hours.first_hour, hours.last_hour)
    + case when hours.begins is null then 0 else internal.count_one_by_one(
        tenant_id, namespace_id, query, hours.begins, least(hours.first_hour, hours.ends), unfolded) end
    + case when hours.ends is null then 0 else internal.count_one_by_one(
        tenant_id, namespace_id, query, coalesce(hours.last_hour, hours.begins), hours.ends, unfolded) end;
end $$;

-- How many steps match a query's filters from one moment until before another (null: open).
create function internal.count_one_by_one(
  tenant_id uuid, namespace_id bigint, query jsonb, begins timestamptz, ends timestamptz, unfolded uuid[]) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  wanted uuid[] := internal.wanted_steps(count_one_by_one.tenant_id, count_one_by_one.query);
  of_agent text := internal.agent_to_look_for(count_one_by_one.tenant_id, count_one_by_one.query);
begin
  if begins >= ends then return 0; end if;
  return (
    select count(*) from public.steps
    where steps.tenant_id = count_one_by_one.tenant_id
      and steps.namespace_id = count_one_by_one.namespace_id
      and steps.list = query ->> 'list'
      and (query ->> 'agent' is null or of_agent is not null or steps.agent = query ->> 'agent')
      and (of_agent is null or internal.agent_of(steps.id, steps.agent) = of_agent)
      and (query ->> 'session_id' is null or wanted is not null or steps.session_id = query ->> 'session_id')
      and (query ->> 'level' is null or steps.level = query ->> 'level')
      and (query ->> 'resource_id' is null or steps.resource_id = query ->> 'resource_id')
      and (wanted is null or steps.id = any (wanted))
      and (count_one_by_one.begins is null or steps.occurred_at >= count_one_by_one.begins)
      and (count_one_by_one.ends is null or steps.occurred_at < count_one_by_one.ends)
      and (steps.kind <> 'llm' or steps.span_id is null or not internal.is_wrapper(steps.id))
      and (unfolded = '{}' or steps.id <> all (unfolded)));
end $$;

-- supabase/schemas/70_queries/pages.sql
-- Reading page by page. A page begins after the last row of the one before it (`query.after`, its position) and not at a number
-- of rows: it stays exact while rows are being inserted. Queries and exports read the same pages.

-- A page of the rows that a cursor gives as (view, moment, id), in their order: {rows: [view], next}, `next` being the position
-- to go on after, null at the end. It has no more than `wanted` rows, and no more than `bytes` of JSON unless its first row
-- alone has more. What does not fit is not even read.
create function internal.page_of(source refcursor, wanted integer, bytes integer) returns jsonb
language plpgsql set search_path = '' as $$
declare
  item record;
  size bigint := 0;
  views jsonb[] := '{}';
  last jsonb;
begin
  loop
    fetch page_of.source into item;
    if not found then
      last := null;
      exit;
    end if;
    size := size + octet_length(item.view::text);
    exit when cardinality(views) = wanted or (size > bytes and cardinality(views) > 0);
    views := array_append(views, item.view);
    last := jsonb_build_object('occurred_at', internal.timestamp_text(item.moment), 'id', item.id);
  end loop;
  close page_of.source;
  return jsonb_build_object('rows', to_jsonb(views), 'next', last);
end $$;

-- A page as the answer to a query, or a refusal where it had to end early: the API hands on no more than 16 MiB.
create function internal.page_answer(admission jsonb, page jsonb, wanted integer) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if page_answer.page -> 'next' <> 'null' and jsonb_array_length(page_answer.page -> 'rows') < wanted then
    return admission || internal.refusal('invalid_payload', 'limit: these are more than 16 MiB. Ask for fewer at a time.');
  end if;
  return admission || jsonb_build_object('data', page_answer.page);
end $$;

-- admit, for a page of an export: every page asks whether the token is still good, the first one counts.
create function internal.admit_page(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  if admit_page.payload -> 'query' ? 'after' then return internal.identify(admit_page.payload); end if;
  return public.admit(admit_page.payload);
end $$;

-- supabase/schemas/70_queries/query_steps.sql
-- POST /record_query and /logs/query. payload.query: see find_steps, with {namespace}. data: {rows: [step_view], next, count: all
-- that match, namespace_known}.
create function public.query_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := query_steps.payload -> 'query' || '{"counted": true}';
  admission jsonb := internal.folded(internal.admit_to_namespace(query_steps.payload, query ->> 'namespace'));
begin
  if admission ? 'error' then return admission; end if;
  return internal.page_answer(
    admission,
    internal.page_of_steps((admission ->> 'tenant_id')::uuid, query, 16 * 1024 * 1024),
    (query ->> 'limit')::integer);
end $$;

-- A page of the steps that find_steps finds in query.namespace: {rows: [step_view], next, count, namespace_known}. Stable, so that
-- all of it sees one moment: a step that is deleted meanwhile does not end the page early.
create function internal.page_of_steps(tenant_id uuid, query jsonb, bytes integer) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  namespace text := query ->> 'namespace';
  namespace_id bigint := internal.namespace_id(page_of_steps.tenant_id, namespace);
  found_steps record;
  source refcursor;
begin
  found_steps := internal.find_steps(page_of_steps.tenant_id, namespace_id, query);
  open source for -- with a limit, so that each view is made when it is fetched
    select internal.step_view(steps, namespace) as view, steps.occurred_at as moment, steps.id
    from unnest(found_steps.ids) with ordinality as wanted (id, place)
    join public.steps on steps.id = wanted.id
    order by wanted.place
    limit cardinality(found_steps.ids);
  return internal.page_of(source, (query ->> 'limit')::integer, page_of_steps.bytes)
    || jsonb_build_object('count', found_steps.total, 'namespace_known', namespace_id is not null);
end $$;

-- supabase/schemas/70_queries/step_view.sql
-- A step as it is read: its columns, and what was said apart. The API makes a record or a log entry of it. What a span does not
-- say itself comes from its placement; `messages` are what log entries tell of the model call that is their span.
create function internal.step_view(step public.steps, namespace text) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  placed public.placements := (select placements from public.placements where placements.step_id = step.id);
begin
  return jsonb_build_object(
    'id', step.id,
    'kind', case when placed.is_wrapper then 'span' else step.kind end,
    'is_span', step.otel_trace_id is not null or step.fingerprint is not null,
    'name', step.name,
    'namespace', step_view.namespace,
    'session_id', coalesce(step.session_id, placed.session_id),
    'user_id', coalesce(step.user_id, placed.user_id),
    'trace_id', placed.trace_id,
    'agent', coalesce(placed.agent, step.agent),
    'status', step.status,
    'error', step.error,
    'started_at', internal.timestamp_text(internal.start_of(step.started_at, step.occurred_at, step.latency_ms)),
    'occurred_at', internal.timestamp_text(step.occurred_at),
    'latency_ms', step.latency_ms,
    'model', step.model,
    'input_tokens', coalesce(step.input_tokens, placed.input_tokens),
    'output_tokens', coalesce(step.output_tokens, placed.output_tokens),
    'process_tokens', step.process_tokens,
    'memory_tokens', step.memory_tokens,
    'total_tokens', coalesce(step.total_tokens, placed.input_tokens + placed.output_tokens),
    'cached_input_tokens', coalesce(step.cached_input_tokens, placed.cached_input_tokens),
    'reasoning_tokens', coalesce(step.reasoning_tokens, placed.reasoning_tokens),
    'level', step.level,
    'resource_id', step.resource_id,
    'content', step.content,
    'messages', case when step.kind = 'llm' and step.span_id is not null then internal.messages_of_call(step) end);
end $$;

-- What others tell of a model call: log entries within its span, and the span around it if that has the call's input:
-- [[{side: input | output, message}]].
create function internal.messages_of_call(step public.steps) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return to_jsonb(array(
    select entry.content -> 'messages_of_call'
    from public.steps as entry
    where entry.tree_key = step.tree_key and entry.parent_span_id = step.span_id and entry.kind = 'log'
      and entry.content ? 'messages_of_call'
    order by entry.occurred_at, entry.id)) || to_jsonb(array(
    select jsonb_agg(jsonb_build_object('side', 'input', 'message', said.message) order by said.place)
    from public.steps as around
    cross join lateral jsonb_array_elements(case jsonb_typeof(around.content -> 'input')
      when 'array' then around.content -> 'input' else jsonb_build_array(around.content -> 'input') end)
      with ordinality as said (message, place)
    where around.tenant_id = step.tenant_id and around.otel_trace_id = step.otel_trace_id
      and around.span_id = step.parent_span_id and around.namespace_id = step.namespace_id
      and around.content ? 'has_input_of_call' and around.content ? 'input'
    group by around.id));
end $$;

-- When a step began: as it was told, else its end less what it took. (Nothing takes longer than there was time.)
create function internal.start_of(started_at timestamptz, occurred_at timestamptz, latency_ms bigint) returns timestamptz
language plpgsql stable set search_path = '' as $$
begin
  return coalesce(start_of.started_at, greatest(
    start_of.occurred_at - least(coalesce(start_of.latency_ms, 0), 100000000000000) * interval '1 millisecond',
    '0001-01-01Z'));
end $$;

-- supabase/schemas/71_exports/export_file.sql
-- A page of GET /files/{file_id}/download. payload.query: {file_id, limit, bytes, after?}. data: {rows, next}: the steps of the
-- trace in the order in which they happened, each a step_view with `step_number`, its number in the order of arrival. A token
-- sees those in the namespaces that it may use.
create function public.export_file(payload jsonb) returns jsonb
language plpgsql set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  query jsonb := export_file.payload -> 'query';
  admission jsonb := internal.folded(internal.admit_page(export_file.payload));
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(admission);
  wanted integer := (query ->> 'limit')::integer + 1;
  after_time timestamptz := query #>> '{after,occurred_at}';
  after_id uuid := query #>> '{after,id}';
  source refcursor;
begin
  admission := internal.with_file(admission, query ->> 'file_id');
  if admission ? 'error' then return admission; end if;
  open source for -- with a limit, so that each view is made when it is fetched
    select internal.step_view(steps, namespaces.name) || jsonb_build_object('step_number', placed.number) as view,
           placed.happened_at as moment, placed.step_id as id
    from (
      select numbered.* from (
        select placements.step_id, placements.happened_at, row_number() over (order by placements.step_id) as number
        from public.placements
        where placements.tenant_id = owner_id and placements.trace_id = admission ->> 'trace_id'
      ) as numbered
      where after_time is null or (numbered.happened_at, numbered.step_id) > (after_time, after_id)
      order by numbered.happened_at, numbered.step_id limit wanted * case when usable is null then 1 else 1000000 end
    ) as placed
    join public.steps on steps.id = placed.step_id
    join public.namespaces on namespaces.id = steps.namespace_id
    where usable is null or namespaces.name = any (usable)
    order by placed.happened_at, placed.step_id
    limit wanted;
  return admission || jsonb_build_object(
    'data', internal.page_of(source, (query ->> 'limit')::integer, (query ->> 'bytes')::integer));
end $$;

-- supabase/schemas/71_exports/export_steps.sql
-- A page of POST /records/export and /logs/export. payload.query: see find_steps, with {namespace, bytes}. data: {rows:
-- [step_view], next}.
create function public.export_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := export_steps.payload -> 'query';
  admission jsonb := internal.folded(
    internal.in_namespace(internal.admit_page(export_steps.payload), query ->> 'namespace'));
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object(
    'data', internal.page_of_steps((admission ->> 'tenant_id')::uuid, query, (query ->> 'bytes')::integer));
end $$;

-- supabase/schemas/71_exports/get_file.sql
-- GET /files/{file_id}. payload.file_id. data: the trace, as in get_trace.
create function public.get_file(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.folded(public.admit(get_file.payload));
begin
  return internal.trace_answer(internal.with_file(admission, get_file.payload ->> 'file_id'));
end $$;

-- with_trace, for a file: that of a trace with steps. Its id is the trace's with `file_` in front.
create function internal.with_file(admission jsonb, file_id text) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  found_trace jsonb := internal.with_trace(admission, substr(with_file.file_id, 6));
begin
  if admission ? 'error' then return admission; end if;
  if with_file.file_id like 'file\_%' and exists (
    select from public.traces
    where traces.tenant_id = (admission ->> 'tenant_id')::uuid and traces.trace_id = found_trace ->> 'trace_id'
      and traces.step_count > 0) then
    return found_trace;
  end if;
  return admission || internal.refusal('not_found', 'There is no such file.');
end $$;

-- supabase/schemas/72_views/get_steps.sql
-- GET /steps. payload.query: {ids: [uuid], max_bytes}. payload.known: see unless_known. data: {steps: [step_view]}, in the
-- order of the ids; those that are not there, or not in the token's namespaces, are absent.
create function public.get_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := get_steps.payload -> 'query';
  admission jsonb := internal.folded(public.admit(get_steps.payload));
  max_bytes integer := query ->> 'max_bytes';
  ids uuid[];
  found_steps jsonb;
begin
  if admission ? 'error' then return admission; end if;
  ids := internal.seen_steps(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission),
    array(select jsonb_array_elements_text(query -> 'ids'))::uuid[]);
  if internal.bytes_of_steps(ids, max_bytes) <= 16 * 1024 * 1024 then -- else they are not even read
    found_steps := internal.whole_steps(ids, max_bytes);
  end if;
  if coalesce(octet_length(found_steps::text) > 16 * 1024 * 1024, true) then
    return admission || internal.refusal('invalid_payload', 'ids: these are more than 16 MiB. Ask for fewer at a time.');
  end if;
  return internal.unless_known(admission, jsonb_build_object('steps', found_steps), get_steps.payload);
end $$;

-- Those of the ids that are of steps which the token may see, in their order.
create function internal.seen_steps(owner_id uuid, usable text[], ids uuid[]) returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select wanted.id from unnest(seen_steps.ids) with ordinality as wanted (id, place)
    where (select steps.tenant_id from public.steps where steps.id = wanted.id) = owner_id
      and (usable is null or internal.namespace_of(wanted.id) = any (usable))
    order by wanted.place);
end $$;

-- How much content is in these steps, of each no more than so much.
create function internal.bytes_of_steps(ids uuid[], max_bytes integer) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select coalesce(sum(least(max_bytes, (select steps.bytes from public.steps where steps.id = wanted.id))), 0)
    from unnest(bytes_of_steps.ids) as wanted (id));
end $$;

-- The views of these steps, none with more content than so much.
create function internal.whole_steps(ids uuid[], max_bytes integer) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return to_jsonb(array(
    select internal.cut_view(internal.step_view(said.step, (
      select namespaces.name from public.namespaces where namespaces.id = (said.step).namespace_id)), max_bytes)
    from unnest(whole_steps.ids) with ordinality as wanted (id, place)
    cross join lateral (select steps as step from public.steps where steps.id = wanted.id offset 0) as said
    order by wanted.place));
end $$;

-- A step_view whose content is no larger than so many bytes of JSON: its smallest members, as many as fit, and the names of the
-- others in `left_out`.
create function internal.cut_view(step_view jsonb, max_bytes integer) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  left_out text[];
begin
  if coalesce(octet_length(step_view ->> 'content') + octet_length(coalesce(step_view ->> 'messages', '')) <= max_bytes, true) then
    return step_view;
  end if;
  left_out := array(
    select member.name
    from (
      select part.key as name, sum(octet_length(part.key || part.value::text) + 6) over (
        order by octet_length(part.value::text), part.key) as bytes
      from jsonb_each(step_view -> 'content' || jsonb_strip_nulls(jsonb_build_object('messages', step_view -> 'messages'))) as part
    ) as member
    where member.bytes > max_bytes order by member.name);
  return step_view || jsonb_build_object(
    'content', (step_view -> 'content') - left_out, 'truncated', true, 'left_out', to_jsonb(left_out),
    'messages', case when 'messages' <> all (left_out) then step_view -> 'messages' end);
end $$;

-- supabase/schemas/72_views/list_session_steps.sql
-- GET /sessions/{session_id}/steps. payload.query: {session_id, namespace?, limit, since?, after?}, as in list_trace_steps.
-- payload.known: see unless_known. data: {traces, steps, count, next, watermark}, the traces being those that the steps
-- belong or lead to, and all above them.
create function public.list_session_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := list_session_steps.payload -> 'query';
  admission jsonb := public.admit(list_session_steps.payload);
  page jsonb;
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  page := internal.page_of_session(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission),
    -- Where all are in sight, no step has to be read to know that it is.
    case when internal.usable_namespaces(admission) is not null or query ? 'namespace'
      then internal.namespaces_in_sight(admission, query ->> 'namespace') end,
    query);
  if page is null then return admission || internal.refusal('not_found', 'There is no such session.'); end if;
  return internal.unless_known(admission, page, list_session_steps.payload);
end $$;

-- A page of the steps of a session in these namespaces (null: in all), see page_of_traces; null where the token sees no such session.
create function internal.page_of_session(owner_id uuid, usable text[], namespace_ids bigint[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_nestloop = off as $$
declare
  session text := query ->> 'session_id';
  span record := internal.span_of_folds(owner_id, query);
  wanted integer := (query ->> 'limit')::integer + 1;
  total bigint := query #>> '{after,count}';
  trace_ids text[];
  newer bigint;
  ids uuid[];
begin
  with step as materialized (
    select placed.* from internal.steps_of_session(owner_id, session, page_of_session.namespace_ids) as own (id)
    cross join lateral (
      select placements.step_id, placements.trace_id, placements.to_trace_id, placements.happened_at, placements.fold_number
      from public.placements where placements.step_id = own.id offset 0
    ) as placed
  )
  select array(select step.trace_id from step union select step.to_trace_id from step where step.to_trace_id is not null),
         (select count(*) from step where step.fold_number > span.since),
         array(
           select step.step_id from step
           where (step.happened_at, step.step_id) > (span.after_time, span.after_id)
             and step.fold_number > span.since and step.fold_number <= span.until
           order by step.happened_at, step.step_id limit wanted)
  into trace_ids, newer, ids;
  if trace_ids = '{}' and not exists (
    select from public.sessions
    where sessions.tenant_id = owner_id and sessions.id = session
      and (page_of_session.namespace_ids is null or sessions.namespace_id = any (page_of_session.namespace_ids))) then
    return null;
  end if;
  return internal.skeleton_page(
    owner_id, usable, internal.traces_with_those_above(owner_id, usable, trace_ids), ids, coalesce(total, newer),
    span.since, span.until, wanted);
end $$;

-- The ids of a session's steps, in these namespaces (null: in all): of those that say so, and of those that follow from their tree.
create function internal.steps_of_session(owner_id uuid, session_id text, namespace_ids bigint[]) returns setof uuid
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return query
  select steps.id from public.steps
  where steps.tenant_id = owner_id and steps.session_id = steps_of_session.session_id
    and (namespace_ids is null or steps.namespace_id = any (namespace_ids))
  union all
  select placements.step_id from public.placements
  where placements.tenant_id = owner_id and placements.session_id = steps_of_session.session_id
    and (namespace_ids is null or (
      select steps.namespace_id from public.steps where steps.id = placements.step_id) = any (namespace_ids));
end $$;

-- These traces, and all above them as far as the token may see them, in order of creation.
create function internal.traces_with_those_above(owner_id uuid, usable text[], trace_ids text[]) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    with recursive above as (
      select wanted.trace_id, seen.parent_trace_id
      from unnest(traces_with_those_above.trace_ids) as wanted (trace_id)
      cross join lateral internal.seen_trace(owner_id, usable, wanted.trace_id) as seen
      union
      select above.parent_trace_id, seen.parent_trace_id
      from above cross join lateral internal.seen_trace(owner_id, usable, above.parent_trace_id) as seen
      where above.parent_trace_id is not null
    )
    select above.trace_id from above
    order by (
      select traces.created_at from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = above.trace_id), above.trace_id);
end $$;

-- supabase/schemas/72_views/list_trace_steps.sql
-- GET /traces/{trace_id}/steps. payload.query: {trace_id, scope: trace | tree, limit, since?, after?}, see page_of_traces.
-- payload.known: see unless_known. data: {traces, steps, count, next, watermark}.
create function public.list_trace_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := list_trace_steps.payload -> 'query';
  admission jsonb := internal.folded(public.admit(list_trace_steps.payload));
begin
  admission := internal.with_trace(admission, query ->> 'trace_id');
  if admission ? 'error' then return admission; end if;
  return internal.unless_known(admission, internal.page_of_traces(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission), query), list_trace_steps.payload);
end $$;

-- A page of the steps of a trace, or of the whole tree that it is in, in the order in which they happened: {traces, steps, count,
-- next, watermark}. `since`: only what was folded after that number. `after`: what the page before gave as `next`, so that all
-- pages are of the moment of the first one. Stable, so that steps and watermark are of one moment.
create function internal.page_of_traces(owner_id uuid, usable text[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  reached record := internal.reached_traces(
    owner_id, usable, query ->> 'trace_id', query ->> 'scope' = 'tree');
  span record := internal.span_of_folds(owner_id, query);
  wanted integer := (query ->> 'limit')::integer + 1;
  total bigint := query #>> '{after,count}';
  ids uuid[];
begin
  if total is null and usable is null and span.since = 0 then
    total := (
      select coalesce(sum(traces.step_count), 0) from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = any (reached.ids));
  elsif total is null then
    total := (
      select count(*) from unnest(reached.ids, reached.fold_numbers) as trace (id, fold_number)
      cross join lateral (
        select placements.step_id from public.placements
        where placements.tenant_id = owner_id and placements.trace_id = trace.id
          and greatest(placements.fold_number, trace.fold_number) > span.since
          and (usable is null or internal.namespace_of(placements.step_id) = any (usable))
        offset 0
      ) as step);
  end if;
  ids := array(
    select step.step_id from unnest(reached.ids, reached.fold_numbers) as trace (id, fold_number)
    cross join lateral (
      select placements.step_id, placements.happened_at from public.placements
      where placements.tenant_id = owner_id and placements.trace_id = trace.id
        and (placements.happened_at, placements.step_id) > (span.after_time, span.after_id)
        and greatest(placements.fold_number, trace.fold_number) > span.since
        and greatest(placements.fold_number, trace.fold_number) <= span.until
        and (usable is null or internal.namespace_of(placements.step_id) = any (usable))
      order by placements.happened_at, placements.step_id limit wanted
    ) as step
    order by step.happened_at, step.step_id limit wanted);
  return internal.skeleton_page(owner_id, usable, reached.ids, ids, total, span.since, span.until, wanted);
end $$;

-- The trace, or all of the tree that it is in, as far as the token may see them, in order of creation; and the highest number of
-- a fold that changed how each is linked to the first one. A step is as new as that link: a whole trace may come to a tree late.
create function internal.reached_traces(
  owner_id uuid, usable text[], trace_id text, whole_tree boolean, out ids text[], out fold_numbers bigint[])
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  here text := reached_traces.trace_id;
  above text;
  linked bigint := 0;
begin
  if not whole_tree then
    ids := array[here];
    fold_numbers := '{0}';
    return;
  end if;
  loop
    linked := greatest(linked, (
      select traces.fold_number from public.traces where traces.tenant_id = owner_id and traces.trace_id = here));
    select seen.parent_trace_id into above from internal.seen_trace(owner_id, usable, here) as seen;
    exit when above is null;
    here := above;
  end loop;
  with recursive below as (
    select traces.trace_id, traces.created_at, linked as fold_number from public.traces
    where traces.tenant_id = owner_id and traces.trace_id = here
    union all
    select child.trace_id, child.created_at, greatest(below.fold_number, child.fold_number)
    from below cross join lateral (
      select traces.trace_id, traces.created_at, traces.fold_number from public.traces
      where traces.tenant_id = owner_id and traces.parent_trace_id = below.trace_id
        and (usable is null or (
          select namespaces.name from public.namespaces where namespaces.id = traces.namespace_id) = any (usable))
      offset 0
    ) as child
  )
  select array_agg(below.trace_id order by below.created_at, below.trace_id),
         array_agg(below.fold_number order by below.created_at, below.trace_id)
  into ids, fold_numbers from below;
end $$;

-- The name of the namespace of a step.
create function internal.namespace_of(step_id uuid) returns text
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return (
    select namespaces.name from public.namespaces where namespaces.id = (
      select steps.namespace_id from public.steps where steps.id = namespace_of.step_id));
end $$;

-- supabase/schemas/72_views/search_steps.sql
-- POST /steps/query. payload.query: {namespace?, text?, kind?, status?: ok | error | not_told, agent?, model?, tool_name?, user_id?,
-- session_id?, trace_id?, min_duration_ms?, start_date?, end_date?, limit, after?}, `kind` being that of the skeletons. Without a
-- start_date, the seven days before end_date or now. data: {steps: [skeleton and {session_id, namespace, match?}], next,
-- searched_until?}, newest first. `match`: see match_in_step. Where it gave up looking before the page was full, `searched_until`
-- is when the last step that it looked at happened: the page may be empty though there is a next one.
create function public.search_steps(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := search_steps.payload -> 'query';
  admission jsonb := public.admit(search_steps.payload);
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', internal.page_of_search(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission),
    internal.namespaces_in_sight(admission, query ->> 'namespace'), query));
end $$;

-- A page of the steps that a search finds: {steps, next, searched_until}. `next` has the beginning of the time that is searched,
-- so that all pages search the same time. Stable, so that steps and skeletons are of one moment.
create function internal.page_of_search(owner_id uuid, usable text[], namespace_ids bigint[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  begins timestamptz := coalesce(
    query #>> '{after,begins}', query ->> 'start_date',
    (coalesce((query ->> 'end_date')::timestamptz, now()) - interval '7 days')::text);
  found_steps record := internal.found_steps(owner_id, page_of_search.namespace_ids, query, begins);
begin
  return jsonb_build_object(
    'steps', to_jsonb(array(
      select skeleton.value || told.value
      from jsonb_array_elements(internal.skeletons(owner_id, usable, found_steps.ids))
        with ordinality as skeleton (value, place)
      join unnest(found_steps.told) with ordinality as told (value, place) using (place)
      order by place)),
    'next', case when not found_steps.is_whole then jsonb_build_object(
      'occurred_at', internal.timestamp_text(found_steps.last_time), 'id', found_steps.last_id,
      'begins', internal.timestamp_text(begins)) end,
    'searched_until', case when not found_steps.is_whole and cardinality(found_steps.ids) < (query ->> 'limit')::integer then
      internal.timestamp_text(found_steps.last_time) end);
end $$;

-- The sessions of the steps that say a text, among the newest of these namespaces in that time (both ends included), as many as a
-- search looks at. `ends` null: open; `begins` null: the seven days before. Only what is folded.
create function internal.sessions_that_say(
  owner_id uuid, namespace_ids bigint[], said text, begins timestamptz, ends timestamptz) returns text[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  found_steps record := internal.found_steps(
    owner_id, sessions_that_say.namespace_ids,
    jsonb_strip_nulls(jsonb_build_object('text', said, 'end_date', ends, 'limit', internal.most_candidates())),
    coalesce(sessions_that_say.begins, coalesce(least(ends, now()), now()) - interval '7 days'));
begin
  return array(
    select distinct told.value ->> 'session_id' from unnest(found_steps.told) as told (value)
    where told.value ->> 'session_id' is not null);
end $$;

-- How many steps a search looks at before it gives up, and through how much content: a request ends in time, whatever it asks for.
-- Measured: 10,000 steps of 1.4 KB take 0.2 to 0.4 s.
create function internal.most_candidates() returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return 10000;
end $$;

create function internal.most_bytes_to_search() returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return 16 * 1024 * 1024;
end $$;

-- The steps of these namespaces since `begins` that a query finds, newest first, up to its `limit`: their ids, and of each {session_id,
-- namespace, match?}; the last step that was looked at; and whether that was all that there is. Without jit: to the planner,
-- thousands of look-ups by id are worth compiling, which takes longer than they do.
create function internal.found_steps(
  owner_id uuid, namespace_ids bigint[], query jsonb, begins timestamptz,
  out ids uuid[], out told jsonb[], out last_time timestamptz, out last_id uuid, out is_whole boolean)
language plpgsql stable set search_path = '' set enable_seqscan = off set jit = off as $$
declare
  most integer := query ->> 'limit';
  needle text := lower((query ->> 'text') collate "pg_c_utf8");
  needle_in_json text := substr(to_jsonb(needle)::text, 2, length(to_jsonb(needle)::text) - 2);
  unfolded uuid[] := internal.unfolded_steps(owner_id);
  looked integer := 0;
  bytes bigint := 0;
  gives_up_at timestamptz := clock_timestamp() + interval '3 seconds'; -- on a cold disk, whatever it has looked at
  wanted integer := 300; -- many a search has its page then
  candidates uuid[];
  step record;
  match jsonb;
begin
  ids := '{}';
  told := '{}';
  last_time := coalesce(query #>> '{after,occurred_at}', query ->> 'end_date', 'infinity');
  last_id := coalesce(query #>> '{after,id}', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  loop
    candidates := internal.candidates(owner_id, found_steps.namespace_ids, query, begins, last_time, last_id, wanted);
    is_whole := cardinality(candidates) < wanted;
    for step in select * from internal.looked_at(candidates, query, unfolded) loop
      if cardinality(ids) = most or bytes >= internal.most_bytes_to_search()
        or looked > 0 and clock_timestamp() > gives_up_at then
        is_whole := false;
        return;
      end if;
      looked := looked + 1;
      last_time := step.occurred_at;
      last_id := step.id;
      continue when not step.fits;
      if needle is not null then
        bytes := bytes + step.bytes;
        match := internal.match_in_step(step.id, step.agent, needle, needle_in_json);
        continue when match is null;
      end if;
      ids := array_append(ids, step.id);
      told := array_append(told, jsonb_build_object('session_id', step.session_id, 'namespace', step.namespace)
        || jsonb_strip_nulls(jsonb_build_object('match', match)));
    end loop;
    wanted := least(internal.most_candidates() - looked, 2000);
    exit when is_whole or wanted = 0 or cardinality(ids) = most;
  end loop;
end $$;

-- The newest steps before a position that a query may mean, newest first: by what an index finds, the rest is for looked_at.
create function internal.candidates(
  owner_id uuid, namespace_ids bigint[], query jsonb, begins timestamptz, before_time timestamptz, before_id uuid, wanted integer)
returns uuid[]
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  lists text[] := case
    when query ->> 'kind' = 'log' then array['logs']
    when query ->> 'kind' = 'agent' then array['spans']
    when query ->> 'kind' = 'span' then array['spans', 'records'] -- a model call that is a wrapper is one, too
    when query ? 'kind' or query ? 'tool_name' then array['records']
    else array['records', 'logs', 'spans']
  end;
  of_agent text := query ->> 'agent';
begin
  if query ? 'trace_id' or query ? 'session_id' then
    return internal.newest_of_trace_or_session(
      owner_id, namespace_ids, query, begins, before_time, before_id, candidates.wanted);
  end if;
  if exists (select from public.placements where placements.tenant_id = owner_id and placements.agent = of_agent) then
    of_agent := null; -- steps have it that do not say so themselves: all are looked at
  end if;
  return internal.newest_of_namespaces(
    owner_id, namespace_ids, lists, of_agent, begins, before_time, before_id, candidates.wanted);
end $$;

-- The newest steps of these namespaces and lists before a position, of one agent if one is given. Each namespace's list has an
-- index in the order of time; what they give is merged. Of many namespaces little is asked at a time: slices of time, each four
-- times as long as the one before, so that not each of them gives as much as is wanted in all.
create function internal.newest_of_namespaces(
  owner_id uuid, namespace_ids bigint[], lists text[], of_agent text, begins timestamptz, before_time timestamptz, before_id uuid,
  wanted integer) returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan
  set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  slice interval := case when cardinality(namespace_ids) > 10 then '1 minute' end; -- null: all at once
  since timestamptz;
  ids uuid[] := '{}';
begin
  loop
    since := coalesce(greatest(begins, least(before_time, now()) - slice), begins);
    ids := ids || array(
      select step.id
      from unnest(newest_of_namespaces.namespace_ids) as namespace (id)
      cross join unnest(newest_of_namespaces.lists) as list (name)
      cross join lateral (
        select steps.id, steps.occurred_at from public.steps
        where steps.tenant_id = owner_id and steps.namespace_id = namespace.id and steps.list = list.name
          and (of_agent is null or steps.agent = of_agent)
          and (steps.occurred_at, steps.id) < (before_time, before_id) and steps.occurred_at >= since
        order by steps.occurred_at desc, steps.id desc
        limit wanted - cardinality(ids)
      ) as step
      order by step.occurred_at desc, step.id desc
      limit wanted - cardinality(ids));
    exit when since = begins or cardinality(ids) >= wanted;
    before_time := since;
    before_id := '00000000-0000-0000-0000-000000000000';
    slice := least(slice * 4, interval '1000 years'); -- from any moment, Postgres can go back as far
  end loop;
  return ids;
end $$;

-- The newest steps of a trace, else of a session, in these namespaces and before a position.
create function internal.newest_of_trace_or_session(
  owner_id uuid, namespace_ids bigint[], query jsonb, begins timestamptz, before_time timestamptz, before_id uuid, wanted integer)
returns uuid[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  of_trace text := query ->> 'trace_id';
  session text := query ->> 'session_id';
begin
  return array(
    with placed as (
      select placements.step_id from public.placements
      where of_trace is not null and placements.tenant_id = owner_id and placements.trace_id = of_trace
      union all
      select placements.step_id from public.placements
      where of_trace is null and placements.tenant_id = owner_id and placements.session_id = session
    ), step as (
      select own.* from placed
      cross join lateral (
        select steps.id, steps.occurred_at, steps.namespace_id from public.steps where steps.id = placed.step_id offset 0
      ) as own
      where own.namespace_id = any (newest_of_trace_or_session.namespace_ids)
        and (own.occurred_at, own.id) < (before_time, before_id) and own.occurred_at >= begins
      union all
      (select steps.id, steps.occurred_at, steps.namespace_id from public.steps
       where of_trace is null and steps.tenant_id = owner_id and steps.session_id = session
         and steps.namespace_id = any (newest_of_trace_or_session.namespace_ids)
         and (steps.occurred_at, steps.id) < (before_time, before_id) and steps.occurred_at >= begins
       order by steps.occurred_at desc, steps.id desc limit newest_of_trace_or_session.wanted)
    )
    select step.id from step
    order by step.occurred_at desc, step.id desc limit newest_of_trace_or_session.wanted);
end $$;

-- Steps in the order of their ids, without what they say, and whether they fit all filters of a query but its text. Those that are
-- not folded yet do not: they are for the next read. What a span does not say itself comes from its placement, as in step_view.
create function internal.looked_at(ids uuid[], query jsonb, unfolded uuid[])
returns table (
  id uuid, occurred_at timestamptz, bytes integer, session_id text, namespace text, agent text, fits boolean)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
begin
  return query
  select step.id, step.occurred_at, step.bytes, coalesce(step.session_id, placed.session_id),
         (select namespaces.name from public.namespaces where namespaces.id = step.namespace_id),
         coalesce(placed.agent, step.agent),
         (unfolded = '{}' or step.id <> all (unfolded))
         and (query ->> 'kind' is null
           or case when placed.is_wrapper then 'span' else step.kind end = query ->> 'kind')
         and (query ->> 'status' is null or coalesce(step.status, 'not_told') = query ->> 'status')
         and (query ->> 'model' is null or coalesce(step.model = query ->> 'model', false))
         and (query ->> 'tool_name' is null or step.kind = 'tool' and coalesce(step.name = query ->> 'tool_name', false))
         and (query ->> 'min_duration_ms' is null
           or coalesce(step.latency_ms >= (query ->> 'min_duration_ms')::bigint, false))
         and (query ->> 'agent' is null or coalesce(coalesce(placed.agent, step.agent) = query ->> 'agent', false))
         and (query ->> 'session_id' is null
           or coalesce(coalesce(step.session_id, placed.session_id) = query ->> 'session_id', false))
         and (query ->> 'user_id' is null or coalesce(query ->> 'user_id' = coalesce(step.user_id, placed.user_id), false))
  from unnest(looked_at.ids) with ordinality as wanted (id, place)
  cross join lateral (
    select steps.id, steps.occurred_at, steps.bytes, steps.session_id, steps.namespace_id, steps.agent, steps.kind, steps.status,
           steps.model, steps.name, steps.latency_ms, steps.user_id
    from public.steps where steps.id = wanted.id offset 0
  ) as step
  left join lateral (
    select placements.session_id, placements.agent, placements.user_id, placements.is_wrapper
    from public.placements where placements.step_id = wanted.id offset 0
  ) as placed on true
  order by wanted.place;
end $$;

-- supabase/schemas/72_views/skeletons.sql
-- Steps as lists show them: skeletons, which hold nothing of what was said but a preview.

-- From after which fold until which one a page of steps is, and where it begins. The first page is until now; the others are
-- until the same fold, so that what is folded meanwhile is left to who asks for what came since.
create function internal.span_of_folds(
  owner_id uuid, query jsonb, out since bigint, out until bigint, out after_time timestamptz, out after_id uuid)
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  since := coalesce(query #>> '{after,since}', query ->> 'since', '0');
  until := coalesce(
    (query #>> '{after,until}')::bigint,
    (select folds.number from public.folds where folds.tenant_id = owner_id), 0);
  after_time := coalesce(query #>> '{after,occurred_at}', '-infinity');
  after_id := coalesce(query #>> '{after,id}', '00000000-0000-0000-0000-000000000000');
end $$;

-- A page of steps: {traces, steps, count, next, watermark}, of ids that are one more than the page where there is a next one.
create function internal.skeleton_page(
  owner_id uuid, usable text[], trace_ids text[], ids uuid[], total bigint, since bigint, until bigint, wanted integer)
returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  last_id uuid := case when cardinality(ids) = wanted then ids[wanted - 1] end;
begin
  return jsonb_build_object(
    'traces', internal.linked_traces(owner_id, usable, trace_ids),
    'steps', internal.skeletons(owner_id, usable, ids[1 : wanted - 1]),
    'count', total,
    'next', (
      select jsonb_build_object('occurred_at', placements.happened_at, 'id', last_id, 'since', skeleton_page.since,
        'until', skeleton_page.until, 'count', total)
      from public.placements where placements.step_id = last_id),
    'watermark', skeleton_page.until);
end $$;

-- Of each of these traces that the token may see, its id, its parent as the token sees it, and its agent.
create function internal.linked_traces(owner_id uuid, usable text[], trace_ids text[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return to_jsonb(array(
    select jsonb_build_object('id', trace.trace_id, 'agent', trace.agent, 'parent_trace_id', case
      when usable is null then trace.parent_trace_id
      else (select seen.trace_id from public.traces as seen
            where seen.tenant_id = owner_id and seen.trace_id = trace.parent_trace_id and (
              select namespaces.name from public.namespaces where namespaces.id = seen.namespace_id) = any (usable))
    end)
    from unnest(linked_traces.trace_ids) with ordinality as wanted (id, place)
    cross join lateral (
      select traces.trace_id, traces.agent, traces.parent_trace_id from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = wanted.id and (usable is null or (
        select namespaces.name from public.namespaces where namespaces.id = traces.namespace_id) = any (usable))
      offset 0
    ) as trace
    order by wanted.place));
end $$;

-- The skeletons of these steps, in their order. A step's number is its place in the order of arrival in its trace (of log entries
-- that belong to none both are null); and to a trace that the token may not see, no step leads. Tokens are told where they count:
-- what spans say of the calls below them is in the steps themselves. Column by column: a whole row would bring its content along.
create function internal.skeletons(owner_id uuid, usable text[], ids uuid[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_nestloop = off as $$
begin
  return to_jsonb(array(
    with placed as materialized (
      select given.place, given.id, found.*
      from unnest(skeletons.ids) with ordinality as given (id, place)
      left join lateral (select placements.* from public.placements where placements.step_id = given.id offset 0) as found on true
    ), numbered as materialized (
      select step.id, step.number
      from (select distinct placed.trace_id from placed) as trace
      cross join lateral (
        select placements.step_id as id, row_number() over (order by placements.step_id) as number from public.placements
        where placements.tenant_id = owner_id and placements.trace_id = trace.trace_id
        offset 0
      ) as step
    )
    select jsonb_build_object(
      'id', step.id,
      'trace_id', placed.trace_id,
      'step_number', numbered.number,
      'kind', case when placed.is_wrapper then 'span' else step.kind end,
      'agent', coalesce(placed.agent, step.agent),
      'name', case step.kind when 'llm' then coalesce(step.model, step.name) else step.name end,
      'started_at', internal.timestamp_text(internal.start_of(step.started_at, step.occurred_at, step.latency_ms)),
      'duration_ms', step.latency_ms,
      'time_told', step.started_at is not null,
      'status', step.status,
      'error', left(coalesce(step.error ->> 'message', step.error ->> 'type'), 120),
      'input_tokens', case when counts.here then coalesce(step.input_tokens, placed.input_tokens) end,
      'output_tokens', case when counts.here then coalesce(step.output_tokens, placed.output_tokens) end,
      'cost', cost.cost,
      'to_trace_id', case
        when usable is null or internal.is_seen_trace(owner_id, usable, placed.to_trace_id) then placed.to_trace_id end,
      'bytes', step.bytes,
      'preview', step.preview)
    from placed
    left join numbered on numbered.id = placed.id
    cross join lateral (
      select steps.id, steps.list, steps.kind, steps.agent, steps.model, steps.name, steps.started_at, steps.occurred_at, steps.latency_ms,
             steps.status, steps.error, steps.input_tokens, steps.output_tokens, steps.bytes, steps.preview
      from public.steps where steps.id = placed.id offset 0
    ) as step
    cross join lateral (select step.list = 'records' and not placed.is_wrapper as here) as counts
    left join internal.costs_of_steps(owner_id, skeletons.ids) as cost on cost.step_id = step.id
    order by placed.place));
end $$;

-- Whether the token may see the trace.
create function internal.is_seen_trace(owner_id uuid, usable text[], trace_id text) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return exists (select from internal.seen_trace(owner_id, usable, is_seen_trace.trace_id));
end $$;

-- supabase/schemas/72_views/texts.sql
-- Looking for a text in what steps say. Without case, as Unicode's simple lower case has it (the collation pg_c_utf8, whatever the
-- database's own): each character becomes one, so that a place in the lower case is a place in the text.

-- Where a step says a text: {field, before, found, after}, null: nowhere. `field`: the member of its content, or error, name, model
-- or agent; around what was found some characters, with ... where they are cut. `agent`: whose step it is. `needle`: the text in
-- lower case; `needle_in_json`: the same as JSON has it between its quotes. Called for each candidate of a search: first a cheap test
-- of the content's JSON, which may be of a member's name, then an exact look.
create function internal.match_in_step(step_id uuid, agent text, needle text, needle_in_json text) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  said record;
  match jsonb;
begin
  select steps.content, steps.error ->> 'message' as error, steps.error ->> 'type' as error_type, steps.name, steps.model
  into said
  from public.steps where steps.id = match_in_step.step_id;
  if position(needle_in_json in lower(said.content::text collate "pg_c_utf8")) > 0 then
    match := internal.match_within(said.content - 'messages_of_call', needle); -- which is read back as custom_object
  end if;
  if match is null
    and position(needle in lower(concat_ws(' ', said.error, said.error_type, said.name, said.model, match_in_step.agent)
      collate "pg_c_utf8")) > 0 then
    match := internal.match_within(jsonb_build_object(
      'error', array[said.error, said.error_type], 'name', said.name, 'model', said.model, 'agent', match_in_step.agent), needle);
  end if;
  return match;
end $$;

-- The first text value in an object that has the needle, as in match_in_step: 40 characters before it, and 60 after it. (The time that
-- jsonb_path_query takes for many values grows with the square of their number; that of jsonb_path_query_array does not.)
create function internal.match_within(said jsonb, needle text) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  field text;
  value text;
  place integer;
  ends integer;
begin
  select member.key, inside.value into field, value
  from jsonb_each(match_within.said) as member
  cross join lateral jsonb_array_elements_text(
    jsonb_path_query_array(member.value, 'strict $.** ? (@.type() == "string")')) as inside (value)
  where position(needle in lower(inside.value collate "pg_c_utf8")) > 0
  limit 1;
  if not found then return null; end if;
  place := position(needle in lower(value collate "pg_c_utf8"));
  ends := place + length(needle);
  return jsonb_build_object(
    'field', field,
    'before', case when place > 41 then '...' else '' end || substr(value, greatest(place - 40, 1), place - greatest(place - 40, 1)),
    'found', substr(value, place, length(needle)),
    'after', substr(value, ends, 60) || case when length(value) >= ends + 60 then '...' else '' end);
end $$;

-- supabase/schemas/80_counts/00_tables.sql
-- How many records, log entries, traces and sessions there are, by hour, so that a query can say how many match it without reading them
-- all. A projection: fold writes it.
create table public.counts (
  tenant_id uuid not null,
  list text not null,
  namespace_id bigint not null,
  label text,
  hour timestamptz,
  count bigint not null,
  constraint rows_of_a_list_label_and_hour_are_counted_once
    unique nulls not distinct (tenant_id, list, namespace_id, label, hour),
  constraint counted_list_is_known check (list in ('records', 'logs', 'root_traces', 'child_traces', 'sessions'))
);
comment on column public.counts.label is 'The agent of records and traces, the level of logs. Null: all of them, as always of sessions.';
comment on column public.counts.hour is 'When it begins. Null: all of them.';
alter table public.counts replica identity full; -- for replication: it has no primary key

-- supabase/schemas/80_counts/add_counts.sql
-- So many rows more, or less, of a list, with a label and in an hour.
create type internal.count_change as (
  tenant_id uuid, list text, namespace_id bigint, label text, hour timestamptz, change bigint);

-- Adds to the counts. Only under the fold lock of the tenants that they belong to.
create function internal.add_counts(changes internal.count_change[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  emptied tid[];
begin
  if changes = '{}' then return; end if;
  with written as (
    insert into public.counts as known (tenant_id, list, namespace_id, label, hour, count)
    select change.tenant_id, change.list, change.namespace_id, change.label, change.hour, sum(change.change)
    from unnest(add_counts.changes) as change
    group by grouping sets (
      (change.tenant_id, change.list, change.namespace_id),
      (change.tenant_id, change.list, change.namespace_id, change.label),
      (change.tenant_id, change.list, change.namespace_id, change.hour),
      (change.tenant_id, change.list, change.namespace_id, change.label, change.hour))
    having sum(change.change) <> 0
    on conflict on constraint rows_of_a_list_label_and_hour_are_counted_once
      do update set count = known.count + excluded.count
    returning known.ctid as place, known.count
  )
  select array_agg(written.place) into emptied from written where written.count = 0;
  if emptied is not null then delete from public.counts where counts.ctid = any (emptied); end if;
end $$;

-- Counts the steps that changes bring.
create function internal.count_changes(owner_id uuid, changes internal.change[]) returns void
language plpgsql set search_path = '' as $$
begin
  perform internal.add_counts(array(
    select (owner_id, change.list, change.namespace_id, case change.list when 'logs' then change.level else change.agent end,
            change.hour, change.steps)::internal.count_change
    from unnest(count_changes.changes) as change where change.list <> 'spans' and change.steps > 0));
end $$;

-- Counts the traces that a statement has inserted, changed or deleted.
-- No nested loop: of what a statement has written there are no statistics, and it may be much.
create function internal.count_traces_written() returns trigger
language plpgsql set search_path = '' set enable_nestloop = off as $$
begin
  if tg_op = 'INSERT' then
    perform internal.add_counts(array(select internal.count_of_trace(stored, 1) from stored));
  elsif tg_op = 'DELETE' then
    perform internal.add_counts(array(select internal.count_of_trace(gone, -1) from gone));
  else
    perform internal.add_counts(array(
      select internal.count_of_trace(trace.row, trace.change)
      from gone join stored on stored.tenant_id = gone.tenant_id and stored.trace_id = gone.trace_id
      cross join lateral (values (stored::public.traces, 1), (gone::public.traces, -1)) as trace (row, change)
      where (stored.parent_trace_id is null, stored.namespace_id, stored.agent, stored.created_at)
        is distinct from (gone.parent_trace_id is null, gone.namespace_id, gone.agent, gone.created_at)));
  end if;
  return null;
end $$;

-- What a trace is counted as: one more, or one less.
create function internal.count_of_trace(trace public.traces, change bigint) returns internal.count_change
language plpgsql immutable set search_path = '' as $$
begin
  return (
    trace.tenant_id, case when trace.parent_trace_id is null then 'root_traces' else 'child_traces' end, trace.namespace_id,
    trace.agent, date_trunc('hour', trace.created_at, 'UTC'), count_of_trace.change)::internal.count_change;
end $$;

create trigger inserted_traces_are_counted after insert on public.traces
  referencing new table as stored for each statement execute function internal.count_traces_written();
create trigger changed_traces_are_counted after update on public.traces
  referencing old table as gone new table as stored for each statement execute function internal.count_traces_written();
create trigger deleted_traces_are_counted after delete on public.traces
  referencing old table as gone for each statement execute function internal.count_traces_written();

-- supabase/schemas/80_counts/counted_rows.sql
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

-- supabase/schemas/81_usage/00_tables.sql
-- What a tenant's agents did, added up. A projection of the steps: only fold (60_traces/fold.sql) and what deletes steps write it,
-- under one lock of the tenant. Costs are not in here: they are made of tokens and prices when somebody reads.

-- What makes a row of public.usage the one that it is. Hashed, as an index can hold no more than 2,704 bytes of it: a session's id
-- may have 2,048 alone.
create function internal.usage_key(
  grain text, session_id text, namespace_id bigint, begins timestamptz, agent text, model text, tool text, user_id text) returns uuid
language plpgsql immutable set search_path = '' as $$
begin
  return md5(jsonb_build_array(grain, session_id, namespace_id, extract(epoch from begins), agent, model, tool, user_id)::text)::uuid;
end $$;

-- The name that a step is added up under: this one, or its beginning where it is more than a name. Clients may tell models, tools and
-- users of any length; with a session's id, 500 bytes of one still find room in an index.
create function internal.counted_name(name text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return case when octet_length(counted_name.name) > 500 then left(counted_name.name, 125) else counted_name.name end;
end $$;

-- What happened, in five grains, each step being in all of them: by model, of a day and of an hour (UTC); by agent, model and
-- tool, of a day and of an hour; and of an hour of one session, by user as well. What is asked is read from the coarsest that has it.
create table public.usage (
  tenant_id uuid not null,
  grain text not null,
  session_id text,
  namespace_id bigint not null,
  begins timestamptz not null,
  agent text,
  model text,
  tool text,
  user_id text,
  steps bigint not null,
  calls bigint not null,
  tool_calls bigint not null,
  errors bigint not null,
  input_tokens numeric not null,
  cached_input_tokens numeric not null,
  uncached_input_tokens numeric not null,
  output_tokens numeric not null,
  reasoning_tokens numeric not null,
  billed_steps bigint not null,
  untold_steps bigint not null,
  latencies jsonb not null,
  key uuid not null generated always as (
    internal.usage_key(grain, session_id, namespace_id, begins, agent, model, tool, user_id)) stored,
  constraint usage_is_added_up_once unique (tenant_id, key),
  constraint usage_grain_is_known check (grain in ('day', 'hour', 'day in detail', 'hour in detail', 'session'))
);
comment on column public.usage.session_id is 'Only in the grain `session`; null there: steps without one. Likewise user_id.';
comment on column public.usage.begins is 'The beginning of the day, or of the hour.';
comment on column public.usage.agent is 'As model, tool and user_id: see internal.counted_name.';
comment on column public.usage.model is 'Of model calls, and of records that have tokens. In the grains `day` and `hour`, agent and tool are null.';
comment on column public.usage.tool is 'Of tool calls.';
comment on column public.usage.input_tokens is 'Numeric, as all sums of what clients may tell: it has no end.';
comment on column public.usage.uncached_input_tokens is
  'What the whole price is paid for: the input without what came from a cache. See internal.figure_of.';
comment on column public.usage.steps is 'All that have a place in a trace: log entries and spans, too.';
comment on column public.usage.errors is 'Steps whose status is `error`, of whatever kind.';
comment on column public.usage.billed_steps is
  'Model calls, and other records with tokens: what costs something. Wrappers and spans do not: their tokens are those of calls.';
comment on column public.usage.untold_steps is 'Those of them whose tokens were not told: what they cost is not known.';
comment on column public.usage.latencies is
  'Of model calls, in a row of a tool of its calls: {bucket: how many}, see internal.latency_bucket.';
create index usage_by_time on public.usage (tenant_id, grain, namespace_id, begins);
create index usage_of_a_session on public.usage (tenant_id, session_id, namespace_id) where grain = 'session';
create index usage_of_an_agent on public.usage (tenant_id, agent, session_id, namespace_id) where grain = 'session';
create index usage_of_a_model on public.usage (tenant_id, model, session_id, namespace_id) where grain = 'session';
create index usage_of_a_user
  on public.usage (tenant_id, user_id, session_id, namespace_id) where grain = 'session' and user_id is not null;
alter table public.usage replica identity full; -- for replication: it has no primary key

-- supabase/schemas/81_usage/costs.sql
-- What tokens cost. Made of the prices when somebody reads, so that new prices reach old steps.

-- The tokens of a model on a day (UTC), and how many steps have them: see public.usage. `place` says whose they are.
create type internal.cost_line as (
  place bigint, model text, day date, uncached_input_tokens numeric, cached_input_tokens numeric, output_tokens numeric,
  billed_steps numeric, untold_steps numeric);

-- What the lines of each place cost: {amount: decimal text, currency, unpriced_steps}. The amount is null where none of its steps
-- has a price: not known is never 0.
create function internal.costs_of(owner_id uuid, lines internal.cost_line[]) returns table (place bigint, cost jsonb)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_nestloop = off as $$
declare
  currency text := internal.currency_of_prices(owner_id);
begin
  return query
  select line.place, jsonb_build_object(
    'amount', case when sum(line.billed_steps) = 0 or sum(priced.unpriced_steps) < sum(line.billed_steps)
      then internal.amount_text(coalesce(sum(priced.amount), 0)) end,
    'currency', currency,
    'unpriced_steps', sum(priced.unpriced_steps))
  from unnest(lines) as line
  left join internal.prices_of_models(owner_id, array(
    select distinct line.model from unnest(lines) as line where line.model is not null and line.billed_steps > 0)) as price
    on price.model = line.model and line.day >= price.valid_from and line.day < price.valid_until
  cross join lateral (
    select case when price.model is null then line.billed_steps else line.untold_steps end as unpriced_steps,
           case when price.model is not null then internal.cost_of_tokens(
             line.uncached_input_tokens + line.cached_input_tokens, line.cached_input_tokens, line.output_tokens, price.input, price.cached_input, price.output)
           end as amount
  ) as priced
  group by line.place;
end $$;

-- What each of these steps costs: {amount, currency}. There is no row for what costs nothing by itself, nor where no price is known or
-- no tokens are.
create function internal.costs_of_steps(owner_id uuid, ids uuid[]) returns table (step_id uuid, cost jsonb)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_nestloop = off as $$
declare
  currency text := internal.currency_of_prices(owner_id);
begin
  return query
  with billed as materialized (
    select wanted.id, counted.figure
    from unnest(costs_of_steps.ids) as wanted (id)
    cross join lateral (
      select internal.figure_of(internal.counted_step(wanted.id), placements, 1) as figure
      from public.placements where placements.step_id = wanted.id offset 0
    ) as counted
    where (counted.figure).billed_steps > (counted.figure).untold_steps
  )
  select billed.id, jsonb_build_object('currency', currency, 'amount', internal.amount_text(internal.cost_of_tokens(
    (billed.figure).uncached_input_tokens + (billed.figure).cached_input_tokens, (billed.figure).cached_input_tokens,
    (billed.figure).output_tokens, price.input, price.cached_input, price.output)))
  from billed
  join internal.prices_of_models(owner_id, array(
    select distinct (billed.figure).model from billed where (billed.figure).model is not null)) as price
    on price.model = (billed.figure).model and ((billed.figure).hour at time zone 'UTC')::date >= price.valid_from
      and ((billed.figure).hour at time zone 'UTC')::date < price.valid_until;
end $$;

-- supabase/schemas/81_usage/figures.sql
-- What each step adds to the figures.

-- What of a step is added up.
create type internal.counted_step as (
  id uuid, tenant_id uuid, namespace_id bigint, session_id text, list text, kind text, name text, agent text, status text,
  model text, started_at timestamptz, occurred_at timestamptz, latency_ms bigint, input_tokens bigint,
  cached_input_tokens bigint, output_tokens bigint, reasoning_tokens bigint, user_id text);

-- What a step adds, or takes away: see public.usage.
create type internal.figure as (
  tenant_id uuid, session_id text, namespace_id bigint, hour timestamptz, agent text, model text, tool text, user_id text,
  steps integer, calls integer, tool_calls integer, errors integer, input_tokens bigint, cached_input_tokens bigint,
  uncached_input_tokens bigint, output_tokens bigint, reasoning_tokens bigint, billed_steps integer, untold_steps integer, latency_bucket integer);

-- A step that gets a place, or another one. Before it has one, `before` is null.
create type internal.moved_step as (step internal.counted_step, before public.placements, after public.placements);

-- What a step adds where it stands; with `change` -1, what it takes away. Its placement tells what it does not say itself, and its user.
create function internal.figure_of(step internal.counted_step, placed public.placements, change integer) returns internal.figure
language plpgsql immutable set search_path = '' as $$
declare
  kind text := case when placed.is_wrapper then 'span' else step.kind end;
  is_record boolean := kind not in ('log', 'agent', 'span');
  input_tokens bigint := case when is_record then coalesce(step.input_tokens, placed.input_tokens, 0) else 0 end;
  output_tokens bigint := case when is_record then coalesce(step.output_tokens, placed.output_tokens, 0) else 0 end;
  cached_input_tokens bigint := case when is_record
    then coalesce(step.cached_input_tokens, placed.cached_input_tokens, 0) else 0 end;
  reasoning_tokens bigint := case when is_record then coalesce(step.reasoning_tokens, placed.reasoning_tokens, 0) else 0 end;
  -- More from a cache than there is: its sender tells them apart, as Anthropic does. Else they are a part of the input.
  uncached_input_tokens bigint := case when cached_input_tokens > input_tokens then input_tokens
    else input_tokens - cached_input_tokens end;
  has_tokens boolean := input_tokens + output_tokens + cached_input_tokens > 0;
  is_billed boolean := kind = 'llm' or has_tokens;
begin
  return (
    step.tenant_id, coalesce(step.session_id, placed.session_id), step.namespace_id, date_trunc('hour', step.occurred_at, 'UTC'),
    internal.counted_name(coalesce(placed.agent, step.agent)), case when is_billed then internal.counted_name(step.model) end,
    case when kind = 'tool' then internal.counted_name(step.name) end, internal.counted_name(placed.user_id),
    change, (kind = 'llm')::integer * change, (kind = 'tool')::integer * change,
    coalesce(step.status = 'error', false)::integer * change, input_tokens * change,
    cached_input_tokens * change, uncached_input_tokens * change, output_tokens * change, reasoning_tokens * change,
    is_billed::integer * change, (is_billed and not has_tokens)::integer * change,
    case when kind in ('llm', 'tool') then internal.latency_bucket(step.latency_ms) end)::internal.figure;
end $$;

-- A query, with the names that steps are added up under in the place of those that it filters by.
create function internal.with_counted_names(query jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return with_counted_names.query || coalesce((
    select jsonb_object_agg(filter.name, internal.counted_name(query ->> filter.name))
    from unnest('{agent, model, tool, user_id}'::text[]) as filter (name) where query ? filter.name), '{}');
end $$;

-- Adds figures to the usage, in each grain. Only under the fold lock of the tenants that they belong to.
create function internal.add_figures(figures internal.figure[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  emptied tid[];
begin
  if figures = '{}' then return; end if;
  with figure as (
    select figure.tenant_id, place.grain, place.session_id, figure.namespace_id, place.begins, place.agent, figure.model,
           place.tool, place.user_id,
           case when figure.tool is null or place.tool is not null then figure.latency_bucket end as latency_bucket, sum(figure.steps) as steps, sum(figure.calls) as calls,
           sum(figure.tool_calls) as tool_calls, sum(figure.errors) as errors, sum(figure.input_tokens) as input_tokens,
           sum(figure.cached_input_tokens) as cached_input_tokens,
           sum(figure.uncached_input_tokens) as uncached_input_tokens, sum(figure.output_tokens) as output_tokens,
           sum(figure.reasoning_tokens) as reasoning_tokens, sum(figure.billed_steps) as billed_steps,
           sum(figure.untold_steps) as untold_steps
    from unnest(add_figures.figures) as figure
    cross join lateral (
      values ('day', date_trunc('day', figure.hour, 'UTC'), null, null, null, null),
             ('hour', figure.hour, null, null, null, null),
             ('day in detail', date_trunc('day', figure.hour, 'UTC'), null, null, figure.agent, figure.tool),
             ('hour in detail', figure.hour, null, null, figure.agent, figure.tool),
             ('session', figure.hour, figure.session_id, figure.user_id, figure.agent, figure.tool)
    ) as place (grain, begins, session_id, user_id, agent, tool)
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 -- by the latency, too: then all latencies of a row are counted
  ), written as (
    insert into public.usage as known (
      tenant_id, grain, session_id, namespace_id, begins, agent, model, tool, user_id, steps, calls, tool_calls, errors,
      input_tokens, cached_input_tokens, uncached_input_tokens, output_tokens, reasoning_tokens, billed_steps, untold_steps,
      latencies)
    select figure.tenant_id, figure.grain, figure.session_id, figure.namespace_id, figure.begins, figure.agent, figure.model,
           figure.tool, figure.user_id, sum(figure.steps), sum(figure.calls), sum(figure.tool_calls), sum(figure.errors),
           sum(figure.input_tokens), sum(figure.cached_input_tokens), sum(figure.uncached_input_tokens), sum(figure.output_tokens),
           sum(figure.reasoning_tokens), sum(figure.billed_steps), sum(figure.untold_steps),
           coalesce(jsonb_object_agg(figure.latency_bucket, figure.steps)
             filter (where figure.latency_bucket is not null and figure.steps <> 0), '{}')
    from figure group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    on conflict on constraint usage_is_added_up_once do update set
      steps = known.steps + excluded.steps, calls = known.calls + excluded.calls,
      tool_calls = known.tool_calls + excluded.tool_calls, errors = known.errors + excluded.errors,
      input_tokens = known.input_tokens + excluded.input_tokens,
      cached_input_tokens = known.cached_input_tokens + excluded.cached_input_tokens,
      uncached_input_tokens = known.uncached_input_tokens + excluded.uncached_input_tokens,
      output_tokens = known.output_tokens + excluded.output_tokens,
      reasoning_tokens = known.reasoning_tokens + excluded.reasoning_tokens,
      billed_steps = known.billed_steps + excluded.billed_steps, untold_steps = known.untold_steps + excluded.untold_steps,
      latencies = internal.added_latencies(known.latencies, excluded.latencies)
    returning known.ctid as place, known.steps
  )
  select array_agg(written.place) into emptied from written where written.steps = 0;
  if emptied is not null then delete from public.usage where usage.ctid = any (emptied); end if;
end $$;

-- What is added up of a step that is stored. Column by column: a whole row would bring its content along.
create function internal.counted_step(step_id uuid) returns internal.counted_step
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  step internal.counted_step;
begin
  select steps.id, steps.tenant_id, steps.namespace_id, steps.session_id, steps.list, steps.kind, steps.name, steps.agent,
         steps.status, steps.model, steps.started_at, steps.occurred_at, steps.latency_ms, steps.input_tokens,
         steps.cached_input_tokens, steps.output_tokens, steps.reasoning_tokens, steps.user_id
  into step
  from public.steps where steps.id = counted_step.step_id;
  return step;
end $$;

-- supabase/schemas/81_usage/get_facets.sql
-- GET /facets. payload.query: {namespace?}. payload.known: see unless_known. data: {agents, models, tools, users}, each up to a hundred
-- {value, count}, the most frequent first: what lists can be filtered by. Of the last 30 days (UTC, today among them): agents by their
-- steps, models by their calls, tools by theirs; and the users of the 200 sessions that were active last, by these.
create function public.get_facets(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := get_facets.payload -> 'query';
  admission jsonb := public.admit(get_facets.payload);
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  return internal.unless_known(admission, internal.facets(
    (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace')), get_facets.payload);
end $$;

create function internal.facets(owner_id uuid, namespace_ids bigint[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    with value as (
      select case when grouping(usage.agent) = 0 then 'agents' when grouping(usage.model) = 0 then 'models' else 'tools' end as facet,
             coalesce(usage.agent, usage.model, usage.tool) as value,
             case when grouping(usage.agent) = 0 then sum(usage.steps) when grouping(usage.model) = 0 then sum(usage.calls)
               else sum(usage.tool_calls) end as count
      from unnest(facets.namespace_ids) as namespace (id)
      cross join lateral (
        select usage.agent, usage.model, usage.tool, usage.steps, usage.calls, usage.tool_calls from public.usage
        where usage.tenant_id = owner_id and usage.grain = 'day in detail' and usage.namespace_id = namespace.id
          and usage.begins > now() - interval '30 days'
        offset 0
      ) as usage
      group by grouping sets ((usage.agent), (usage.model), (usage.tool))
      union all
      select 'users', recent.user_id, count(distinct recent.session_id)
      from internal.recent_users(owner_id, facets.namespace_ids) as recent group by recent.user_id
    ), ranked as (
      select value.*, row_number() over (partition by value.facet order by value.count desc, value.value) as rank
      from value where value.value is not null and value.count > 0
    )
    select '{"agents": [], "models": [], "tools": [], "users": []}'::jsonb || coalesce(jsonb_object_agg(facet.name, facet.values), '{}')
    from (
      select ranked.facet as name,
             jsonb_agg(jsonb_build_object('value', ranked.value, 'count', ranked.count) order by ranked.rank) as values
      from ranked where ranked.rank <= 100 group by ranked.facet
    ) as facet);
end $$;

-- The users of the 200 sessions that were active last.
create function internal.recent_users(owner_id uuid, namespace_ids bigint[]) returns table (session_id text, user_id text)
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
begin
  return query
  select recent.session_id, used.user_id
  from (
    select summary.session_id, summary.namespace_id from public.session_summaries as summary
    where summary.tenant_id = owner_id and summary.namespace_id = any (recent_users.namespace_ids)
      and (cardinality(recent_users.namespace_ids) <> 1 or summary.namespace_id = recent_users.namespace_ids[1])
    order by summary.last_activity_at desc, summary.session_id desc, summary.namespace_id desc
    limit 200
  ) as recent
  cross join lateral (
    select usage.user_id from public.usage
    where usage.tenant_id = owner_id and usage.grain = 'session' and usage.session_id = recent.session_id
      and usage.namespace_id = recent.namespace_id and usage.user_id is not null
    offset 0
  ) as used;
end $$;

-- supabase/schemas/81_usage/get_usage.sql
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

-- supabase/schemas/81_usage/latencies.sql
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

-- supabase/schemas/82_sessions/00_tables.sql
-- Sessions as lists show them: a row for each namespace in which a session has steps. One without any stands in its own. A
-- projection, as public.usage is.
create table public.session_summaries (
  tenant_id uuid not null,
  session_id text not null,
  namespace_id bigint not null,
  step_count bigint not null,
  error_count bigint not null,
  last_activity_at timestamptz not null,
  began_at timestamptz,
  ended_at timestamptz,
  first_message_at timestamptz,
  first_message_id uuid,
  last_message_at timestamptz,
  last_message_id uuid,
  constraint session_has_one_summary_in_a_namespace primary key (tenant_id, session_id, namespace_id)
);
comment on column public.session_summaries.last_activity_at is 
  'When the last of its steps was over, or arrived, if its sender''s clock runs ahead; without steps, when it was created.';
comment on column public.session_summaries.began_at is 'When its first step began. ended_at: when its last one was over.';
comment on column public.session_summaries.first_message_id is 'The step that begins first of those that say something: model calls and records.';
create index session_summaries_by_activity
  on public.session_summaries (tenant_id, last_activity_at desc, session_id desc, namespace_id desc);
create index session_summaries_of_a_namespace_by_activity
  on public.session_summaries (tenant_id, namespace_id, last_activity_at desc, session_id desc);
create index session_summaries_with_errors_by_activity
  on public.session_summaries (tenant_id, namespace_id, last_activity_at desc, session_id desc) where error_count > 0;
create index session_summaries_without_steps on public.session_summaries (tenant_id, namespace_id) where step_count = 0;

-- supabase/schemas/82_sessions/get_session.sql
-- GET /sessions/{session_id}. payload.query: {session_id, namespace?}. payload.known: see unless_known. data: the session_view of
-- all that is in the namespaces that the token may use, or in the one that is named, and {namespaces, root_trace_ids, metadata}.
create function public.get_session(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := get_session.payload -> 'query';
  admission jsonb := public.admit(get_session.payload);
  session jsonb;
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  session := internal.whole_session(
    (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace'), query ->> 'session_id');
  if session is null then return admission || internal.refusal('not_found', 'There is no such session.'); end if;
  return internal.unless_known(admission, session, get_session.payload);
end $$;

-- A session in these namespaces; null where it is in none of them.
create function internal.whole_session(owner_id uuid, namespace_ids bigint[], session_id text) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  places bigint[] := array(
    select summary.namespace_id from public.session_summaries as summary
    where summary.tenant_id = owner_id and summary.session_id = whole_session.session_id
      and summary.namespace_id = any (whole_session.namespace_ids)
    order by summary.last_activity_at desc, summary.namespace_id);
begin
  if places = '{}' then return null; end if;
  return internal.session_views(owner_id, array[(whole_session.session_id, places)::internal.listed_session]) -> 0
    || jsonb_build_object(
      -- In all that are in sight: a score that came before its session may stand where that has no steps.
      'scores', internal.scores_of_session(owner_id, whole_session.namespace_ids, whole_session.session_id),
      'namespaces', to_jsonb(array(
        select namespaces.name from public.namespaces where namespaces.id = any (places) order by 1)),
      'root_trace_ids', to_jsonb(array(
        select traces.trace_id from public.traces
        where traces.tenant_id = owner_id and traces.session_id = whole_session.session_id
          and traces.namespace_id = any (places) and traces.parent_trace_id is null
        order by traces.created_at, traces.trace_id)),
      'metadata', coalesce((
        select sessions.metadata from public.sessions
        where sessions.tenant_id = owner_id and sessions.id = whole_session.session_id
          and sessions.namespace_id = any (places)), '{}'));
end $$;

-- supabase/schemas/82_sessions/list_sessions.sql
-- GET /sessions. payload.query: {namespace?, status?: ok | error, agent?, model?, user_id?, text?, start_date?, end_date?, limit,
-- after?}, the dates being those of the last activity. payload.known: see unless_known. data: {rows: [session_views], count,
-- count_is_at_least?, next}, the latest activity first.
create function public.list_sessions(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := internal.with_counted_names(list_sessions.payload -> 'query');
  admission jsonb := public.admit(list_sessions.payload);
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  admission := internal.folded(admission);
  if admission ? 'error' then return admission; end if;
  return internal.unless_known(
    admission,
    internal.page_of_sessions(
      (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace'), query),
    list_sessions.payload);
end $$;

-- A page of sessions. The first one says how many match in all: where there are filters, up to 500 are counted. The others
-- carry that on.
create function internal.page_of_sessions(owner_id uuid, namespace_ids bigint[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  counted constant integer := 500;
  wanted integer := (query ->> 'limit')::integer;
  is_filtered boolean := query ?| '{status, agent, model, user_id, text, start_date, end_date}';
  found_sessions internal.found_session[] := internal.find_sessions(
    owner_id, namespace_ids, query,
    case when is_filtered and not query ? 'after' then greatest(wanted, counted) else wanted end + 1);
  total bigint := coalesce((query #>> '{after,count}')::bigint, case
    when is_filtered then least(cardinality(found_sessions), counted)
    else internal.count_sessions(owner_id, namespace_ids) end);
  is_at_least boolean := coalesce(
    (query #>> '{after,is_at_least}')::boolean, is_filtered and cardinality(found_sessions) > counted);
  last internal.found_session := case when cardinality(found_sessions) > wanted then found_sessions[wanted] end;
begin
  return jsonb_build_object(
    'rows', internal.session_views(owner_id, array(
      select (session.session_id, array[session.namespace_id])::internal.listed_session
      from unnest(found_sessions[1 : wanted]) with ordinality as session (session_id, namespace_id, last_activity_at, place)
      order by session.place)),
    'count', total,
    'next', case when last.session_id is not null then jsonb_build_object(
      'occurred_at', internal.timestamp_text(last.last_activity_at), 'id', last.session_id, 'namespace_id', last.namespace_id,
      'count', total, 'is_at_least', is_at_least) end
    ) || case when is_at_least then '{"count_is_at_least": true}' else '{}'::jsonb end;
end $$;

create type internal.found_session as (session_id text, namespace_id bigint, last_activity_at timestamptz);

-- The sessions that match, so many at most. Where few have the agent, model or user, those are looked at and no others; where many
-- do, they are met soon. Planned anew for the filters that a call really has.
create function internal.find_sessions(owner_id uuid, namespace_ids bigint[], query jsonb, wanted integer)
returns internal.found_session[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
declare
  few text[] := internal.few_sessions(owner_id, namespace_ids, query); -- null: all may match
begin
  return array(
    select (summary.session_id, summary.namespace_id, summary.last_activity_at)::internal.found_session
    from public.session_summaries as summary
    where summary.tenant_id = owner_id and summary.namespace_id = any (namespace_ids)
      and (cardinality(namespace_ids) <> 1 or summary.namespace_id = namespace_ids[1])
      and (few is null or summary.session_id = any (few))
      and (query ->> 'status' is distinct from 'error' or summary.error_count > 0)
      and (query ->> 'status' is distinct from 'ok' or summary.error_count = 0)
      and (query ->> 'start_date' is null or summary.last_activity_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or summary.last_activity_at <= (query ->> 'end_date')::timestamptz)
      -- Each by an index for one session after the other: `exists` might read the usage of all of them.
      and (query ->> 'agent' is null or (
        select true from public.usage
        where usage.tenant_id = owner_id and usage.grain = 'session' and usage.agent = query ->> 'agent'
          and usage.session_id = summary.session_id and usage.namespace_id = summary.namespace_id limit 1))
      and (query ->> 'model' is null or (
        select true from public.usage
        where usage.tenant_id = owner_id and usage.grain = 'session' and usage.model = query ->> 'model'
          and usage.session_id = summary.session_id and usage.namespace_id = summary.namespace_id limit 1))
      and (query ->> 'user_id' is null or (
        select true from public.usage
        where usage.tenant_id = owner_id and usage.grain = 'session' and usage.user_id = query ->> 'user_id'
          and usage.session_id = summary.session_id and usage.namespace_id = summary.namespace_id limit 1) or (
        select sessions.user_id = query ->> 'user_id' from public.sessions
        where sessions.tenant_id = owner_id and sessions.id = summary.session_id
          and sessions.namespace_id = summary.namespace_id))
      and (query -> 'after' is null or (summary.last_activity_at, summary.session_id, summary.namespace_id) < (
        (query #>> '{after,occurred_at}')::timestamptz, query #>> '{after,id}', (query #>> '{after,namespace_id}')::bigint))
    order by summary.last_activity_at desc, summary.session_id desc, summary.namespace_id desc
    limit find_sessions.wanted);
end $$;

-- Sessions of which all must be that match: those that say the text, and where one of the other filters has 500 at most,
-- these. Null: not known to be few.
create function internal.few_sessions(owner_id uuid, namespace_ids bigint[], query jsonb) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashagg = off as $$
declare
  most constant integer := 500;
  few text[];
  found_ids text[];
begin
  if query ? 'text' then
    few := internal.sessions_that_say(owner_id, namespace_ids, query ->> 'text',
      (query ->> 'start_date')::timestamptz, (query ->> 'end_date')::timestamptz);
  end if;
  if query ? 'agent' then
    found_ids := array(
      select distinct usage.session_id from public.usage
      where usage.tenant_id = owner_id and usage.grain = 'session' and usage.agent = query ->> 'agent'
        and usage.session_id is not null and usage.namespace_id = any (namespace_ids)
      limit most + 1);
    if cardinality(found_ids) <= most then few := internal.in_both(few, found_ids); end if;
  end if;
  if query ? 'model' then
    found_ids := array(
      select distinct usage.session_id from public.usage
      where usage.tenant_id = owner_id and usage.grain = 'session' and usage.model = query ->> 'model'
        and usage.session_id is not null and usage.namespace_id = any (namespace_ids)
      limit most + 1);
    if cardinality(found_ids) <= most then few := internal.in_both(few, found_ids); end if;
  end if;
  if query ? 'user_id' then
    found_ids := array(
      (select distinct usage.session_id from public.usage
       where usage.tenant_id = owner_id and usage.grain = 'session' and usage.user_id = query ->> 'user_id'
         and usage.session_id is not null and usage.namespace_id = any (namespace_ids)
       limit most + 1)
      union
      (select sessions.id from public.sessions
       where sessions.tenant_id = owner_id and sessions.namespace_id = any (namespace_ids)
         and sessions.user_id = query ->> 'user_id'
       limit most + 1));
    if cardinality(found_ids) <= most then few := internal.in_both(few, found_ids); end if;
  end if;
  return few;
end $$;

-- What is in both lists; null stands for everything.
create function internal.in_both(one text[], other text[]) returns text[]
language plpgsql immutable set search_path = '' as $$
begin
  if one is null or other is null then return coalesce(one, other); end if;
  return array(select unnest(one) intersect select unnest(other));
end $$;

-- How many sessions there are in these namespaces.
create function internal.count_sessions(owner_id uuid, namespace_ids bigint[]) returns bigint
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select coalesce(sum(counts.count), 0) from public.counts
    where counts.tenant_id = owner_id and counts.list = 'sessions' and counts.namespace_id = any (namespace_ids)
  ) + (
    select count(*) from public.session_summaries as summary
    where summary.tenant_id = owner_id and summary.namespace_id = any (namespace_ids) and summary.step_count = 0);
end $$;

-- supabase/schemas/82_sessions/session_views.sql
-- Sessions as clients get them, each with the figures of what it has in some namespaces.

create type internal.listed_session as (session_id text, namespace_ids bigint[]);

-- The views of these sessions, as an array in their order. What a session is named for, its own namespace and user, is told only
-- to who sees that namespace.
create function internal.session_views(owner_id uuid, listed internal.listed_session[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  used internal.used_session[] := internal.used_sessions(owner_id, listed);
begin
  return to_jsonb(array(
    select jsonb_build_object(
      'session_id', wanted.session_id,
      'namespace', (
        select namespaces.name from public.namespaces where namespaces.id = coalesce(home.namespace_id, wanted.namespace_ids[1])),
      'user_id', coalesce(home.user_id, figures.user_id),
      'created_at', internal.timestamp_text(coalesce(home.created_at, summary.began_at)),
      'last_activity_at', internal.timestamp_text(summary.last_activity_at),
      'active', summary.last_activity_at >= now() - coalesce(home.inactivity_timeout, 120) * interval '1 second',
      'agents', to_jsonb(figures.agents),
      'models', to_jsonb(figures.models),
      'trace_count', (
        select count(*) from public.traces
        where traces.tenant_id = owner_id and traces.session_id = wanted.session_id
          and traces.namespace_id = any (wanted.namespace_ids)),
      'step_count', summary.step_count,
      'error_count', summary.error_count,
      'input_tokens', figures.input_tokens,
      'cached_input_tokens', figures.cached_input_tokens,
      'output_tokens', figures.output_tokens,
      'reasoning_tokens', figures.reasoning_tokens,
      'cost', cost.cost,
      'duration_ms', round(extract(epoch from summary.ended_at - summary.began_at) * 1000)::bigint,
      'first_message', internal.first_words(summary.first_message_id),
      'last_message', (select steps.preview from public.steps where steps.id = summary.last_message_id),
      'scores', internal.scores_of_session(owner_id, wanted.namespace_ids, wanted.session_id))
    from unnest(session_views.listed) with ordinality as wanted (session_id, namespace_ids, place)
    cross join lateral internal.summed_summary(owner_id, wanted.session_id, wanted.namespace_ids) as summary
    left join lateral (
      select sessions.* from public.sessions
      where sessions.tenant_id = owner_id and sessions.id = wanted.session_id
        and sessions.namespace_id = any (wanted.namespace_ids)
      offset 0
    ) as home on true
    join internal.costs_of(owner_id, array(
      select (line.place, line.model, line.day, line.uncached_input_tokens, line.cached_input_tokens, line.output_tokens,
              line.billed_steps, line.untold_steps)::internal.cost_line from unnest(used) as line)) as cost
      on cost.place = wanted.place
    join (
      select line.place, min(line.user_id) as user_id, sum(line.input_tokens) as input_tokens,
             sum(line.cached_input_tokens) as cached_input_tokens, sum(line.output_tokens) as output_tokens,
             sum(line.reasoning_tokens) as reasoning_tokens,
             coalesce(array_agg(distinct line.agent) filter (where line.agent is not null), '{}') as agents,
             coalesce(array_agg(distinct line.model) filter (where line.model is not null), '{}') as models
      from unnest(used) as line group by line.place
    ) as figures on figures.place = wanted.place
    order by wanted.place));
end $$;

-- What a session, by its place in a list, used of a model on a day, by agent and user.
create type internal.used_session as (
  place bigint, agent text, model text, user_id text, day date, input_tokens numeric, cached_input_tokens numeric,
  uncached_input_tokens numeric, output_tokens numeric, reasoning_tokens numeric, billed_steps numeric, untold_steps numeric);

-- Of each of these sessions what it used; of one that has used nothing a line of zeros.
create function internal.used_sessions(owner_id uuid, listed internal.listed_session[]) returns internal.used_session[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select (
      wanted.place, line.agent, line.model, line.user_id, (line.begins at time zone 'UTC')::date,
      coalesce(sum(line.input_tokens), 0), coalesce(sum(line.cached_input_tokens), 0),
      coalesce(sum(line.uncached_input_tokens), 0), coalesce(sum(line.output_tokens), 0),
      coalesce(sum(line.reasoning_tokens), 0), coalesce(sum(line.billed_steps), 0), coalesce(sum(line.untold_steps), 0)
      )::internal.used_session
    from unnest(used_sessions.listed) with ordinality as wanted (session_id, namespace_ids, place)
    left join lateral (
      select usage.* from public.usage
      where usage.tenant_id = owner_id and usage.grain = 'session' and usage.session_id = wanted.session_id
        and usage.namespace_id = any (wanted.namespace_ids)
      offset 0
    ) as line on true
    group by wanted.place, line.agent, line.model, line.user_id, (line.begins at time zone 'UTC')::date);
end $$;

-- The summaries of a session in these namespaces, as one.
create function internal.summed_summary(
  owner_id uuid, session_id text, namespace_ids bigint[], out step_count bigint, out error_count bigint,
  out last_activity_at timestamptz, out began_at timestamptz, out ended_at timestamptz, out first_message_id uuid,
  out last_message_id uuid)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  select sum(summary.step_count), sum(summary.error_count), max(summary.last_activity_at), min(summary.began_at),
         max(summary.ended_at),
         (array_agg(summary.first_message_id order by summary.first_message_at, summary.first_message_id))[1],
         (array_agg(summary.last_message_id
            order by summary.last_message_at desc nulls last, summary.last_message_id desc nulls last))[1]
  into step_count, error_count, last_activity_at, began_at, ended_at, first_message_id, last_message_id
  from public.session_summaries as summary
  where summary.tenant_id = owner_id and summary.session_id = summed_summary.session_id
    and summary.namespace_id = any (namespace_ids);
end $$;

-- How a conversation begins: of a model call what it was asked, of a record what it says.
create function internal.first_words(step_id uuid) returns text
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select case when steps.kind <> 'llm' then steps.preview else coalesce(
      internal.step_preview('llm', steps.name, jsonb_build_object('input', steps.content -> 'input')), steps.preview) end
    from public.steps where steps.id = first_words.step_id);
end $$;

-- supabase/schemas/82_sessions/summaries.sql
-- The summaries of sessions: steps join a session and a namespace, and leave it.

-- What a step tells of its session. `says`: whether it is one of those that hold a conversation.
create type internal.session_member as (
  tenant_id uuid, session_id text, namespace_id bigint, step_id uuid, is_error boolean, active_at timestamptz,
  began_at timestamptz, ended_at timestamptz, says boolean);

create function internal.member_of_session(step internal.counted_step, placed public.placements)
returns internal.session_member
language plpgsql stable set search_path = '' as $$
begin
  return (
    step.tenant_id, coalesce(step.session_id, placed.session_id), step.namespace_id, step.id,
    coalesce(step.status = 'error', false),
    least(internal.end_of(step.started_at, step.occurred_at, step.latency_ms), internal.arrival_of(step.id)),
    internal.start_of(step.started_at, step.occurred_at, step.latency_ms),
    internal.end_of(step.started_at, step.occurred_at, step.latency_ms), step.kind in ('llm', 'message')
    )::internal.session_member;
end $$;

-- When a step arrived: its id, a UUID of version 7, begins with that time.
create function internal.arrival_of(step_id uuid) returns timestamptz
language plpgsql immutable set search_path = '' as $$
declare
  hex text := replace(arrival_of.step_id::text, '-', '');
begin
  return to_timestamp(0) + ('x' || left(hex, 12))::bit(48)::bigint * interval '1 millisecond';
end $$;

-- When a step was over: where its sender tells when it began and how long it took, that is known better than by when it is
-- listed, which may be when it arrived, or (spans) when it began. Never before it began, whatever its sender's clock says.
create function internal.end_of(started_at timestamptz, occurred_at timestamptz, latency_ms bigint) returns timestamptz
language plpgsql immutable set search_path = '' as $$
begin
  if end_of.started_at is null or end_of.latency_ms is null then
    return greatest(end_of.occurred_at, end_of.started_at);
  end if;
  return end_of.started_at + least(end_of.latency_ms, 100000000000000) * interval '1 millisecond';
end $$;

-- The summaries of sessions to which these steps have come are raised by them. Only under the fold lock of their tenant.
create function internal.join_sessions(members internal.session_member[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  if not exists (select from unnest(members) as member where member.session_id is not null) then return; end if;
  insert into public.session_summaries as known
  select summary.* from internal.summaries_of(members) as summary
  order by summary.session_id, summary.namespace_id
  on conflict on constraint session_has_one_summary_in_a_namespace do update set
    step_count = known.step_count + excluded.step_count,
    error_count = known.error_count + excluded.error_count,
    last_activity_at = case when known.step_count = 0 then excluded.last_activity_at
      else greatest(known.last_activity_at, excluded.last_activity_at) end,
    began_at = least(known.began_at, excluded.began_at),
    ended_at = greatest(known.ended_at, excluded.ended_at),
    (first_message_at, first_message_id) = (
      select said.at, said.id from (
        values (known.first_message_at, known.first_message_id), (excluded.first_message_at, excluded.first_message_id)
      ) as said (at, id) order by said.at, said.id limit 1),
    (last_message_at, last_message_id) = (
      select said.at, said.id from (
        values (known.last_message_at, known.last_message_id), (excluded.last_message_at, excluded.last_message_id)
      ) as said (at, id) order by said.at desc nulls last, said.id desc limit 1);
end $$;

-- What these steps make of their sessions, each session and namespace by itself.
create function internal.summaries_of(members internal.session_member[]) returns setof public.session_summaries
language plpgsql stable set search_path = '' as $$
begin
  return query
  select member.tenant_id, member.session_id, member.namespace_id, count(*), count(*) filter (where member.is_error),
         max(member.active_at), min(member.began_at), max(member.ended_at),
         min(member.began_at) filter (where member.says),
         (array_agg(member.step_id order by member.began_at, member.step_id) filter (where member.says))[1],
         max(member.began_at) filter (where member.says),
         (array_agg(member.step_id order by member.began_at desc, member.step_id desc) filter (where member.says))[1]
  from unnest(summaries_of.members) as member
  where member.session_id is not null
  group by member.tenant_id, member.session_id, member.namespace_id;
end $$;

-- The summaries of sessions that these steps have left are made anew, of the steps that they have. Without any, a session that a
-- client has created is still listed.
create function internal.leave_sessions(members internal.session_member[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  place record;
begin
  for place in
    select distinct member.tenant_id, member.session_id, member.namespace_id from unnest(members) as member
    where member.session_id is not null
  loop
    delete from public.session_summaries
    where session_summaries.tenant_id = place.tenant_id and session_summaries.session_id = place.session_id
      and session_summaries.namespace_id = place.namespace_id;
    perform internal.list_session_without_steps(place.tenant_id, place.session_id, place.namespace_id);
    perform internal.join_sessions(array(
      select internal.member_of_session(internal.counted_step(own.id), known.placed)
      from internal.steps_of_session(place.tenant_id, place.session_id, array[place.namespace_id]) as own (id)
      cross join lateral (
        select placements as placed from public.placements where placements.step_id = own.id offset 0
      ) as known));
  end loop;
end $$;

-- Lists a session that a client has created, in its own namespace.
create function internal.list_session_without_steps(tenant_id uuid, session_id text, namespace_id bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  insert into public.session_summaries (tenant_id, session_id, namespace_id, step_count, error_count, last_activity_at)
  select sessions.tenant_id, sessions.id, sessions.namespace_id, 0, 0, sessions.created_at from public.sessions
  where sessions.tenant_id = list_session_without_steps.tenant_id and sessions.id = list_session_without_steps.session_id
    and sessions.namespace_id = list_session_without_steps.namespace_id and sessions.was_created
  on conflict on constraint session_has_one_summary_in_a_namespace do nothing;
end $$;

-- Counts the sessions that have steps, so that a list can say how many there are. Those without are few, and not counted ahead:
-- who creates one need not wait for a fold.
create function internal.count_sessions_written() returns trigger
language plpgsql set search_path = '' set enable_nestloop = off as $$
begin
  if tg_op = 'INSERT' then
    perform internal.add_sessions(array(select (stored, 1)::internal.session_change from stored where stored.step_count > 0));
  elsif tg_op = 'DELETE' then
    perform internal.add_sessions(array(select (gone, -1)::internal.session_change from gone where gone.step_count > 0));
  else
    perform internal.add_sessions(array(
      select (stored, case when stored.step_count > 0 then 1 else -1 end)::internal.session_change
      from gone join stored on stored.tenant_id = gone.tenant_id and stored.session_id = gone.session_id
        and stored.namespace_id = gone.namespace_id
      where (stored.step_count > 0) <> (gone.step_count > 0)));
  end if;
  return null;
end $$;

create type internal.session_change as (summary public.session_summaries, change bigint);

create function internal.add_sessions(changes internal.session_change[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  emptied tid[];
begin
  if changes = '{}' then return; end if;
  with written as (
    insert into public.counts as known (tenant_id, list, namespace_id, count)
    select (change.summary).tenant_id, 'sessions', (change.summary).namespace_id, sum(change.change)
    from unnest(changes) as change
    group by 1, 3 having sum(change.change) <> 0
    on conflict on constraint rows_of_a_list_label_and_hour_are_counted_once
      do update set count = known.count + excluded.count
    returning known.ctid as place, known.count
  )
  select array_agg(written.place) into emptied from written where written.count = 0;
  if emptied is not null then delete from public.counts where counts.ctid = any (emptied); end if;
end $$;

create trigger inserted_sessions_are_counted after insert on public.session_summaries
  referencing new table as stored for each statement execute function internal.count_sessions_written();
create trigger changed_sessions_are_counted after update on public.session_summaries
  referencing old table as gone new table as stored for each statement execute function internal.count_sessions_written();
create trigger deleted_sessions_are_counted after delete on public.session_summaries
  referencing old table as gone for each statement execute function internal.count_sessions_written();

-- supabase/schemas/85_scores/00_tables.sql
-- Feedback: how good a trace, a session or a step was, as people, models and programs say. As steps, scores have no foreign keys to
-- what they are about: it may come later, and a score that is kept until then is better than one that is lost.
create table public.scores (
  id uuid not null,
  tenant_id uuid not null,
  namespace_id bigint not null,
  trace_id text,
  session_id text,
  step_id uuid,
  name text not null,
  number_value double precision,
  boolean_value boolean,
  text_value text,
  comment text,
  source text,
  created_at timestamptz not null,
  constraint score_id_is_unique primary key (id),
  constraint score_namespace_belongs_to_its_tenant
    foreign key (tenant_id, namespace_id) references public.namespaces (tenant_id, id) on delete cascade,
  constraint score_is_about_one_thing check (num_nonnulls(trace_id, session_id, step_id) = 1),
  constraint score_has_at_most_one_value check (num_nonnulls(number_value, boolean_value, text_value) <= 1),
  constraint score_number_is_finite check (number_value between '-1.7976931348623157e308' and '1.7976931348623157e308'),
  constraint score_name_is_not_empty check (name <> ''),
  constraint score_source_is_known check (source in ('human', 'llm', 'code'))
);
comment on table public.scores is
  'Three columns and no jsonb for the value: numbers and yes or no are added up, texts are content and can be taken away.';
comment on column public.scores.id is 'A UUID of version 7, made as those of steps (internal.new_step_ids).';
comment on column public.scores.namespace_id is
  'The one that its sender gave, else that of what it is about as it was known then, else `default`.';
comment on column public.scores.text_value is 'Content, as the comment. Of a score without any value it was taken away.';
comment on column public.scores.created_at is 'As its sender told, else when it arrived.';

-- Each filter finds its rows in the order of the list. And a namespace that is deleted takes its scores along.
create index scores_by_time on public.scores (tenant_id, created_at desc, id desc);
create index scores_of_a_namespace_by_time on public.scores (tenant_id, namespace_id, created_at desc, id desc);
create index scores_of_a_name_by_time on public.scores (tenant_id, name, created_at desc, id desc);
create index scores_of_a_source_by_time on public.scores (tenant_id, source, created_at desc, id desc) where source is not null;
create index scores_of_a_trace_by_time on public.scores (tenant_id, trace_id, created_at desc, id desc) where trace_id is not null;
create index scores_of_a_session_by_time
  on public.scores (tenant_id, session_id, created_at desc, id desc) where session_id is not null;
create index scores_of_a_step_by_time on public.scores (tenant_id, step_id, created_at desc, id desc) where step_id is not null;

-- supabase/schemas/85_scores/delete_score.sql
-- DELETE /scores/{score_id}. payload.score_id: a UUID. data: the score that is gone. One of another tenant, or in a namespace that
-- the token may not use, looks like one that never was.
create function public.delete_score(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(delete_score.payload);
  usable text[] := internal.usable_namespaces(admission);
  gone public.scores;
begin
  if admission ? 'error' then return admission; end if;
  delete from public.scores
  where scores.id = (delete_score.payload ->> 'score_id')::uuid and scores.tenant_id = (admission ->> 'tenant_id')::uuid
    and (usable is null or (
      select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable))
  returning scores.* into gone;
  if not found then return admission || internal.refusal('not_found', 'There is no such score.'); end if;
  return admission || jsonb_build_object('data', internal.score_view(gone));
end $$;

-- supabase/schemas/85_scores/list_scores.sql
-- GET /scores. payload.query: {trace_id?, session_id?, step_id?, name?, source?, namespace?, start_date?, end_date?, limit,
-- after?}. payload.known: see unless_known. data: {rows: [score_view], next}, newest first, of the namespaces that the token may
-- use.
create function public.list_scores(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := list_scores.payload -> 'query';
  admission jsonb := public.admit(list_scores.payload);
  answer jsonb;
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  if admission ? 'error' then return admission; end if;
  answer := internal.page_answer(
    admission,
    internal.page_of_scores(
      (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace'), query),
    (query ->> 'limit')::integer);
  if answer ? 'error' then return answer; end if;
  return internal.unless_known(admission, answer -> 'data', list_scores.payload);
end $$;

-- A page of the scores that match: {rows, next}. Planned anew for the filters that a call really has. Where there is one namespace,
-- that is said by `=`: an index gives rows in order for one value, not for an array of them.
create function internal.page_of_scores(owner_id uuid, namespace_ids bigint[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  source refcursor;
begin
  open source for
    select internal.score_view(scores) as view, scores.created_at as moment, scores.id
    from public.scores
    where scores.tenant_id = owner_id
      and scores.namespace_id = any (namespace_ids)
      and (cardinality(namespace_ids) <> 1 or scores.namespace_id = namespace_ids[1])
      and (query ->> 'trace_id' is null or scores.trace_id = query ->> 'trace_id')
      and (query ->> 'session_id' is null or scores.session_id = query ->> 'session_id')
      and (query ->> 'step_id' is null or scores.step_id = (query ->> 'step_id')::uuid)
      and (query ->> 'name' is null or scores.name = query ->> 'name')
      and (query ->> 'source' is null or scores.source = query ->> 'source')
      and (query ->> 'start_date' is null or scores.created_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or scores.created_at <= (query ->> 'end_date')::timestamptz)
      and (query -> 'after' is null or (scores.created_at, scores.id)
        < ((query #>> '{after,occurred_at}')::timestamptz, (query #>> '{after,id}')::uuid))
    order by scores.created_at desc, scores.id desc
    limit (query ->> 'limit')::integer + 1;
  return internal.page_of(source, (query ->> 'limit')::integer, 16 * 1024 * 1024);
end $$;

-- A score as clients get it: `value` is null once it was taken away, and what was not told is not there.
create function internal.score_view(score public.scores) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_strip_nulls(jsonb_build_object(
    'id', score.id,
    'namespace', (select namespaces.name from public.namespaces where namespaces.id = score.namespace_id),
    'trace_id', score.trace_id,
    'session_id', score.session_id,
    'step_id', score.step_id,
    'name', score.name,
    'comment', score.comment,
    'source', score.source,
    'created_at', internal.timestamp_text(score.created_at)
  )) || jsonb_build_object('value', coalesce(
    to_jsonb(score.number_value), to_jsonb(score.boolean_value), to_jsonb(score.text_value)));
end $$;

-- supabase/schemas/85_scores/record_scores.sql
-- POST /scores (one item) and /scores/batch (1 to 100). payload.items: {index, trace_id | session_id | step_id, namespace?, name,
-- value? (number or boolean), source?, created_at?, content: {text_value?, comment?}}, numbered by their `index` in the request.
-- All that the token may store are stored, or none is. data: see store_scores; it is remembered, so nothing in it is content.
-- payload.single: the one item's refusal is the request's. payload.anonymization_version: see identify_sender.
create function public.record_scores(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.identify_sender(record_scores.payload);
  stored jsonb;
begin
  if admission ?| array['error', 'anonymization'] then return admission; end if;
  -- In the order of record_steps: the key, the work, the count.
  if record_scores.payload ? 'idempotency' then
    admission := internal.replay_or_claim(admission, record_scores.payload);
    if admission ?| array['error', 'replay'] then return internal.count_request(admission, record_scores.payload); end if;
  end if;
  perform internal.refuse_beyond_limit(admission, record_scores.payload);

  stored := internal.store_scores(admission, record_scores.payload -> 'items');
  if record_scores.payload ? 'single' and stored -> 'refused' <> '[]' then
    admission := admission || jsonb_build_object('error', (stored #> '{refused,0}') - 'index');
  else
    admission := admission || jsonb_build_object('data', stored);
  end if;
  if record_scores.payload ? 'idempotency' then
    admission := internal.settle_idempotency_key(admission, record_scores.payload);
  end if;
  return internal.count_or_undo(admission, record_scores.payload);
exception when sqlstate 'TR429' then -- nothing of the above has happened
  return internal.count_request(
    admission || internal.limit_refusal(admission, record_scores.payload), record_scores.payload);
end $$;

-- Stores the items that the token may store: {scores: [{index, id, namespace, created_at}], refused: [{index, code, message}]}.
create function internal.store_scores(admission jsonb, items jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := store_scores.admission ->> 'tenant_id';
  whole jsonb := internal.whole_scores(owner_id, store_scores.items);
  refused jsonb := internal.refused_scores(store_scores.admission, whole);
begin
  whole := internal.not_refused(whole, refused);
  perform internal.register_namespaces(owner_id, array(
    select item.value ->> 'namespace' from jsonb_array_elements(whole) as item));
  insert into public.scores (
    id, tenant_id, namespace_id, trace_id, session_id, step_id, name, number_value, boolean_value, text_value, comment, source,
    created_at)
  select
    item.id, owner_id, internal.namespace_id(owner_id, item.namespace), item.trace_id, item.session_id, item.step_id, item.name,
    case jsonb_typeof(item.value) when 'number' then item.value::double precision end,
    case jsonb_typeof(item.value) when 'boolean' then item.value::boolean end,
    item.content ->> 'text_value', item.content ->> 'comment', item.source, item.created_at
  from jsonb_to_recordset(whole) as item (
    id uuid, namespace text, trace_id text, session_id text, step_id uuid, name text, value jsonb, content jsonb, source text,
    created_at timestamptz);
  return jsonb_build_object('refused', refused, 'scores', to_jsonb(array(
    select jsonb_build_object('index', item.value -> 'index', 'id', item.value -> 'id', 'namespace', item.value -> 'namespace',
                              'created_at', item.value -> 'created_at')
    from jsonb_array_elements(whole) with ordinality as item (value, number) order by item.number)));
end $$;

-- The items with their ids and all that their senders may leave open; `home` is the namespace of what they are about.
create function internal.whole_scores(owner_id uuid, items jsonb) returns jsonb
language plpgsql volatile set search_path = '' as $$
declare
  ids text := internal.new_step_ids();
begin
  return to_jsonb(array(
    select item.value || jsonb_build_object(
      'id', ids || lpad(to_hex((item.value ->> 'index')::integer), 5, '0'),
      'home', home.namespace,
      'namespace', coalesce(item.value ->> 'namespace', home.namespace, 'default'),
      'created_at', internal.timestamp_text(coalesce(
        (item.value ->> 'created_at')::timestamptz,
        now() + (item.value ->> 'index')::integer * interval '1 microsecond'))) -- in the order of the request
    from jsonb_array_elements(whole_scores.items) with ordinality as item (value, number)
    cross join lateral (
      select internal.home_of_score(
        owner_id, item.value ->> 'trace_id', item.value ->> 'session_id', (item.value ->> 'step_id')::uuid) as namespace
      offset 0 -- once for each
    ) as home
    order by item.number));
end $$;

-- The namespace of a trace, session or step as it is known at this moment; null: it is not there yet. Nothing is folded for it: of
-- the traces that were not, clients know those that they have named themselves and those of OpenTelemetry.
create function internal.home_of_score(owner_id uuid, trace_id text, session_id text, step_id uuid) returns text
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
declare
  home bigint := case
    when step_id is not null then (
      select steps.namespace_id from public.steps
      where steps.id = home_of_score.step_id and steps.tenant_id = owner_id)
    when session_id is not null then coalesce(
      (select sessions.namespace_id from public.sessions
       where sessions.tenant_id = owner_id and sessions.id = home_of_score.session_id),
      (select (select steps.namespace_id from public.steps where steps.id = placements.step_id)
       from public.placements -- a session that only spans tell of
       where placements.tenant_id = owner_id and placements.session_id = home_of_score.session_id
       limit 1))
    else coalesce(
      (select traces.namespace_id from public.traces
       where traces.tenant_id = owner_id and traces.trace_id = home_of_score.trace_id),
      (select steps.namespace_id from public.steps
       where steps.tree_key = internal.tree_key(owner_id, 'claimed', home_of_score.trace_id)
       order by steps.id limit 1),
      (select steps.namespace_id from public.steps
       where steps.tree_key = internal.tree_key(owner_id, 'otel', home_of_score.trace_id)
       order by steps.id limit 1))
  end;
begin
  return (select namespaces.name from public.namespaces where namespaces.id = home);
end $$;

-- The refusals of whole_scores: [{index, code, message}]. A bound token must be allowed to use two namespaces: the one that the
-- score gets, and the one of what the score is about. The refusal does not name the second.
create function internal.refused_scores(admission jsonb, items jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(
      jsonb_build_object('index', item.value -> 'index') || (refused.refusal -> 'error') order by item.number), '[]')
    from jsonb_array_elements(refused_scores.items) with ordinality as item (value, number)
    cross join lateral (
      select case
        when not internal.may_use_namespace(admission, item.value ->> 'home') then
          internal.refusal('forbidden', 'This tracer token may not use the namespace of what this score is about.')
        when not internal.may_use_namespace(admission, item.value ->> 'namespace') then
          internal.namespace_refusal(item.value ->> 'namespace')
      end as refusal
    ) as refused
    where refused.refusal is not null);
end $$;

-- supabase/schemas/85_scores/score_figures.sql
-- What the scores of something say together: {name: {count, average}}. The average is that of the numbers, yes being 1 and no 0;
-- null where there are only texts.

-- Scores of one name, as they are added up: how many, and the sum and the number of those that have a value.
create type internal.counted_score as (name text, count bigint, sum numeric, valued bigint);

-- One score.
create function internal.counted_score(score public.scores) returns internal.counted_score
language plpgsql immutable set search_path = '' as $$
declare
  -- By its text: a cast from double precision to numeric keeps 15 digits, and not all.
  value numeric := coalesce(score.number_value::text::numeric, score.boolean_value::integer);
begin
  return (score.name, 1, value, num_nonnulls(value))::internal.counted_score;
end $$;

create function internal.score_figures(scores internal.counted_score[]) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce((
    select jsonb_object_agg(named.name, jsonb_build_object('count', named.count, 'average', named.average))
    from (
      select score.name, sum(score.count) as count, (sum(score.sum) / nullif(sum(score.valued), 0))::double precision as average
      from unnest(score_figures.scores) as score group by score.name
    ) as named), '{}');
end $$;

-- Of a session, its traces and its steps, as far as they are in these namespaces.
create function internal.scores_of_session(owner_id uuid, namespace_ids bigint[], session_id text) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  found_scores internal.counted_score[];
begin
  if not internal.has_scores(owner_id) then return '{}'; end if;
  found_scores := array(
    select internal.counted_score(scores) from public.scores
    where scores.tenant_id = owner_id and scores.session_id = scores_of_session.session_id
      and scores.namespace_id = any (scores_of_session.namespace_ids)
    union all
    select score.counted
    from public.traces
    cross join lateral (
      select internal.counted_score(scores) as counted from public.scores
      where scores.tenant_id = owner_id and scores.trace_id = traces.trace_id
        and scores.namespace_id = any (scores_of_session.namespace_ids)
      offset 0
    ) as score
    where traces.tenant_id = owner_id and traces.session_id = scores_of_session.session_id);
  if internal.has_scores_of_steps(owner_id) then
    found_scores := found_scores || array(
      select score.counted
      from internal.steps_of_session(owner_id, scores_of_session.session_id, null) as own (id)
      cross join lateral (
        select internal.counted_score(scores) as counted from public.scores
        where scores.tenant_id = owner_id and scores.step_id = own.id
          and scores.namespace_id = any (scores_of_session.namespace_ids)
        offset 0
      ) as score);
  end if;
  return internal.score_figures(found_scores);
end $$;

-- Of a trace and its steps, as far as the token may use their namespaces.
create function internal.scores_of_trace(owner_id uuid, usable text[], trace_id text) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  found_scores internal.counted_score[];
begin
  if not internal.has_scores(owner_id) then return '{}'; end if;
  found_scores := array(
    select internal.counted_score(scores) from public.scores
    where scores.tenant_id = owner_id and scores.trace_id = scores_of_trace.trace_id
      and (usable is null or (
        select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable)));
  if internal.has_scores_of_steps(owner_id) then
    found_scores := found_scores || array(
      select score.counted
      from public.placements
      cross join lateral (
        select internal.counted_score(scores) as counted from public.scores
        where scores.tenant_id = owner_id and scores.step_id = placements.step_id
          and (usable is null or (
            select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable))
        offset 0
      ) as score
      where placements.tenant_id = owner_id and placements.trace_id = scores_of_trace.trace_id);
  end if;
  return internal.score_figures(found_scores);
end $$;

-- Most tenants have no scores, or none of steps: then nothing is looked for step by step.
create function internal.has_scores(owner_id uuid) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return exists (select from public.scores where scores.tenant_id = owner_id);
end $$;

create function internal.has_scores_of_steps(owner_id uuid) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return exists (select from public.scores where scores.tenant_id = owner_id and scores.step_id is not null);
end $$;

-- supabase/schemas/85_scores/taken_away.sql
-- What becomes of scores when what they are about is emptied or deleted.

-- Takes away what was said in the scores of these traces and of their steps, as far as the token may use their namespaces.
-- Numbers, and yes or no, stay: they are figures.
create function internal.purge_scores(owner_id uuid, usable text[], trace_ids text[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  scored uuid[] := array(
    select about.id
    from unnest(purge_scores.trace_ids) as wanted (trace_id)
    cross join lateral (
      select scores.id from public.scores where scores.tenant_id = owner_id and scores.trace_id = wanted.trace_id
      union all
      select of_step.id
      from public.placements
      cross join lateral (
        select scores.id from public.scores where scores.tenant_id = owner_id and scores.step_id = placements.step_id
        offset 0
      ) as of_step
      where placements.tenant_id = owner_id and placements.trace_id = wanted.trace_id
      offset 0 -- one by one: the planner does not know how few they are
    ) as about);
begin
  update public.scores set text_value = null, comment = null
  where scores.id = any (scored) and num_nonnulls(scores.text_value, scores.comment) > 0
    and (usable is null or (
      select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable));
end $$;

-- Deletes the scores of a session, and of the steps and traces in it. Before its steps go, by which they are known.
create function internal.delete_scores_of_session(owner_id uuid, session_id text) returns void
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  step_ids uuid[] := array(
    select steps.id from public.steps
    where steps.tenant_id = owner_id and steps.session_id = delete_scores_of_session.session_id);
  trace_ids text[] := array(
    select steps.trace_id from public.steps where steps.id = any (step_ids) and steps.trace_id is not null
    union
    select placements.trace_id from public.placements where placements.step_id = any (step_ids));
begin
  delete from public.scores where scores.tenant_id = owner_id and scores.session_id = delete_scores_of_session.session_id;
  delete from public.scores where scores.tenant_id = owner_id and scores.step_id = any (step_ids);
  delete from public.scores where scores.tenant_id = owner_id and scores.trace_id = any (trace_ids);
end $$;

-- supabase/schemas/90_upkeep/begin_migration.sql
-- The first statement of each migration but the first. Returns when no request and no fold is running, and holds new ones until
-- the migration commits: they wait before they have touched anything, so neither side can be the other's deadlock.
create function internal.begin_migration() returns void
language plpgsql set search_path = '' as $$
begin
  -- Every request reads its token first.
  lock table public.tracer_tokens in access exclusive mode;
  -- Every fold that no request makes reads the changes first.
  lock table public.changes in access exclusive mode;
end $$;

-- supabase/schemas/90_upkeep/delete_expired.sql
-- Deletes what has expired: idempotency keys, counts of requests, fingerprints of records. Returns how many of each. A part that
-- fails is a warning, and the others are done.
create function public.delete_expired(payload jsonb default '{}') returns jsonb
language plpgsql set search_path = '' as $$
declare
  deleted jsonb := '{}';
  counted integer;
begin
  begin
    delete from public.monkai_idempotency_keys known
    where known.ctid in (
      select expired.ctid from public.monkai_idempotency_keys expired
      where expired.expires_at <= now() for update skip locked);
    get diagnostics counted = row_count;
    deleted := deleted || jsonb_build_object('idempotency_keys', counted);
  exception when others then raise warning 'Expired idempotency keys were not deleted: %', sqlerrm;
  end;

  begin
    -- Not the last minutes: a request that began in one may still hold its row.
    delete from public.monkai_rate_limits where monkai_rate_limits.minute < now() - interval '5 minutes';
    get diagnostics counted = row_count;
    deleted := deleted || jsonb_build_object('rate_limits', counted);
  exception when others then raise warning 'Old rate limit counts were not deleted: %', sqlerrm;
  end;

  delete from public.record_fingerprints known
  where known.ctid in (
    select old.ctid from public.record_fingerprints old
    where old.stored_at <= now() - interval '5 minutes' for update skip locked);
  get diagnostics counted = row_count;
  return deleted || jsonb_build_object('record_fingerprints', counted);
end $$;

-- supabase/schemas/90_upkeep/deletion.sql
-- Deleting, as who runs this may: a tenant, a namespace, a session or some steps, by plain `delete`. What follows from the steps
-- that are gone goes too, at the next fold.

-- With a namespace or a session its steps and scores are deleted. Alone with the tenant's content, so that none comes to it
-- meanwhile. Before the namespace goes, whose name is still needed to fold (its scores have a foreign key); after the session is
-- gone, whose activity folding would note.
create function internal.delete_steps_with_owner() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(internal.content_lock(old.tenant_id));
  perform pg_advisory_xact_lock(internal.fold_lock(old.tenant_id));
  if tg_table_name = 'sessions' then
    perform internal.delete_scores_of_session(old.tenant_id, old.id);
    delete from public.steps where steps.tenant_id = old.tenant_id and steps.session_id = old.id;
    delete from public.session_summaries
    where session_summaries.tenant_id = old.tenant_id and session_summaries.session_id = old.id
      and session_summaries.step_count = 0;
  else
    delete from public.steps where steps.tenant_id = old.tenant_id and steps.namespace_id = old.id;
  end if;
  return old;
end $$;
create trigger steps_go_with_their_session after delete on public.sessions
  for each row execute function internal.delete_steps_with_owner();
create trigger steps_go_with_their_namespace before delete on public.namespaces
  for each row execute function internal.delete_steps_with_owner();

-- Before a tenant is deleted: everything that it has and that no foreign key takes along.
create function internal.delete_all_of_tenant() returns trigger
language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(internal.content_lock(old.id));
  perform pg_advisory_xact_lock(internal.fold_lock(old.id));
  delete from public.steps where steps.tenant_id = old.id;
  perform internal.forget_projections(old.id);
  delete from public.folds where folds.tenant_id = old.id;
  return old;
end $$;
create trigger everything_goes_with_its_tenant before delete on public.tenants
  for each row execute function internal.delete_all_of_tenant();

-- After steps were deleted: they are not counted any more, and their trees are to be derived from the steps that are left. What
-- is not folded yet was not counted either. The lock first, in a statement of its own, so that this is known for sure.
create function internal.take_back_steps() returns trigger
language plpgsql set search_path = '' as $$
declare
  owner_id uuid;
  moved internal.moved_step[]; -- those that had a place
begin
  for owner_id in select distinct gone.tenant_id from gone order by 1 loop
    perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  end loop;
  perform internal.add_counts(array(
    select (gone.tenant_id, gone.list, gone.namespace_id, counted.label, date_trunc('hour', gone.occurred_at, 'UTC'),
            sum(counted.change))::internal.count_change
    from gone
    cross join lateral (
      select case gone.list when 'logs' then gone.level else gone.agent end as label, -1 as change
      where coalesce(gone.id > (
        select changes.last_step_id from public.changes
        where changes.tenant_id = gone.tenant_id and changes.first_step_id <= gone.id
        order by changes.first_step_id desc limit 1), true)
      union all -- the correction of what is counted otherwise than it says (internal.correct_counts)
      select correction.label, correction.change
      from public.placements
      cross join lateral (
        values (gone.agent, 1), (case when not placements.is_wrapper then placements.agent end, -1)
      ) as correction (label, change)
      where placements.step_id = gone.id and placements.agent is not null and gone.list = 'records'
        and correction.label is not null
    ) as counted
    where gone.list <> 'spans'
    group by gone.tenant_id, gone.list, gone.namespace_id, counted.label, date_trunc('hour', gone.occurred_at, 'UTC')));

  moved := array(
    select (
      (gone.id, gone.tenant_id, gone.namespace_id, gone.session_id, gone.list, gone.kind, gone.name, gone.agent, gone.status,
       gone.model, gone.started_at, gone.occurred_at, gone.latency_ms, gone.input_tokens, gone.cached_input_tokens,
       gone.output_tokens, gone.reasoning_tokens, gone.user_id)::internal.counted_step, placements, null)::internal.moved_step
    from gone join public.placements on placements.step_id = gone.id);
  delete from public.placements where placements.step_id in (select (move.before).step_id from unnest(moved) as move);
  perform internal.add_figures(array(
    select internal.figure_of(move.step, move.before, -1) from unnest(moved) as move));
  perform internal.leave_sessions(array(
    select internal.member_of_session(move.step, move.before) from unnest(moved) as move));
  update public.traces set step_count = traces.step_count - emptied.steps
  from (
    select (move.before).tenant_id, (move.before).trace_id, count(*) as steps from unnest(moved) as move group by 1, 2
  ) as emptied
  where traces.tenant_id = emptied.tenant_id and traces.trace_id = emptied.trace_id;

  perform internal.note_rebuilds(array(
    select distinct tree from gone cross join lateral internal.trees_of_step(gone::public.steps) as tree));
  return null;
end $$;
create trigger deleted_steps_are_taken_back after delete on public.steps
  referencing old table as gone for each statement execute function internal.take_back_steps();

-- Steps are never changed, but for taking away what was said.
create function internal.refuse_change_of_step() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'A step is never changed: what follows from it was derived already. Only what was said may be taken away.';
end $$;
create trigger steps_are_never_changed after update on public.steps for each row
  when ((to_jsonb(old) - array['content', 'error', 'name', 'bytes', 'preview'])
      is distinct from (to_jsonb(new) - array['content', 'error', 'name', 'bytes', 'preview'])
    or (old.name is distinct from new.name and new.name is not null))
  execute function internal.refuse_change_of_step();

-- supabase/schemas/90_upkeep/fold_all.sql
-- Folds what nobody has read yet, of all tenants, for about half a second: a tenant's readers wait for the transaction in which
-- its changes are folded. The schedule comes back for the rest. Returns {folded: how many tenants have nothing left}.
create function public.fold_all(payload jsonb default '{}') returns jsonb
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  owner_id uuid := '00000000-0000-0000-0000-000000000000';
  folded integer := 0;
  ends timestamptz := clock_timestamp() + interval '0.5 seconds';
begin
  -- One schedule at a time: two of them could wait for each other's tenants in a circle.
  if not pg_try_advisory_xact_lock(hashtextextended('fold_all', 0)) then return '{"folded": 0}'; end if;
  loop
    owner_id := least(
      (select changes.tenant_id from public.changes where changes.tenant_id > owner_id order by 1 limit 1),
      (select rebuilds.tenant_id from public.rebuilds where rebuilds.tenant_id > owner_id order by 1 limit 1));
    exit when owner_id is null;
    loop
      if internal.fold(owner_id, 2000) then
        folded := folded + 1;
        exit;
      end if;
      exit when clock_timestamp() > ends;
    end loop;
    exit when clock_timestamp() > ends;
  end loop;
  return jsonb_build_object('folded', folded);
end $$;

-- supabase/schemas/90_upkeep/rebuild.sql
-- Throws a tenant's projections away and derives them anew from its steps. For steps that came or went behind the API's back, as
-- by a restore without triggers: `select public.rebuild('{"tenant": "acme"}')`. Its writers and readers wait meanwhile.
create function public.rebuild(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner_id uuid := (select tenants.id from public.tenants where tenants.name = rebuild.payload ->> 'tenant');
begin
  if owner_id is null then raise exception 'There is no tenant "%".', rebuild.payload ->> 'tenant'; end if;
  perform pg_advisory_xact_lock(internal.content_lock(owner_id));
  perform pg_advisory_xact_lock(internal.fold_lock(owner_id));
  perform internal.forget_projections(owner_id);
  perform internal.note_rebuilds(array(
    select distinct tree from public.steps cross join lateral internal.trees_of_step(steps) as tree
    where steps.tenant_id = owner_id));
  perform internal.add_counts(array(
    select (owner_id, steps.list, steps.namespace_id, case steps.list when 'logs' then steps.level else steps.agent end,
            date_trunc('hour', steps.occurred_at, 'UTC'), count(*))::internal.count_change
    from public.steps where steps.tenant_id = owner_id and steps.list <> 'spans'
    group by steps.list, steps.namespace_id, case steps.list when 'logs' then steps.level else steps.agent end,
             date_trunc('hour', steps.occurred_at, 'UTC')));
  perform internal.list_session_without_steps(sessions.tenant_id, sessions.id, sessions.namespace_id)
  from public.sessions where sessions.tenant_id = owner_id and sessions.was_created;
  while not internal.fold(owner_id, 10000) loop null; end loop;
  return jsonb_build_object(
    'steps', (select count(*) from public.steps where steps.tenant_id = owner_id),
    'traces', (select count(*) from public.traces where traces.tenant_id = owner_id));
end $$;

create function internal.forget_projections(owner_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  delete from public.changes where changes.tenant_id = owner_id;
  delete from public.rebuilds where rebuilds.tenant_id = owner_id;
  delete from public.placements where placements.tenant_id = owner_id;
  delete from public.traces where traces.tenant_id = owner_id;
  delete from public.trees where trees.tenant_id = owner_id;
  delete from public.usage where usage.tenant_id = owner_id;
  delete from public.session_summaries where session_summaries.tenant_id = owner_id;
  delete from public.counts where counts.tenant_id = owner_id;
end $$;

-- supabase/schemas/90_upkeep/schedule.sql
-- Where the database has pg_cron, as hosted Supabase does: changes are folded every ten seconds, and what has expired is deleted
-- every five minutes. Elsewhere, call fold_all() and delete_expired() from a scheduler of your own.
do $$
begin
  if exists (select from pg_available_extensions where name = 'pg_cron') then
    create extension if not exists pg_cron with schema pg_catalog;
    perform cron.schedule('agent-trace-delete-expired', '*/5 * * * *', 'select public.delete_expired()');
    perform cron.schedule('agent-trace-fold', '10 seconds', 'select public.fold_all()');
  end if;
exception when others then
  raise warning 'fold_all() and delete_expired() are not scheduled (%). Call them every minute.', sqlerrm;
end $$;

-- supabase/schemas/60_traces/fold.sql
-- Folding: turning what was written (public.changes) into the projections traces, placements, trees, counts and the activity of
-- sessions. Reading folds what it is about to read, so that a read has all that was acknowledged before it; a schedule folds
-- the rest (90_upkeep/fold_all.sql).

-- Folds the changes of a tenant: all of them, or the oldest with about so many steps. Returns whether that was all that there
-- was; what commits meanwhile does not count.
-- Never call it in a read-only transaction, nor in one that is repeatable read.
create function internal.fold(tenant_id uuid, most_steps integer default null) returns boolean
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  last_request uuid; -- null: all
begin
  if not internal.has_changes(fold.tenant_id) then return true; end if;
  -- One at a time. Waited for, and not skipped: what the other one folds may be what is about to be read. Who writes steps never
  -- takes this lock. A statement of its own, so that the next one sees all that was committed before the lock was had.
  perform pg_advisory_xact_lock(internal.fold_lock(fold.tenant_id));
  if fold.most_steps is not null then
    last_request := (
      select request.first_step_id
      from (
        select changes.first_step_id, sum(changes.steps) over (order by changes.first_step_id) as steps
        from public.changes where changes.tenant_id = fold.tenant_id order by changes.first_step_id limit fold.most_steps
      ) as request
      where request.steps >= fold.most_steps order by request.first_step_id limit 1);
  end if;
  while internal.fold_changes(fold.tenant_id, last_request, fold.most_steps) loop
    if fold.most_steps is not null then return false; end if;
  end loop;
  return last_request is null;
end $$;

create function internal.has_changes(tenant_id uuid) returns boolean
language plpgsql volatile set search_path = '' set enable_seqscan = off as $$
begin
  return exists (select from public.changes where changes.tenant_id = has_changes.tenant_id)
    or exists (select from public.rebuilds where rebuilds.tenant_id = has_changes.tenant_id);
end $$;

create function internal.fold_lock(tenant_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended('fold ' || fold_lock.tenant_id, 0);
end $$;

-- Takes changes (of the requests up to the last one given, and so many rebuilds; null: all), derives and writes. One statement
-- takes and derives: it sees a step exactly when it sees the change of its request, whatever commits meanwhile. The projections
-- themselves are nobody else's to write while the lock is held. Returns whether it left rebuilds to be done.
create function internal.fold_changes(owner_id uuid, last_request uuid, most_rebuilds integer) returns boolean
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  derivation internal.derivation;
  fold_number bigint;
begin
  with requests as (
    delete from public.changes
    where changes.tenant_id = owner_id and (last_request is null or changes.first_step_id <= last_request)
    returning changes.*::public.changes as request
  ), rebuilds as (
    delete from public.rebuilds
    where rebuilds.tenant_id = owner_id and rebuilds.tree_key = any (array(
      select chosen.tree_key from public.rebuilds as chosen
      where chosen.tenant_id = owner_id order by chosen.tree_key limit most_rebuilds))
    returning rebuilds.*::public.rebuilds as tree
  ), taken as materialized (
    select array(select requests.request from requests) as requests, array(select rebuilds.tree from rebuilds) as rebuilds
  )
  select derived.* into derivation
  from taken cross join lateral internal.derive_changes(owner_id, taken.requests, taken.rebuilds) as derived;

  perform internal.count_changes(owner_id, derivation.changes);
  perform internal.touch_sessions(owner_id, derivation.changes);
  if derivation.told <> '{}' or derivation.remade <> '{}' then
    fold_number := internal.next_fold_number(owner_id);
    perform internal.write_traces(owner_id, derivation, fold_number);
  end if;
  if derivation.placed <> '{}' then
    fold_number := coalesce(fold_number, internal.next_fold_number(owner_id));
    perform internal.place_steps(owner_id, derivation.placed, fold_number);
  end if;
  return exists (select from public.rebuilds where rebuilds.tenant_id = owner_id);
end $$;

-- The number of what the tenant's projections become now. Only for who holds the lock of its folds: see public.folds.
create function internal.next_fold_number(owner_id uuid) returns bigint
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  counted bigint;
begin
  insert into public.folds as known (tenant_id, number) values (owner_id, 1)
  on conflict on constraint folds_are_numbered_within_their_tenant do update set number = known.number + 1
  returning known.number into counted;
  return counted;
end $$;

-- Notes in the sessions when their last steps arrived. One that is just being deleted is not waited for.
create function internal.touch_sessions(owner_id uuid, changes internal.change[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  update public.sessions set last_activity_at = active.arrived_at
  from (
    select (
        select sessions.ctid from public.sessions
        where sessions.tenant_id = owner_id and sessions.id = change.session_id
          and sessions.last_activity_at < max(change.arrived_at)
        for no key update skip locked) as place,
      max(change.arrived_at) as arrived_at
    from unnest(touch_sessions.changes) as change
    where change.session_id is not null and change.steps > 0
    group by change.session_id
  ) as active
  where sessions.ctid = active.place;
end $$;

-- Writes the placements of steps, and what follows from them: the steps of traces, counts, usage, the figures of sessions.
create function internal.place_steps(owner_id uuid, placed internal.placed_step[], fold_number bigint) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  moved internal.moved_step[] := internal.moved_steps(owner_id, place_steps.placed, place_steps.fold_number);
begin
  if moved = '{}' then return; end if;
  insert into public.placements as known
  select (move.after).* from unnest(moved) as move
  on conflict on constraint step_has_one_placement do update set
    trace_id = excluded.trace_id, session_id = excluded.session_id, user_id = excluded.user_id, agent = excluded.agent,
    is_wrapper = excluded.is_wrapper, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cached_input_tokens = excluded.cached_input_tokens, reasoning_tokens = excluded.reasoning_tokens,
    to_trace_id = excluded.to_trace_id, fold_number = excluded.fold_number;

  update public.traces set step_count = traces.step_count + growth.steps
  from (
    select change.trace_id, sum(change.steps) as steps
    from unnest(moved) as move
    cross join lateral (values ((move.after).trace_id, 1), ((move.before).trace_id, -1)) as change (trace_id, steps)
    where change.trace_id is not null
    group by change.trace_id
  ) as growth
  where traces.tenant_id = owner_id and traces.trace_id = growth.trace_id and growth.steps <> 0;

  perform internal.correct_counts(owner_id, moved);
  perform internal.add_figures(array(
    select internal.figure_of(move.step, side.placed, side.change)
    from unnest(moved) as move
    cross join lateral (values (move.before, -1), (move.after, 1)) as side (placed, change)
    where (side.placed).step_id is not null and internal.counts_otherwise(move.before, move.after)));
  perform internal.join_sessions(array(
    select internal.member_of_session(move.step, move.after) from unnest(moved) as move
    where (move.before).step_id is null or (move.before).session_id is distinct from (move.after).session_id));
  perform internal.leave_sessions(array(
    select internal.member_of_session(move.step, move.before) from unnest(moved) as move
    where (move.before).step_id is not null and (move.before).session_id is distinct from (move.after).session_id));
end $$;

-- Those of the steps that had no place, or get another one than they had. Whose they are is settled here: the user that they tell,
-- else the one of the spans around them, else their session's.
create function internal.moved_steps(owner_id uuid, placed internal.placed_step[], fold_number bigint)
returns internal.moved_step[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select (said.step, known.placed, settled.placed)::internal.moved_step
    from unnest(moved_steps.placed) as told
    cross join lateral (
      select (select placements from public.placements where placements.step_id = told.step_id) as placed offset 0
    ) as known
    cross join lateral (select internal.counted_step(told.step_id) as step offset 0) as said
    cross join lateral (
      select (
        told.step_id, owner_id, told.trace_id, told.happened_at, told.session_id,
        coalesce((said.step).user_id, told.user_id, (
          select sessions.user_id from public.sessions
          where sessions.tenant_id = owner_id and sessions.id = coalesce((said.step).session_id, told.session_id))),
        told.agent, told.is_wrapper, told.input_tokens, told.output_tokens, told.cached_input_tokens, told.reasoning_tokens,
        told.to_trace_id, moved_steps.fold_number)::public.placements as placed
      offset 0
    ) as settled
    where ( -- but for spans, where they belong is all that can have changed: then the step is not even read
        (known.placed).step_id is null or told.agent is not null
        or ((known.placed).trace_id, (known.placed).to_trace_id) is distinct from (told.trace_id, told.to_trace_id))
      and ((known.placed).step_id is null
        or ((known.placed).trace_id, (known.placed).to_trace_id) is distinct from (told.trace_id, told.to_trace_id)
        or internal.counts_otherwise(known.placed, settled.placed)));
end $$;

-- Whether a step adds something else to the figures in one place than in the other.
create function internal.counts_otherwise(before public.placements, after public.placements) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return before.step_id is null
    or (before.session_id, before.user_id, before.agent, before.is_wrapper, before.input_tokens, before.output_tokens,
        before.cached_input_tokens, before.reasoning_tokens)
      is distinct from
       (after.session_id, after.user_id, after.agent, after.is_wrapper, after.input_tokens, after.output_tokens,
        after.cached_input_tokens, after.reasoning_tokens);
end $$;

-- Steps are counted under the agent that they say, and model calls as such. Where the tree tells otherwise, or tells otherwise
-- than before, the counts are corrected by the difference.
create function internal.correct_counts(owner_id uuid, moved internal.moved_step[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  perform internal.add_counts(array(
    select (
      owner_id, (move.step).list, (move.step).namespace_id, correction.label,
      date_trunc('hour', (move.step).occurred_at, 'UTC'), correction.change)::internal.count_change
    from unnest(correct_counts.moved) as move
    cross join lateral (
      values
        (case when not coalesce((move.before).is_wrapper, false)
           then coalesce((move.before).agent, (move.step).agent) end, -1),
        (case when not (move.after).is_wrapper then coalesce((move.after).agent, (move.step).agent) end, 1)
    ) as correction (label, change)
    where ((move.after).agent is not null or (move.after).is_wrapper)
      and ((move.before).step_id is null
        or ((move.before).agent, (move.before).is_wrapper) is distinct from ((move.after).agent, (move.after).is_wrapper))
      and (move.step).list = 'records' and correction.label is not null));
end $$;

-- supabase/schemas/81_usage/usage_of_time.sql
-- Adding up usage when somebody asks.

-- What was used, or what was scored, as far as it goes into one row: what rows are not by is null. `moment`: the beginning of its
-- day or hour in the time zone that was asked for; `day`: the day (UTC) whose prices count. See public.usage.
create type internal.usage_line as (
  moment timestamptz, day date, namespace_id bigint, agent text, model text, tool text, user_id text, calls numeric,
  tool_calls numeric, errors numeric, input_tokens numeric, cached_input_tokens numeric, uncached_input_tokens numeric,
  output_tokens numeric, reasoning_tokens numeric, billed_steps numeric, untold_steps numeric, latencies jsonb,
  score internal.counted_score);

-- {rows, totals, start_date, end_date?}: what the namespaces used in that time, by what the query asks for.
create function internal.usage_of_time(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  asked jsonb := query -> 'by';
  lines internal.usage_line[] := internal.lines_of_usage(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_steps(owner_id, namespace_ids, query, wanted)
    || internal.lines_of_scores(owner_id, namespace_ids, query, wanted);
begin
  return (
    with keyed as materialized (
      select dense_rank() over (
               order by line.moment, line.namespace, line.agent, line.model_of_row, line.tool, line.user_id) as number, line.*
      from (
        select line.*, case when asked ? 'model' then line.model end as model_of_row, (
                 select namespaces.name from public.namespaces where namespaces.id = line.namespace_id) as namespace
        from unnest(lines) as line
      ) as line
    ), placed as materialized ( -- each once in its row, and once in the totals
      select place.number as place, keyed.* from keyed cross join lateral (values (keyed.number), (0)) as place (number)
    ), figures as (
      select placed.place, sum(placed.calls) as calls, sum(placed.tool_calls) as tool_calls, sum(placed.errors) as errors,
             sum(placed.input_tokens) as input_tokens, sum(placed.cached_input_tokens) as cached_input_tokens,
             sum(placed.output_tokens) as output_tokens, sum(placed.reasoning_tokens) as reasoning_tokens,
             internal.score_figures(array_agg(placed.score) filter (where (placed.score).name is not null)) as scores
      from placed group by placed.place
    ), latency as (
      select counted.place, internal.percentile(array_agg(counted.bucket order by counted.bucket),
               array_agg(counted.count order by counted.bucket), 0.5) as p50,
             internal.percentile(array_agg(counted.bucket order by counted.bucket),
               array_agg(counted.count order by counted.bucket), 0.95) as p95
      from (
        select placed.place, bucket.key::integer as bucket, sum(bucket.value::bigint) as count
        from placed cross join lateral jsonb_each(placed.latencies) as bucket
        where placed.tool is null or placed.place > 0 or query ? 'tool'
        group by 1, 2
      ) as counted
      group by counted.place
    ), cost as (
      select cost.* from internal.costs_of(owner_id, array(
        select (placed.place, placed.model, placed.day, sum(placed.uncached_input_tokens), sum(placed.cached_input_tokens),
                sum(placed.output_tokens), sum(placed.billed_steps), sum(placed.untold_steps))::internal.cost_line
        from placed group by placed.place, placed.model, placed.day)) as cost
    ), view as (
      select figures.place, jsonb_build_object(
        'calls', figures.calls, 'tool_calls', figures.tool_calls, 'errors', figures.errors,
        'input_tokens', figures.input_tokens, 'cached_input_tokens', figures.cached_input_tokens,
        'output_tokens', figures.output_tokens, 'reasoning_tokens', figures.reasoning_tokens, 'cost', cost.cost,
        'latency_ms', jsonb_build_object('p50', latency.p50, 'p95', latency.p95), 'scores', figures.scores) as figures
      from figures join cost on cost.place = figures.place left join latency on latency.place = figures.place
    )
    select jsonb_build_object(
      'rows', to_jsonb(array(
        select internal.row_of_usage(asked, wanted.zone, row.moment, row.namespace, row.agent, row.model_of_row,
            row.tool, row.user_id)
          || view.figures
        from (
          select distinct keyed.number, keyed.moment, keyed.namespace, keyed.agent, keyed.model_of_row, keyed.tool, keyed.user_id
          from keyed
        ) as row
        join view on view.place = row.number
        order by row.number
        limit 10001)),
      'totals', coalesce((select view.figures from view where view.place = 0), jsonb_build_object(
        'calls', 0, 'tool_calls', 0, 'errors', 0, 'input_tokens', 0, 'cached_input_tokens', 0, 'output_tokens', 0,
        'reasoning_tokens', 0, 'latency_ms', '{"p50": null, "p95": null}'::jsonb, 'scores', '{}'::jsonb, 'cost', jsonb_build_object(
          'amount', '0', 'currency', internal.currency_of_prices(owner_id), 'unpriced_steps', 0))),
      'start_date', internal.timestamp_text(wanted.begins),
      'end_date', case when isfinite(wanted.ends) then internal.timestamp_text(wanted.ends - interval '1 microsecond') end));
end $$;

-- What a row of usage is about: the members that were asked for.
create function internal.row_of_usage(
  asked jsonb, zone text, moment timestamptz, namespace text, agent text, model text, tool text, user_id text) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return case when asked ? 'day' then jsonb_build_object('day', to_char(moment at time zone zone, 'YYYY-MM-DD'))
      when asked ? 'hour' then jsonb_build_object('hour', internal.timestamp_text(moment)) else '{}' end
    || case when asked ? 'namespace' then jsonb_build_object('namespace', namespace) else '{}' end
    || case when asked ? 'agent' then jsonb_build_object('agent', agent) else '{}' end
    || case when asked ? 'model' then jsonb_build_object('model', model) else '{}' end
    || case when asked ? 'tool' then jsonb_build_object('tool', tool) else '{}' end
    || case when asked ? 'user' then jsonb_build_object('user', user_id) else '{}' end;
end $$;

-- The latency that so large a part of the calls did not exceed, of the buckets in order and how many are in each.
create function internal.percentile(buckets integer[], counts numeric[], part numeric) returns numeric
language plpgsql immutable set search_path = '' as $$
declare
  wanted numeric := ceil(percentile.part * (select sum(count) from unnest(percentile.counts) as count));
begin
  for place in 1 .. cardinality(percentile.buckets) loop
    wanted := wanted - percentile.counts[place];
    if wanted <= 0 then return internal.latency_of_bucket(percentile.buckets[place]); end if;
  end loop;
  return null;
end $$;

-- The whole days and hours of that time, but those that lie in two days of the time zone. Latencies come in lines of their own.
create function internal.lines_of_usage(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  asked jsonb := query -> 'by';
  is_detailed boolean := asked ?| '{agent, tool}' or query ?| '{agent, tool}';
  grain_of_days text := case when is_detailed then 'day in detail' else 'day' end;
  grain_of_hours text := case when asked ? 'user' or query ? 'user_id' then 'session'
    when is_detailed then 'hour in detail' else 'hour' end;
  new_prices date[] := internal.new_prices(owner_id, wanted);
begin
  return array(
    with used as materialized (
      select case when wanted.unit is not null then date_trunc(wanted.unit, usage.begins, wanted.zone) end as moment,
             new_prices[width_bucket((usage.begins at time zone 'UTC')::date, new_prices)] as day,
             case when asked ? 'namespace' then usage.namespace_id end as namespace_id,
             case when asked ? 'agent' then usage.agent end as agent, usage.model,
             case when asked ? 'tool' then usage.tool end as tool, case when asked ? 'user' then usage.user_id end as user_id,
             usage.calls, usage.tool_calls, usage.errors, usage.input_tokens, usage.cached_input_tokens,
             usage.uncached_input_tokens, usage.output_tokens, usage.reasoning_tokens, usage.billed_steps,
             usage.untold_steps, case when usage.tool is null or asked ? 'tool' or query ? 'tool' then usage.latencies end as latencies
      from (
        values (grain_of_days, wanted.first_day, wanted.last_day),
               (grain_of_hours, wanted.first_hour, least(wanted.first_day, wanted.last_hour)),
               (grain_of_hours, greatest(wanted.last_day, wanted.first_hour), wanted.last_hour)
      ) as span (grain, begins, ends)
      cross join unnest(namespace_ids) as namespace (id)
      cross join lateral (
        select usage.* from public.usage
        where usage.tenant_id = owner_id and usage.grain = span.grain and usage.namespace_id = namespace.id
          and usage.begins >= span.begins and usage.begins < span.ends
          and (query ->> 'agent' is null or usage.agent = query ->> 'agent')
          and (query ->> 'model' is null or usage.model = query ->> 'model')
          and (query ->> 'tool' is null or usage.tool = query ->> 'tool')
          and (query ->> 'user_id' is null or usage.user_id = query ->> 'user_id')
        offset 0
      ) as usage
      where span.begins < span.ends
        and (wanted.unit is null or span.grain = grain_of_days or date_trunc(wanted.unit, usage.begins, wanted.zone)
          = date_trunc(wanted.unit, usage.begins + interval '1 hour' - interval '1 microsecond', wanted.zone))
    )
    select (
      used.moment, used.day, used.namespace_id, used.agent, used.model, used.tool, used.user_id, sum(used.calls),
      sum(used.tool_calls), sum(used.errors), sum(used.input_tokens), sum(used.cached_input_tokens),
      sum(used.uncached_input_tokens), sum(used.output_tokens), sum(used.reasoning_tokens), sum(used.billed_steps),
      sum(used.untold_steps), '{}', null)::internal.usage_line
    from used
    group by used.moment, used.day, used.namespace_id, used.agent, used.model, used.tool, used.user_id
    union all
    select (
      counted.moment, null, counted.namespace_id, counted.agent, counted.model, counted.tool, counted.user_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, jsonb_object_agg(counted.bucket, counted.count),
      null)::internal.usage_line
    from (
      select used.moment, used.namespace_id, used.agent, case when asked ? 'model' then used.model end as model, used.tool,
             used.user_id, latency.key as bucket, sum(latency.value::bigint) as count
      from used cross join lateral jsonb_each(used.latencies) as latency
      group by 1, 2, 3, 4, 5, 6, 7
    ) as counted
    group by counted.moment, counted.namespace_id, counted.agent, counted.model, counted.tool, counted.user_id);
end $$;

-- The first day of that time, and each later one on which a price begins: until the next of them, prices stay as they are.
create function internal.new_prices(owner_id uuid, wanted internal.usage_time) returns date[]
language plpgsql stable set search_path = '' as $$
declare
  first_day date := (wanted.begins at time zone 'UTC')::date;
begin
  return array(
    select first_day
    union
    select entry.valid_from from internal.price_entries(owner_id) as entry where entry.valid_from > first_day
    order by 1);
end $$;

-- The parts of that time which are no whole hours, step by step.
create function internal.lines_of_steps(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
begin
  if wanted.parts = '{}' then return '{}'; end if;
  return array(
    select internal.line_of_figure(query, wanted, said.occurred_at, counted.figure, null)
    from unnest(wanted.parts) as part
    cross join unnest(namespace_ids) as namespace (id)
    cross join (values ('records'), ('spans'), ('logs')) as list (name)
    cross join lateral (
      select steps.id, steps.occurred_at from public.steps
      where steps.tenant_id = owner_id and steps.namespace_id = namespace.id and steps.list = list.name
        and steps.occurred_at >= lower(part) and steps.occurred_at < upper(part)
      offset 0
    ) as said
    cross join lateral (
      select placements as placed from public.placements where placements.step_id = said.id offset 0
    ) as known
    cross join lateral (
      select internal.figure_of(internal.counted_step(said.id), known.placed, 1) as figure offset 0
    ) as counted
    where internal.is_wanted(query, counted.figure));
end $$;

-- The scores that were given in that time, each where what it is about stands: a step under its agent, model, tool and user; a trace
-- under its agent; a session under its user. What stands in other namespaces, where a score may have come first, tells nothing.
create function internal.lines_of_scores(
  owner_id uuid, namespace_ids bigint[], query jsonb, wanted internal.usage_time) returns internal.usage_line[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  needs_agent boolean := query -> 'by' ? 'agent' or query ? 'agent';
  needs_user boolean := query -> 'by' ? 'user' or query ? 'user_id';
  needs_step boolean := needs_agent or needs_user or query -> 'by' ?| '{model, tool}' or query ?| '{model, tool}';
begin
  return array(
    with stands as ( -- what is not asked for is not looked up
      select case when wanted.unit is not null then date_trunc(wanted.unit, scores.created_at, wanted.zone)
               else wanted.begins end as moment,
             scores.namespace_id, about.figure, scores.name,
             coalesce(scores.number_value::text::numeric, scores.boolean_value::integer) as value,
             case when needs_agent and scores.trace_id is not null then (
               select internal.counted_name(traces.agent) from public.traces
               where traces.tenant_id = owner_id and traces.trace_id = scores.trace_id
                 and traces.namespace_id = any (lines_of_scores.namespace_ids)) end as agent,
             case when needs_user and scores.session_id is not null then (
               select internal.counted_name(sessions.user_id) from public.sessions
               where sessions.tenant_id = owner_id and sessions.id = scores.session_id
                 and sessions.namespace_id = any (lines_of_scores.namespace_ids)) end as user_id
      from public.scores
      left join lateral (
        select internal.figure_of(internal.counted_step(placements.step_id), placements, 0) as figure
        from public.placements
        where needs_step and placements.step_id = scores.step_id and placements.tenant_id = owner_id
        offset 0
      ) as about on (about.figure).namespace_id = any (lines_of_scores.namespace_ids)
      where scores.tenant_id = owner_id and scores.namespace_id = any (lines_of_scores.namespace_ids)
        and scores.created_at >= wanted.begins and scores.created_at < wanted.ends
    ), added as (
      select stands.moment, stands.namespace_id, coalesce((stands.figure).agent, stands.agent) as agent,
             (stands.figure).model, (stands.figure).tool, coalesce((stands.figure).user_id, stands.user_id) as user_id,
             (stands.name, count(*), sum(stands.value), count(stands.value))::internal.counted_score as score
      from stands group by 1, 2, 3, 4, 5, 6, stands.name
    )
    select internal.line_of_figure(query, wanted, added.moment, placed.figure, added.score)
    from added
    cross join lateral (
      select (owner_id, null, added.namespace_id, null, added.agent, added.model, added.tool, added.user_id, 0, 0, 0, 0, 0, 0, 0,
              0, 0, 0, 0, null)::internal.figure as figure
    ) as placed
    where internal.is_wanted(query, placed.figure));
end $$;

-- Whether the query's filters let a figure pass.
create function internal.is_wanted(query jsonb, figure internal.figure) returns boolean
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(not query ? 'agent' or figure.agent = query ->> 'agent', false)
    and coalesce(not query ? 'model' or figure.model = query ->> 'model', false)
    and coalesce(not query ? 'tool' or figure.tool = query ->> 'tool', false)
    and coalesce(not query ? 'user_id' or figure.user_id = query ->> 'user_id', false);
end $$;

-- One figure as a line of its own.
create function internal.line_of_figure(
  query jsonb, wanted internal.usage_time, moment timestamptz, figure internal.figure, score internal.counted_score)
returns internal.usage_line
language plpgsql immutable set search_path = '' as $$
declare
  asked jsonb := query -> 'by';
begin
  return (
    case when wanted.unit is not null then date_trunc(wanted.unit, line_of_figure.moment, wanted.zone) end,
    (line_of_figure.moment at time zone 'UTC')::date,
    case when asked ? 'namespace' then figure.namespace_id end, case when asked ? 'agent' then figure.agent end, figure.model,
    case when asked ? 'tool' then figure.tool end, case when asked ? 'user' then figure.user_id end,
    coalesce(figure.calls, 0), coalesce(figure.tool_calls, 0), coalesce(figure.errors, 0), coalesce(figure.input_tokens, 0),
    coalesce(figure.cached_input_tokens, 0), coalesce(figure.uncached_input_tokens, 0), coalesce(figure.output_tokens, 0),
    coalesce(figure.reasoning_tokens, 0), coalesce(figure.billed_steps, 0), coalesce(figure.untold_steps, 0),
    case when figure.latency_bucket is null or figure.tool is not null and not (asked ? 'tool' or query ? 'tool') then '{}'
      else jsonb_build_object(figure.latency_bucket, 1) end,
    line_of_figure.score)::internal.usage_line;
end $$;

-- supabase/schemas/99_grants.sql
-- One rule for everything in the two schemas: row level security is on and no policy opens a table; the API's service role may
-- do its work, and nobody else anything. It may be run again at any time.
do $$
declare
  object record;
begin
  for object in
    select pg_class.oid::regclass as name from pg_class
    where pg_class.relnamespace = 'public'::regnamespace and pg_class.relkind in ('r', 'p')
  loop
    execute format('alter table %s enable row level security', object.name);
  end loop;
  for object in
    select pg_proc.oid::regprocedure as name from pg_proc
    where pg_proc.pronamespace in ('public'::regnamespace, 'internal'::regnamespace)
  loop
    execute format('revoke all on function %s from public, anon, authenticated', object.name);
    execute format('grant execute on function %s to service_role', object.name);
  end loop;
  for object in
    select pg_type.oid::regtype as name from pg_type
    where pg_type.typnamespace = 'internal'::regnamespace and pg_type.typtype = 'c'
      and (select pg_class.relkind from pg_class where pg_class.oid = pg_type.typrelid) = 'c'
  loop
    execute format('revoke all on type %s from public, anon, authenticated', object.name);
    execute format('grant usage on type %s to service_role', object.name);
  end loop;
end $$;
revoke all on all tables in schema public from public, anon, authenticated;
revoke all on all sequences in schema public from public, anon, authenticated;
revoke all on schema internal from public, anon, authenticated;
grant usage on schema internal to service_role;
grant select, insert, update, delete on all tables in schema public to service_role;
grant usage, select on all sequences in schema public to service_role;

reset check_function_bodies;
