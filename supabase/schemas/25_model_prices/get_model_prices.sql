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
