import { commandLine, parentOf } from "./processes.ts";

/** Calls back when the npm that runs this script is killed, which leaves a script without its terminal. */
export function onNpmKilled(callback: () => void): void {
  if (!process.env.npm_lifecycle_event) return;
  const shell = runsInShell(process.ppid) ? process.ppid : undefined;
  const npm = () => (shell ? parentOf(shell) : process.ppid);
  const before = npm();
  setInterval(() => npm() !== before && callback(), 250).unref();
}

// npm starts scripts by `sh -c`; most shells then become the script, some stay between the two.
function runsInShell(pid: number): boolean {
  return /^\S*sh -c /.test(commandLine(pid) ?? "");
}
