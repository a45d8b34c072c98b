import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Does this process run? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  // In many a container nobody reaps orphans: they stay, dead, as zombies.
  return process.platform !== "linux" || statOf(pid).state !== "Z";
}

/** Kills at once; a process that has already gone is no error. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Lets a child process finish what it does, but kills it after five seconds. One that has ended already is no error. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill();
  const impatience = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(impatience);
}

/** The command line of a process: empty when there is no such process, undefined where it cannot be told. */
export function commandLine(pid: number): string | undefined {
  if (process.platform === "linux") return readProc(pid, "cmdline").replaceAll("\0", " ").trim();
  return ps(pid, "command");
}

/** The parent of a process, undefined where it cannot be told. */
export function parentOf(pid: number): number | undefined {
  const parent = process.platform === "linux" ? statOf(pid).parent : ps(pid, "ppid");
  return parent ? Number(parent) : undefined;
}

/** Waits until the condition holds; false when it still does not after so many milliseconds. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  milliseconds: number,
): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

// /proc before `ps`: slim container images come without `ps`.
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

// "123 (a name) S 45 ...": the name may hold spaces and brackets, so count from its end.
function statOf(pid: number): { state?: string; parent?: string } {
  const stat = readProc(pid, "stat");
  const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state, parent };
}

function ps(pid: number, column: string): string | undefined {
  if (process.platform === "win32") return undefined;
  return spawnSync("ps", ["-ww", "-o", `${column}=`, "-p", String(pid)], { encoding: "utf8" }).stdout?.trim();
}
