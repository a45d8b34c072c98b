// `npm run bench`: how fast this API is beside what one would do without it, and whether it stays so.
// `npm run bench -- 1 3`: only these sections. `npm run bench -- --quick`: shorter and smaller, for work on the benchmark.
import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { appCost } from "./bench/app-cost.ts";
import { bulkInsert } from "./bench/bulk-insert.ts";
import { type Figure, isMet } from "./bench/figures.ts";
import { FULL, QUICK, type Settings } from "./bench/settings.ts";
import { singleInsert } from "./bench/single-insert.ts";
import { sqlFunctions } from "./bench/sql-functions.ts";
import { table } from "./bench/table.ts";
import { workerSize } from "./bench/worker-size.ts";

const RESULT_FILE = "bench-result.json";

const sections = new Map<number, (settings: Settings) => Promise<Figure[]>>([
  [1, singleInsert],
  [2, bulkInsert],
  [3, sqlFunctions],
  [4, appCost],
  [7, workerSize],
]);

const { values, positionals } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
  allowPositionals: true,
});
const settings = values.quick ? QUICK : FULL;
const wanted = positionals.length > 0 ? positionals.map(Number) : [...sections.keys()];

const begun = new Date();
const figures: Figure[] = [];
for (const section of wanted) {
  const measure = sections.get(section);
  if (!measure)
    throw new Error(`There is no section ${section}. There are ${[...sections.keys()].join(", ")}.`);
  console.error(`section ${section} ...`);
  figures.push(...(await measure(settings)));
}

console.log(table(figures));
const machine = { cpu: cpus()[0]?.model, cpus: cpus().length, load: loadavg(), node: process.version };
const result = { begun, ended: new Date(), machine, settings, figures: figures.map(withVerdict) };
await writeFile(RESULT_FILE, `${JSON.stringify(result, null, 2)}\n`);

function withVerdict(figure: Figure) {
  return { ...figure, met: isMet(figure) };
}
