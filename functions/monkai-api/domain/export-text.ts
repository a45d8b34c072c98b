import { stringify } from "csv-stringify/browser/esm/sync";

/** `{"records": [...]}` in pieces, one for each page. */
export async function* jsonText(name: string, pages: AsyncIterable<object[]>): AsyncGenerator<string> {
  let separator = "";
  yield `{"${name}":[`;
  for await (const items of pages) {
    if (items.length === 0) continue;
    yield separator + items.map((item) => JSON.stringify(item)).join(",");
    separator = ",";
  }
  yield "]}";
}

/**
 * The same as CSV (RFC 4180), one column for each of the fields. Objects and lists are JSON. A text that a spreadsheet
 * would run as a formula (it begins with = + - @ tab or carriage return) gets a ' in front.
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
    escape_formulas: true,
  });
}

function cell(value: unknown): string | number | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value);
}
