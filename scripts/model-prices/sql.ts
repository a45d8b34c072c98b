import type { Entry } from "./patterns.ts";
import { SOURCE } from "./source.ts";

/** The file of the schema that has the prices, oldest first for each pattern. */
export function schemaOf(entries: Entry[]): string {
  const sorted = entries.toSorted((one, other) => (one.model < other.model ? -1 : 1));
  const rows = sorted.flatMap(({ model, prices }) =>
    prices.map(
      ({ valid_from, input, cached_input, output }) =>
        `(${[quoted(model), quoted(valid_from), input ?? "null", cached_input ?? "null", output ?? "null"].join(", ")})`,
    ),
  );
  const [first = "", ...others] = rows;
  return `-- Made by \`npm run model-prices\` from ${SOURCE.name} ${SOURCE.version}, which is MIT. Do not edit.

-- What well-known models cost where a tenant has no prices of its own: dollars per million tokens.
create function internal.known_model_prices()
returns table (model text, valid_from date, input numeric, cached_input numeric, output numeric)
language plpgsql immutable rows ${rows.length} set search_path = '' as $$
begin
  return query values
    ${[typed(first), ...others].join(",\n    ")};
end $$;

-- Where they are from, and of which day: {source, as_of}.
create function internal.origin_of_known_prices() returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return '{"source": "${SOURCE.name} ${SOURCE.version}", "as_of": "${SOURCE.as_of}"}';
end $$;
`;
}

/** The first row says what the columns are. */
function typed(row: string): string {
  const types = ["text", "date", "numeric", "numeric", "numeric"];
  return `(${row
    .slice(1, -1)
    .split(", ")
    .map((value, column) => `${value}::${types[column]}`)
    .join(", ")})`;
}

function quoted(text: string | undefined): string {
  return text === undefined ? "null" : `'${text.replaceAll("'", "''")}'`;
}
