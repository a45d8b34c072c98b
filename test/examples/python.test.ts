import { spawnSync } from "node:child_process";
import { chmod } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { Command, dev, temporaryDataDir } from "../support/dev.ts";

const WHY_NOT = pythonIsMissing();
if (WHY_NOT) console.warn(`examples/python is not tested: ${WHY_NOT}.`);

/** Why the client cannot run here; undefined if it can. */
function pythonIsMissing(): string | undefined {
  const { error, status } = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]);
  if (error) return "there is no python3 here";
  return status === 0 ? undefined : "python3 is older than 3.9 here";
}

describe("examples/python", () => {
  const running: Command[] = [];
  const releases: (() => Promise<void>)[] = [];

  afterAll(async () => {
    for (const command of running) {
      if (command.process.exitCode === null && command.process.signalCode === null)
        command.signalGroup("SIGKILL");
    }
    if (running.length > 0) await sleep(500);
    for (const release of releases) await release();
  });

  it.skipIf(WHY_NOT)(
    "uploads, and reads the same back by query, JSON and CSV",
    { timeout: 120_000 },
    async () => {
      const dataDir = await temporaryDataDir();
      releases.push(dataDir.release);
      // For root, whose Postgres runs as another user.
      await chmod(dataDir.path, 0o711);
      const port = await freePort();
      const url = `http://127.0.0.1:${port}/v1`;
      const token = "tk_python_example";
      const server = dev({ PORT: String(port), DATA_DIR: dataDir.path, MONKAI_TRACER_TOKEN: token });
      running.push(server);
      await server.says(/Ctrl-C/);

      const client = new Command("python3", ["examples/python/try_it.py"], {
        MONKAI_URL: url,
        MONKAI_TRACER_TOKEN: token,
        // Python would ask the proxy of the environment, even for this address.
        no_proxy: "127.0.0.1",
        PYTHONDONTWRITEBYTECODE: "1",
      });
      running.push(client);
      expect(await client.ended).toEqual({
        code: 0,
        stdout: "uploaded 250 records and 120 log entries, read back equal by query, JSON and CSV\n",
        stderr: "",
      });

      server.signalGroup("SIGINT");
      await server.ended;
      await expect(fetch(`${url}/health`)).rejects.toThrow();
    },
  );
});
