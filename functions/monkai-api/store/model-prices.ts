/** Prices of the models that a pattern stands for, from a day on. Money per million tokens as decimal text; null: none. */
export interface ModelPrice {
  model: string;
  /** A day in UTC; null: from ever. */
  valid_from: string | null;
  input: string | null;
  /** Null: cached tokens cost what others of the input cost. */
  cached_input: string | null;
  output: string | null;
  currency: string;
}

/** A tenant's prices. At version 0 they are the known ones, which have a source and its date. */
export interface ModelPrices {
  version: number;
  prices: ModelPrice[];
  source?: string;
  as_of?: string;
}
