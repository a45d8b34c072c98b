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
