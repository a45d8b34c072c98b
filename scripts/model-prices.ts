// `npm run model-prices`: makes supabase/schemas/25_model_prices/known_model_prices.sql from a package of npm. A new version of
// that is a line in model-prices/source.ts; then `npm run db:migration -- NAME`.
import { writeFileSync } from "node:fs";
import { refuseArguments, runCommand } from "./command-line.ts";
import { schemaOf } from "./model-prices/sql.ts";

const USAGE = `Usage: npm run model-prices

Makes supabase/schemas/25_model_prices/known_model_prices.sql from the package of npm that scripts/model-prices/source.ts
names, which it gets from the registry.`;

const FILE = new URL("../supabase/schemas/25_model_prices/known_model_prices.sql", import.meta.url);

await runCommand(USAGE, async (args) => {
  refuseArguments(args);
  // Loaded only now: it begins with getting the package.
  const { entries, tried, wrong, unpriced } = await import("./model-prices/entries.ts");
  if (wrong.length > 0) throw new Error(`These would get a wrong price: ${wrong.join(", ")}`);
  writeFileSync(FILE, schemaOf(entries));
  console.log(`${entries.length} patterns give none of ${tried} names a wrong price.`);
  console.log(`Without a price, though the package has one: ${unpriced.join(", ")}`);
});
