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
