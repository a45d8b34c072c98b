// `npm run bundle`: how large the Worker is that `npm run deploy:workers` uploads, and how long it takes to start.
import { type Figure, isMet } from "./bench/figures.ts";
import { FULL } from "./bench/settings.ts";
import { workerSize } from "./bench/worker-size.ts";
import { refuseArguments, runCommand } from "./command-line.ts";

const USAGE = `Usage: npm run bundle

Bundles the Worker as \`npm run deploy:workers\` does, without uploading it, and prints its size in KiB, minified and
gzipped, and how many milliseconds it takes from the start of workerd to its first answer: the median of ${FULL.starts} starts,
each less the start of an empty Worker beside it. The exit code is 1 when the Worker is larger than it may be. A slow
start is reported and nothing more: a busy machine makes one, too.`;

await runCommand(USAGE, async (args) => {
  refuseArguments(args);
  const [size, start] = await workerSize(FULL);
  console.log(lineOf(size));
  console.log(
    `${lineOf(start)}\n  Measured: ${start.note}, which took ${start.spread?.map(Math.round).join(" to ")} ${start.unit}.`,
  );
  return isMet(size) ? 0 : 1;
});

/** A figure in words, with its unit and what it may be. */
function lineOf(figure: Figure): string {
  const { name, measured, unit, goal } = figure;
  const most =
    goal && "atMost" in goal ? ` (at most ${goal.atMost} ${unit}: ${isMet(figure) ? "met" : "NOT met"})` : "";
  return `${name}: ${measured.toFixed(1)} ${unit}${most}`;
}
