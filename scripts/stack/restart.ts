import type { ChildProcess } from "node:child_process";
import { endProcess } from "./processes.ts";

/** From now on another process is started in the place of one that ends. The answer stops this, and the process. */
export function restartWhenEnded(first: ChildProcess, start: () => ChildProcess): () => Promise<void> {
  let stopping = false;
  let child = first;
  const watch = () =>
    child.once("exit", () => {
      setTimeout(() => {
        if (stopping) return;
        child = start();
        watch();
      }, 200).unref();
    });
  watch();
  return async () => {
    stopping = true;
    await endProcess(child);
  };
}
