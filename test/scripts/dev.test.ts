import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { chmod, readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { commandLine } from "../../scripts/stack/processes.ts";
import { type Command, dev, temporaryDataDir, token } from "../support/dev.ts";

const STARTED = /Tracer token\s+(tk_\S+)/;

/** The command lines that have one of these in them. Slim Linux systems have no `ps`, others no /proc. */
function processesOf(...marks: string[]): string[] {
  const all =
    process.platform === "linux"
      ? readdirSync("/proc").map((name) => (/^\d+$/.test(name) ? (commandLine(Number(name)) ?? "") : ""))
      : execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n");
  return all.filter((line) => marks.some((mark) => line.includes(mark)));
}

/** What was said, but for npm's own. */
function linesOf(stderr: string): string[] {
  return stderr.split("\n").filter((line) => line && !/^npm (warn|error|notice)/.test(line));
}

describe("npm run dev", () => {
  let dataDir: Awaited<ReturnType<typeof temporaryDataDir>>;
  let port: number;
  let env: Record<string, string>;
  const running: Command[] = [];

  beforeAll(async () => {
    dataDir = await temporaryDataDir();
    await chmod(dataDir.path, 0o711);
    port = await freePort();
    env = { PORT: String(port), DATA_DIR: dataDir.path, MONKAI_TRACER_TOKEN: "" };
  });

  afterAll(async () => {
    for (const command of running) {
      if (command.process.exitCode === null && command.process.signalCode === null)
        command.signalGroup("SIGKILL");
    }
    await sleep(500);
    await dataDir.release();
  });

  const url = (path: string) => `http://127.0.0.1:${port}${path}`;

  async function start(more: Record<string, string> = {}): Promise<{ command: Command; token: string }> {
    const command = dev({ ...env, ...more });
    running.push(command);
    const [, printed] = await command.says(STARTED);
    await command.says(/Ctrl-C/);
    return { command, token: printed as string };
  }

  const query = (tracerToken: string) =>
    fetch(url("/v1/record_query"), {
      method: "POST",
      headers: { tracer_token: tracerToken, "Content-Type": "application/json" },
      body: '{"namespace":"kept","query":{}}',
    });

  const trace = (tracerToken: string) =>
    fetch(url("/v1/traces/llm"), {
      method: "POST",
      headers: { tracer_token: tracerToken, "Content-Type": "application/json" },
      body: '{"session_id":"s","namespace":"kept"}',
    });

  it("is one clear line when the port is taken, and starts nothing", async () => {
    const other = createServer().listen(port, "127.0.0.1");
    const { code, stderr } = await dev(env).ended;
    other.close();
    expect(code).not.toBe(0);
    expect(linesOf(stderr)).toEqual([expect.stringContaining(`Port ${port} is taken`)]);
    expect(await readdir(dataDir.path)).not.toContain("postgres");
  });

  it("starts, keeps its data and its token across restarts, and leaves no process behind", {
    timeout: 90_000,
  }, async () => {
    const first = await start();
    expect((await trace(first.token)).status).toBe(200);

    const twice = await dev({ ...env, PORT: String(await freePort()) }).ended;
    expect(twice.code).not.toBe(0);
    expect(linesOf(twice.stderr)).toEqual([expect.stringMatching(/already running/)]);

    first.command.signalGroup("SIGINT");
    expect(linesOf((await first.command.ended).stderr)).toEqual([]);
    expect(processesOf(dataDir.path, `127.0.0.1:${port}`)).toEqual([]);

    const second = await start();
    expect(second.token).toBe(first.token);
    expect(await (await query(second.token)).json()).toMatchObject({ count: 1 });
    second.command.signal("SIGTERM");
    await second.command.ended;
    expect(processesOf(dataDir.path, `127.0.0.1:${port}`)).toEqual([]);
  });

  it.each([
    ["the whole group", (command: Command) => command.signalGroup("SIGKILL")],
    ["npm alone", (command: Command) => command.signal("SIGKILL")],
  ])("starts again after kill -9 of %s, with what was acknowledged", { timeout: 90_000 }, async (_, kill) => {
    const killed = await start();
    const before = (await (await query(killed.token)).json()).count;
    expect((await trace(killed.token)).status).toBe(200);
    kill(killed.command);

    const again = await start();
    expect(await (await query(again.token)).json()).toMatchObject({ count: before + 1 });
    again.command.signalGroup("SIGINT");
    await again.command.ended;
    expect(processesOf(dataDir.path, `127.0.0.1:${port}`)).toEqual([]);
  });

  it("MONKAI_TRACER_TOKEN is the demo tenant's token; npm run token works beside it", {
    timeout: 90_000,
  }, async () => {
    const { command, token: printed } = await start({ MONKAI_TRACER_TOKEN: "tk_my_own" });
    expect(printed).toBe("tk_my_own");
    expect((await query("tk_my_own")).status).toBe(200);

    const created = await token(
      env,
      "create",
      "--tenant",
      "acme",
      "--name",
      "test",
      "--namespaces",
      "kept,b",
    );
    expect(created.code).toBe(0);
    expect(created.stdout).toMatch(/^tk_[0-9a-f]{48}\n$/);
    const plain = created.stdout.trim();
    expect((await query(plain)).status).toBe(200);

    const listed = await token(env, "list", "--tenant", "acme");
    expect(listed.stdout).toMatch(/acme +test +active +never +kept,b/);
    expect(listed.stdout).not.toContain(plain);

    expect((await token(env, "revoke", plain)).code).toBe(0);
    expect(await (await query(plain)).json()).toMatchObject({ error: { code: "token_inactive" } });
    expect((await token(env, "revoke", plain.replace("tk_", "tk_0"))).code).toBe(1);
    expect((await token(env, "create")).code).toBe(2);

    command.signalGroup("SIGINT");
    await command.ended;
    const { code, stderr } = await token(env, "list");
    expect([code, stderr]).toEqual([1, expect.stringContaining("npm run dev")]);

    for (const file of await readdir(dataDir.path, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const text = await readFile(`${file.parentPath}/${file.name}`, "latin1");
      for (const secret of [plain, "tk_my_own"])
        expect([file.name, text.includes(secret)]).toEqual([file.name, false]);
    }
  });
});
