import { readFile } from "node:fs/promises";
import type { Figure } from "./figures.ts";
import { startFreshWorker } from "./stack.ts";
import type { Volume } from "./volume.ts";

const MEBIBYTE = 1024 * 1024;

interface Export {
  megabytes: number;
  seconds: number;
  /** MiB of memory that workerd held (its resident set): before, and at most. */
  idle: number;
  peak: number;
}

/** Section 6: how fast a large export goes, and whether a larger one takes more memory. */
export async function exportSpeed(volume: Volume): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const format of ["csv", "json"]) {
    const smaller = await exported(volume, "side", format);
    const larger = await exported(volume, "main", format);
    figures.push(...figuresOf(format, volume.records, smaller, larger));
  }
  return figures;
}

function figuresOf(format: string, records: number, smaller: Export, larger: Export): Figure[] {
  const name = `export of ${records.toLocaleString("en")} records as ${format.toUpperCase()}`;
  return [
    {
      section: 6,
      name,
      unit: "MB/s",
      measured: larger.megabytes / larger.seconds,
      note: `${larger.megabytes.toFixed(0)} MB in ${larger.seconds.toFixed(0)} s`,
    },
    {
      section: 6,
      name: `its peak memory : that of a tenth as many, ${format.toUpperCase()}`,
      unit: "MiB",
      measured: larger.peak,
      against: smaller.peak,
      ratio: larger.peak / smaller.peak,
      goal: { atMost: 1.2 },
    },
    {
      section: 6,
      name: `its peak memory, ${format.toUpperCase()}`,
      unit: "MiB",
      measured: larger.peak,
      goal: { atMost: 128 },
      note: `the whole process workerd (resident); idle it has ${larger.idle.toFixed(0)} MiB`,
    },
  ];
}

/** By a Worker that has exported nothing yet. */
async function exported({ stack, token }: Volume, namespace: string, format: string): Promise<Export> {
  const worker = await startFreshWorker(stack);
  try {
    await fetch(`${worker.url}/v1/health`);
    const idle = await peakMemory(worker.workerdPid);
    const begun = performance.now();
    const bytes = await downloadedBytes(`${worker.url}/v1/records/export`, token, { namespace, format });
    const seconds = (performance.now() - begun) / 1000;
    return { megabytes: bytes / 1e6, seconds, idle, peak: await peakMemory(worker.workerdPid) };
  } finally {
    await worker.stop();
  }
}

async function downloadedBytes(url: string, token: string, body: object): Promise<number> {
  const response = await fetch(url, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}`);
  let bytes = 0;
  for await (const part of response.body) bytes += part.length;
  return bytes;
}

/** The most memory in MiB that a process has ever held, NaN where the system does not tell (other than Linux). */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const [, kibibytes = "NaN"] = /^VmHWM:\s+(\d+) kB/m.exec(status) ?? [];
  return (Number(kibibytes) * 1024) / MEBIBYTE;
}
