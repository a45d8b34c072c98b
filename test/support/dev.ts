import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command as a person would, in a process group of its own. */
export class Command {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";

  constructor(command: string, args: string[], env: Record<string, string> = {}) {
    this.process = spawn(command, args, { cwd: ROOT, detached: true, env: { ...process.env, ...env } });
    this.process.stdout?.on("data", (data) => {
      this.stdout += data;
    });
    this.process.stderr?.on("data", (data) => {
      this.stderr += data;
    });
    this.ended = once(this.process, "close").then(([code]) => ({
      code,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  /** Waits until stdout says something, and gives what matched. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const failed = this.ended.then(({ code, stderr }) => {
      throw new Error(`It ended with ${code} before it said ${pattern}: ${stderr}`);
    });
    failed.catch(() => {});
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match) return match;
      await Promise.race([failed, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
  }

  /** To the process alone, as `kill PID` does. */
  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** To the whole process group, as Ctrl-C in a terminal does. */
  signalGroup(name: NodeJS.Signals): void {
    process.kill(-(this.process.pid as number), name);
  }
}

export function dev(env: Record<string, string>): Command {
  return new Command("npm", ["run", "dev"], env);
}

export function token(env: Record<string, string>, ...args: string[]): Promise<Ended> {
  return new Command("npm", ["run", "--silent", "token", "--", ...args], env).ended;
}

/** A DATA_DIR for one test, removed by `release`. */
export async function temporaryDataDir(): Promise<{ path: string; release: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "agent-trace-dev-"));
  return { path, release: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}
