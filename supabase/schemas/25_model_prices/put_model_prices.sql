-- PUT /model-prices. payload.prices: as the table has them, payload.expected_version?. data: {version, prices}. Refuses as
-- admit_to_change and at_version do.
create function public.put_model_prices(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_to_change(put_model_prices.payload, 'the model prices');
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then return admission; end if;
  perform pg_advisory_xact_lock(hashtextextended('model prices ' || owner_id, 0));
  admission := internal.at_version(
    admission, 'the model prices', (select model_prices.version from public.model_prices where model_prices.tenant_id = owner_id),
    put_model_prices.payload ->> 'expected_version');
  if admission ? 'error' then return admission; end if;

  insert into public.model_prices as own (tenant_id, prices)
  values (owner_id, put_model_prices.payload -> 'prices')
  on conflict on constraint model_prices_pkey
    do update set prices = excluded.prices, version = own.version + 1, updated_at = now();
  return admission || jsonb_build_object('data', internal.current_prices(owner_id));
end $$;
