import { type CountedStep, hasTokens, isBilled } from "./counted.ts";
import { dayIn } from "./time-zones.ts";

/** An entry of GET /v1/model-prices. */
export interface Price {
  model: string;
  valid_from: string | null;
  input: string | null;
  cached_input: string | null;
  output: string | null;
  currency: string;
}

/** Prices have nine decimals at most, and are for a million tokens. */
const PRICE_DIGITS = 9;
const COST_DIGITS = PRICE_DIGITS + 6;

/** What steps cost, as docs/costs.md says it, in whole numbers: no amount is ever rounded. */
export function costsOf(steps: CountedStep[], prices: Price[]) {
  const billed = steps.filter(isBilled);
  let sum = 0n;
  let unpriced_steps = 0;
  for (const step of billed) {
    const cost = costOf(step, prices);
    if (cost === undefined) unpriced_steps += 1;
    else sum += cost;
  }
  const hasNone = billed.length > 0 && unpriced_steps === billed.length;
  const currency = prices[0]?.currency ?? "USD";
  return { amount: hasNone ? null : decimalText(sum), currency, unpriced_steps };
}

function costOf(step: CountedStep, prices: Price[]): bigint | undefined {
  const price = priceOf(step, prices);
  if (price === undefined || !hasTokens(step)) return undefined;
  const cached = BigInt(step.cached_input_tokens);
  const input = BigInt(step.input_tokens);
  const uncached = cached > input ? input : input - cached;
  return (
    uncached * scaled(price.input) +
    cached * scaled(price.cached_input ?? price.input) +
    BigInt(step.output_tokens) * scaled(price.output)
  );
}

function scaled(price: string | null): bigint {
  const [whole = "0", fraction = ""] = (price ?? "0").split(".");
  return BigInt(whole + fraction.padEnd(PRICE_DIGITS, "0"));
}

function decimalText(amount: bigint): string {
  const digits = amount.toString().padStart(COST_DIGITS + 1, "0");
  const fraction = digits.slice(-COST_DIGITS).replace(/0+$/, "");
  return digits.slice(0, -COST_DIGITS) + (fraction === "" ? "" : `.${fraction}`);
}

const chosen = new WeakMap<Price[], Map<string, Price | undefined>>();

function priceOf({ model, at }: CountedStep, prices: Price[]): Price | undefined {
  if (model === null) return undefined;
  const day = dayIn("UTC", at);
  const known = chosen.get(prices) ?? new Map();
  chosen.set(prices, known);
  const key = `${day} ${model}`;
  if (!known.has(key)) known.set(key, bestOf(prices.filter((price) => isFor(price, model, day))));
  return known.get(key);
}

function isFor({ model: pattern, valid_from }: Price, model: string, day: string): boolean {
  const expression = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${expression}$`, "is").test(model) && (valid_from ?? "") <= day;
}

const letters = ({ model }: Price) => model.replaceAll("*", "").length;

/** The pattern with most letters, then one without `*`, then the first by name; and of one pattern its latest entry. */
function bestOf(prices: Price[]): Price | undefined {
  return prices.sort(
    (one, other) =>
      letters(other) - letters(one) ||
      Number(one.model.includes("*")) - Number(other.model.includes("*")) ||
      (one.model.toLowerCase() < other.model.toLowerCase() ? -1 : 1) * Number(one.model !== other.model) ||
      ((one.valid_from ?? "") < (other.valid_from ?? "") ? 1 : -1),
  )[0];
}
