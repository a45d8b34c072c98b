import { OtlpError } from "./otlp-error.ts";

/** As many spans, log records, events and links as a body may hold. Empty ones take two bytes there and hundreds here. */
export const MOST_MESSAGES = 50_000;
const MOST_VALUES = 2_000_000;

/** What was read of a body so far. */
export interface Counter {
  messages: number;
  values: number;
}

export function countMessage(counter: Counter): void {
  counter.messages += 1;
  if (counter.messages <= MOST_MESSAGES) return;
  throw new OtlpError(`The body has more than ${MOST_MESSAGES} spans, log records, events and links.`);
}

export function countValue(counter: Counter): void {
  counter.values += 1;
  if (counter.values > MOST_VALUES) throw new OtlpError(`The body has more than ${MOST_VALUES} values.`);
}
