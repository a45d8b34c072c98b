// `npm run bench`: how fast this API is beside what one would do without it, and whether it stays so.
import { writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { appCost } from "./bench/app-cost.ts";
import { bulkInsert } from "./bench/bulk-insert.ts";
import { encryptionCost } from "./bench/encryption.ts";
import { exportSpeed } from "./bench/export.ts";
import { type Figure, isMet } from "./bench/figures.ts";
import { foldSpeed } from "./bench/fold.ts";
import { growth } from "./bench/growth.ts";
import { otlpSpans } from "./bench/otlp.ts";
import { retentionBeside } from "./bench/retention.ts";
import { FULL, QUICK, type Settings } from "./bench/settings.ts";
import { singleInsert } from "./bench/single-insert.ts";
import { sqlFunctions } from "./bench/sql-functions.ts";
import { table } from "./bench/table.ts";
import { viewerBudgets } from "./bench/viewer.ts";
import { startVolume, type Volume } from "./bench/volume.ts";
import { workerSize } from "./bench/worker-size.ts";
import { parseOptions, runCommand, UsageError } from "./command-line.ts";

const USAGE = `Usage: npm run bench -- [--quick] [SECTION...]

Measures this API, and writes the figures into bench-result.json, too.
  SECTION  from 1 to 12, as docs/performance.md numbers them; else all
  --quick  shorter and smaller, for work on the benchmark`;

const RESULT_FILE = "bench-result.json";

type Sections = Map<number, () => Promise<Figure[]>>;

const volumes = new Map<number, Promise<Volume>>();

// What is running ends with this process: see postgres-keeper.ts.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

await runCommand(USAGE, async (args) => {
  const { values, positionals } = parseOptions({
    args,
    options: { quick: { type: "boolean" } },
    allowPositionals: true,
  });
  const settings = values.quick ? QUICK : FULL;
  const sections = sectionsOf(settings);
  const wanted = positionals.length > 0 ? positionals.map(Number) : [...sections.keys()];
  const unknown = positionals.filter((section) => !sections.has(Number(section)));
  if (unknown.length > 0)
    throw new UsageError(`There is no section ${unknown}, only ${[...sections.keys()]}.`);

  const begun = new Date();
  try {
    const figures = await measured(sections, wanted);
    console.log(table(figures));
    await writeResult(begun, settings, figures);
  } finally {
    for (const { stack } of await Promise.all(volumes.values())) await stack.stop();
  }
});

function sectionsOf(settings: Settings): Sections {
  const small = () => volume(settings.volumes.small, settings);
  const large = () => volume(settings.volumes.large, settings);
  return new Map([
    [1, () => singleInsert(settings)],
    [2, () => bulkInsert(settings)],
    [3, () => sqlFunctions(settings)],
    [4, () => appCost(settings)],
    [5, async () => growth(await small(), await large(), settings)],
    [6, async () => exportSpeed(await large())],
    [7, () => workerSize(settings)],
    [8, async () => foldSpeed(await large())],
    [9, () => otlpSpans(settings)],
    [10, () => viewerBudgets(settings)],
    [11, () => encryptionCost(settings)],
    [12, async () => retentionBeside(await large(), settings)],
  ]);
}

async function measured(sections: Sections, wanted: number[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const section of wanted) {
    const start = performance.now();
    figures.push(...((await sections.get(section)?.()) ?? []));
    console.error(`section ${section} took ${Math.round((performance.now() - start) / 1000)} s`);
  }
  return figures;
}

/** A tenant with so many records. It takes a while to make: sections 5, 6 and 8 share it. */
function volume(records: number, settings: Settings): Promise<Volume> {
  const started = volumes.get(records) ?? startVolume(records, { talks: records === settings.volumes.large });
  volumes.set(records, started);
  return started;
}

async function writeResult(begun: Date, settings: Settings, figures: Figure[]): Promise<void> {
  const machine = { cpu: cpus()[0]?.model, cpus: cpus().length, load: loadavg(), node: process.version };
  const verdicts = figures.map((figure) => ({ ...figure, met: isMet(figure) }));
  const result = { begun, ended: new Date(), machine, settings, figures: verdicts };
  await writeFile(RESULT_FILE, `${JSON.stringify(result, null, 2)}\n`);
}
