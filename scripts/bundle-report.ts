// `npm run bundle`: how large the Worker is that `npm run deploy:workers` uploads, and how long it takes to start.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { Miniflare } from "miniflare";
import { loopback } from "./stack/ports.ts";
import { compatibilityDate } from "./stack/worker.ts";

/** How long something took more than with an empty Worker: medians, in milliseconds. */
export interface StartTimes {
  /** Until the module was evaluated. */
  start: number;
  /** From there to the first answer, for which the app is built. */
  firstAnswer: number;
}

const root = fileURLToPath(new URL("../", import.meta.url));
const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
const emptyWorker = `export default { fetch: () => new Response("{}") };`;

/** The script that wrangler uploads to an environment of wrangler.toml; "" is the one without a name. */
export async function deployedWorker(environment = ""): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "agent-trace-worker-"));
  try {
    const options = ["--dry-run", "--env", environment, "--outdir", folder];
    await promisify(execFile)(process.execPath, [wrangler, "deploy", ...options], {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    return await readFile(join(folder, "worker.js"), "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a bundled script in workerd, once its module has been evaluated. */
export async function runWorker(script: string): Promise<{ url: URL; stop: () => Promise<void> }> {
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents: script }],
    compatibilityDate: await compatibilityDate(),
    host: loopback,
    port: 0,
    // Otherwise it asks Cloudflare for a sample of request.cf, and waits for the answer.
    cf: false,
  });
  try {
    return { url: await miniflare.ready, stop: () => miniflare.dispose() };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/** Starts workerd in turn with this script and with an empty one: what the machine does meanwhile strikes both. */
export async function startTimes(script: string, rounds: number): Promise<StartTimes> {
  await timedStart(emptyWorker);
  const more: StartTimes[] = [];
  for (let round = 0; round < rounds; round++) {
    const empty = await timedStart(emptyWorker);
    const full = await timedStart(script);
    more.push({ start: full.start - empty.start, firstAnswer: full.firstAnswer - empty.firstAnswer });
  }
  return {
    start: median(more.map(({ start }) => start)),
    firstAnswer: median(more.map(({ firstAnswer }) => firstAnswer)),
  };
}

async function timedStart(script: string): Promise<StartTimes> {
  const begun = performance.now();
  const worker = await runWorker(script);
  const started = performance.now();
  try {
    const response = await fetch(new URL("/v1/health", worker.url));
    await response.text();
    return { start: started - begun, firstAnswer: performance.now() - started };
  } finally {
    await worker.stop();
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function report(rounds: number): Promise<string> {
  const script = await deployedWorker();
  const { start, firstAnswer } = await startTimes(script, rounds);
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
  return `
Worker, minified   ${kib(gzipSync(script).length)} gzipped, ${kib(Buffer.byteLength(script))} as it is
Start-up           ${start.toFixed(0)} ms until its module has been evaluated (Cloudflare allows 1000 ms)
First answer       ${firstAnswer.toFixed(0)} ms more, for GET /v1/health

Size: what \`wrangler deploy\` uploads, without the source map. Times: how much longer workerd takes on this machine
than with an empty Worker, the median of ${rounds} rounds. Cloudflare's machines differ: \`wrangler deploy\` says what it took there.
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) console.log(await report(15));
