import { commandLine, parentOf } from "./processes.ts";

/** Calls back when the npm that runs this script is killed, which leaves a script without its terminal. */
export function onNpmKilled(callback: () => void): void {
  if (!process.env.npm_lifecycle_event) return;
  if (isOrphan()) callback();
  const shell = isShell(process.ppid) ? process.ppid : undefined;
  const npm = () => (shell ? parentOf(shell) : process.ppid);
  const before = npm();
  setInterval(() => npm() !== before && callback(), 250).unref();
}

// npm was killed while this script was being loaded: process 1 inherited it. In a container process 1 may be npm.
function isOrphan(): boolean {
  return process.ppid === 1 && !isShell(1) && !/npm|yarn|bun/.test(commandLine(1) ?? "");
}

// npm starts scripts by `sh -c`; most shells then become the script, some stay between the two.
function isShell(pid: number): boolean {
  return /^\S*sh -c /.test(commandLine(pid) ?? "");
}
