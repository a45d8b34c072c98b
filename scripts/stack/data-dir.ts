import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { newPasswords, type Passwords } from "./database.ts";
import { commandLine, isAlive, killNow, waitUntil } from "./processes.ts";

/** What DATA_DIR/stack.json holds: the keys, made once, and where the running stack is. */
export interface StackState {
  serviceKey: string;
  publishableKey: string;
  passwords: Passwords;
  /** Left behind by a run that was killed. */
  running?: RunningStack;
}

export interface RunningStack {
  pid: number;
  restUrl?: string;
  apiUrl?: string;
  /** For people with a Postgres client. */
  databaseUrl?: string;
  workerdPid?: number;
  stopping?: boolean;
}

/** A data folder that this process, and no other, works on. */
export interface DataDir {
  path: string;
  state: StackState;
  /** Was the last run killed, so that what it left may need a moment to end? */
  recovered: boolean;
  /** Writes down for others what runs now; undefined: nothing. */
  setRunning(running: RunningStack | undefined): void;
  unlock(): void;
}

/** The folder named by DATA_DIR. */
export function dataDirName(): string {
  return process.env.DATA_DIR || ".data";
}

/** Makes the folder if need be and locks it. Throws when another process has it. */
export async function openDataDir(name: string): Promise<DataDir> {
  // Whatever the umask: started by root, Postgres runs as another user, who has to pass through.
  if (mkdirSync(name, { recursive: true })) chmodSync(name, 0o711);
  const path = realpathSync(name);
  const unlock = await lockUnlessInUse(name, path);
  const state = readState(path) ?? createState(path);
  const recovered = state.running !== undefined;
  if (state.running?.workerdPid) await endWorkerd(state.running.workerdPid);

  const setRunning = (running: RunningStack | undefined) => writeState(path, { ...state, running });
  return { path, state, recovered, setRunning, unlock };
}

/** What stack.json says, undefined when there is none. */
export function readState(path: string): StackState | undefined {
  const file = stateFile(path);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Error(`${file} cannot be read; without it, delete ${path} to start over`, { cause: error });
  }
}

async function lockUnlessInUse(name: string, path: string): Promise<() => void> {
  const lock = tryLock(path);
  if (lock) return lock;

  // Its npm may have been killed an instant ago: it takes a moment to notice, and another one to stop.
  let unlock: (() => void) | undefined;
  const locked = () => {
    unlock = tryLock(path);
    return unlock !== undefined;
  };
  const isStopping = () => readState(path)?.running?.stopping === true;
  await waitUntil(() => locked() || isStopping(), 800);
  if (!unlock && isStopping()) await waitUntil(locked, 10_000);
  if (unlock) return unlock;

  const pid = readState(path)?.running?.pid;
  throw new Error(
    `npm run dev is already running on ${name}${pid ? ` (process ${pid})` : ""}. ` +
      "Stop it, or set DATA_DIR to another folder.",
  );
}

// SQLite's lock on an empty file: the system lets go of it when the process dies, on every platform, so that no stale
// lock is ever left.
function tryLock(path: string): (() => void) | undefined {
  const lock = new DatabaseSync(join(path, "lock"), { timeout: 0 });
  try {
    lock.exec("pragma journal_mode = off; begin exclusive");
    return () => lock.close();
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return undefined;
    throw error;
  }
}

const sqliteBusy = 5;

function createState(path: string): StackState {
  if (existsSync(join(path, "postgres"))) {
    throw new Error(`${stateFile(path)}, which holds the passwords, is gone. Delete ${path} to start over.`);
  }
  const state = {
    serviceKey: `sb_secret_${randomBytes(24).toString("hex")}`,
    publishableKey: `sb_publishable_${randomBytes(24).toString("hex")}`,
    passwords: newPasswords(),
  };
  writeState(path, state);
  return state;
}

// Renamed into place: a reader, and the next run after a kill, sees the old state or the new one, whole.
function writeState(path: string, state: StackState): void {
  const draft = `${stateFile(path)}.new`;
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, stateFile(path));
}

function stateFile(path: string): string {
  return join(path, "stack.json");
}

// Its keeper ends it, unless that was killed as well.
async function endWorkerd(pid: number): Promise<void> {
  if (!commandLine(pid)?.includes("workerd")) return;
  killNow(pid);
  await waitUntil(() => !isAlive(pid), 5_000);
}
