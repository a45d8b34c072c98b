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
