import { chmod, rm } from "node:fs/promises";
import { expect } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { Command, dev, temporaryDataDir } from "./dev.ts";

/** `npm run dev` on a folder and a port of its own, for the commands of a page. */
export class DevRun {
  readonly dataDir: string;
  readonly address: string;
  readonly running: Command;
  readonly #release: () => Promise<void>;

  private constructor(
    dataDir: string,
    port: number,
    release: () => Promise<void>,
    env: Record<string, string>,
  ) {
    this.dataDir = dataDir;
    this.address = `http://127.0.0.1:${port}`;
    this.running = dev({ PORT: String(port), DATA_DIR: dataDir, MONKAI_TRACER_TOKEN: "", ...env });
    this.#release = release;
  }

  /** On an empty folder, or on one that is there; either is removed when it stops. */
  static async start(folder?: string, env: Record<string, string> = {}): Promise<DevRun> {
    const { path, release } = folder
      ? { path: folder, release: () => remove(folder) }
      : await temporaryDataDir();
    // For root, whose Postgres runs as another user.
    await chmod(path, 0o711);
    const run = new DevRun(path, await freePort(), release, env);
    await run.running.says(/Ctrl-C/);
    return run;
  }

  /** Runs a line in a shell, as somebody beside it would, and gives what it said. Expects that it succeeds. */
  async shell(line: string, env: Record<string, string> = {}): Promise<string> {
    const { code, stdout, stderr } = await new Command("sh", ["-c", line], { DATA_DIR: this.dataDir, ...env })
      .ended;
    expect([line, code, code === 0 ? "" : stderr]).toEqual([line, 0, ""]);
    return stdout.trim();
  }

  /** As Ctrl-C does. What it kept stays. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.running.process;
    if (exitCode === null && signalCode === null) this.running.signalGroup("SIGINT");
    await this.running.ended;
  }

  /** Ends it, and removes its folder. */
  async stop(): Promise<void> {
    await this.end();
    await this.#release();
  }
}

const remove = (folder: string) => rm(folder, { recursive: true, force: true, maxRetries: 5 });
