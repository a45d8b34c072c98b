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
