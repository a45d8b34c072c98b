// `npm run bench`: how fast this API is beside what one would do without it, and whether it stays so.
// `npm run bench -- 1 3`: only these sections. `npm run bench -- --quick`: shorter and smaller, for work on the benchmark.
import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { appCost } from "./bench/app-cost.ts";
import { bulkInsert } from "./bench/bulk-insert.ts";
import { exportSpeed } from "./bench/export.ts";
import { type Figure, isMet } from "./bench/figures.ts";
import { foldSpeed } from "./bench/fold.ts";
import { growth } from "./bench/growth.ts";
import { otlpSpans } from "./bench/otlp.ts";
import { FULL, QUICK } from "./bench/settings.ts";
import { singleInsert } from "./bench/single-insert.ts";
import { sqlFunctions } from "./bench/sql-functions.ts";
import { table } from "./bench/table.ts";
import { viewerBudgets } from "./bench/viewer.ts";
import { startVolume, type Volume } from "./bench/volume.ts";
import { workerSize } from "./bench/worker-size.ts";

const RESULT_FILE = "bench-result.json";

const { values, positionals } = parseArgs({
  options: { quick: { type: "boolean", default: false } },
  allowPositionals: true,
});
const settings = values.quick ? QUICK : FULL;
const volumes = new Map<number, Promise<Volume>>();

const sections = new Map<number, () => Promise<Figure[]>>([
  [1, () => singleInsert(settings)],
  [2, () => bulkInsert(settings)],
  [3, () => sqlFunctions(settings)],
  [4, () => appCost(settings)],
  [
    5,
    async () => growth(await volume(settings.volumes.small), await volume(settings.volumes.large), settings),
  ],
  [6, async () => exportSpeed(await volume(settings.volumes.large))],
  [7, () => workerSize(settings)],
  [8, async () => foldSpeed(await volume(settings.volumes.large))],
  [9, () => otlpSpans(settings)],
  [10, () => viewerBudgets(settings)],
]);

// What is running ends with this process: see postgres-keeper.ts.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

const wanted = positionals.length > 0 ? positionals.map(Number) : [...sections.keys()];
const unknown = wanted.filter((section) => !sections.has(section));
if (unknown.length > 0) throw new Error(`There is no section ${unknown}, only ${[...sections.keys()]}.`);

const begun = new Date();
try {
  const figures = await measured();
  console.log(table(figures));
  await writeResult(figures);
} finally {
  for (const { stack } of await Promise.all(volumes.values())) await stack.stop();
}

async function measured(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const section of wanted) {
    const start = performance.now();
    figures.push(...((await sections.get(section)?.()) ?? []));
    console.error(`section ${section} took ${Math.round((performance.now() - start) / 1000)} s`);
  }
  return figures;
}

/** A tenant with so many records. It takes a while to make: sections 5, 6 and 8 share it. */
function volume(records: number): Promise<Volume> {
  const started = volumes.get(records) ?? startVolume(records, { talks: records === settings.volumes.large });
  volumes.set(records, started);
  return started;
}

async function writeResult(figures: Figure[]): Promise<void> {
  const machine = { cpu: cpus()[0]?.model, cpus: cpus().length, load: loadavg(), node: process.version };
  const verdicts = figures.map((figure) => ({ ...figure, met: isMet(figure) }));
  const result = { begun, ended: new Date(), machine, settings, figures: verdicts };
  await writeFile(RESULT_FILE, `${JSON.stringify(result, null, 2)}\n`);
}
