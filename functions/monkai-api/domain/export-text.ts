import { stringify } from "csv-stringify/browser/esm/sync";

/** A JSON list between two texts, in pieces: one for each page. */
export async function* jsonText(
  opening: string,
  pages: AsyncIterable<object[]>,
  closing: string,
): AsyncGenerator<string> {
  let separator = "";
  yield opening;
  for await (const items of pages) {
    if (items.length === 0) continue;
    yield separator + items.map((item) => JSON.stringify(item)).join(",");
    separator = ",";
  }
  yield closing;
}

/** What some spreadsheets run as a formula too: one that stands behind blanks, or on another line. */
const HIDDEN_FORMULA = /^[\s\p{Cf}]+[=+\-@＝＋－＠]|^\n/u;

/**
 * The same as CSV (RFC 4180), one column for each of the fields. Objects and lists are JSON. A text that a spreadsheet
 * would run as a formula (it begins with = + - @, a tab or a line break) gets a ' in front.
 */
export async function* csvText(fields: string[], pages: AsyncIterable<object[]>): AsyncGenerator<string> {
  yield csv([fields]);
  try {
    for await (const items of pages) {
      if (items.length === 0) continue;
      yield csv(items.map((item) => fields.map((field) => cell((item as Record<string, unknown>)[field]))));
    }
  } catch (cause) {
    // A quote that nothing closes is no valid CSV: workerd ends a response that fails as if it were whole
    // (cloudflare/workerd#6818). JSON shows it by itself.
    yield '"The export was broken off here. Please ask again.';
    throw cause;
  }
}

function csv(rows: unknown[][]): string {
  return stringify(rows, {
    record_delimiter: "windows",
    quote_record_delimiter: true,
    quoted_match: ";", // where spreadsheets take it for the end of a cell
    escape_formulas: true,
  });
}

function cell(value: unknown): string | number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number") return value;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return HIDDEN_FORMULA.test(text) ? `'${text}` : text;
}
