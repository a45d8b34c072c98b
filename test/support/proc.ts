import { readdirSync, readFileSync } from "node:fs";

/** All processes of this machine, by id. Linux only, as all here. */
export function processIds(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

/** What `/proc` says of a process (`cmdline`, `environ`); "" when it is gone by now, or is not ours to read. */
export function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
