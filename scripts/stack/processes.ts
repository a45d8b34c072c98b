import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Does a process with this id exist? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Kills at once; a process that has already gone is no error. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The command line of a process: empty when there is no such process, undefined where it cannot be told. */
export function commandLine(pid: number): string | undefined {
  if (process.platform === "linux") return readProc(pid, "cmdline").replaceAll("\0", " ").trim();
  return ps(pid, "command");
}

/** The parent of a process, undefined where it cannot be told. */
export function parentOf(pid: number): number | undefined {
  const parent = process.platform === "linux" ? parentFromStat(readProc(pid, "stat")) : ps(pid, "ppid");
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
function parentFromStat(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
}

function ps(pid: number, column: string): string | undefined {
  if (process.platform === "win32") return undefined;
  return spawnSync("ps", ["-ww", "-o", `${column}=`, "-p", String(pid)], { encoding: "utf8" }).stdout?.trim();
}
