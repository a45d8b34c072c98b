import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmod, readdir, readFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { parentOf, waitUntil } from "../../scripts/stack/processes.ts";
import { type Command, dev, temporaryDataDir, token } from "../support/dev.ts";
import { processIds, readProc } from "../support/proc.ts";

const STARTED = /Tracer token\s+(tk_\S+)/;

/**
 * The processes that have one of these in their command line or, where Linux shows it, in their environment: all that
 * was started for a DATA_DIR inherits it.
 */
function processesOf(...marks: string[]): string[] {
  const all =
    process.platform === "linux"
      ? processIds().map((pid) => `${readProc(pid, "cmdline")} ${readProc(pid, "environ")}`)
      : execFileSync("ps", ["-eo", "args"], { encoding: "utf8" }).split("\n");
  return all.filter((line) => marks.some((mark) => line.includes(mark)));
}

/** The process of a connection that the REST layer has to the Postgres of this folder. */
function aBackendOf(folder: string): number {
  const pids = processIds();
  const postmaster = pids.find((pid) => readProc(pid, "cmdline").includes(`-D ${folder}/`));
  const backend = pids.find(
    (pid) =>
      readProc(pid, "cmdline").startsWith("postgres: authenticator") &&
      parentOf(Number(pid)) === Number(postmaster),
  );
  if (!backend) throw new Error("The REST layer has no connection.");
  return Number(backend);
}

/** Neither the key of the API nor a password of the database may stand where `ps` shows it to everybody. */
async function expectNoSecretOnCommandLines(folder: string): Promise<void> {
  const { serviceKey, passwords } = JSON.parse(await readFile(`${folder}/stack.json`, "utf8"));
  const lines = processIds().map((pid) => readProc(pid, "cmdline"));
  expect(lines.join()).toContain("workerd serve");
  for (const secret of [serviceKey, ...Object.values<string>(passwords)])
    expect(lines.filter((line) => line.includes(secret))).toEqual([]);
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
    await command.says(/npm run demo\n\n.*Ctrl-C/);
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

  /** Sends half of a trace; the function that it returns sends the rest, and gives the status of the answer. */
  async function beginTrace(tracerToken: string): Promise<() => Promise<number | undefined>> {
    const headers = { tracer_token: tracerToken, "Content-Type": "application/json" };
    const sending = request(url("/v1/traces/llm"), { method: "POST", headers });
    const answered = once(sending, "response");
    answered.catch(() => {});
    sending.write('{"session_id":"s",');
    await sleep(300);
    return async () => {
      sending.end('"namespace":"kept"}');
      const [response] = await answered;
      return response.statusCode;
    };
  }

  it("is one clear line when the port is taken, and starts nothing", async () => {
    const other = createServer().listen(port, "127.0.0.1");
    const { code, stderr } = await dev(env).ended;
    other.close();
    expect(code).not.toBe(0);
    expect(linesOf(stderr)).toEqual([
      `Port ${port} is taken by another program. Choose another one: PORT=${port + 1} npm run dev`,
    ]);
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

  it("Ctrl-C waits for the answer to a request that has begun", { timeout: 60_000 }, async () => {
    const { command, token: tracerToken } = await start();
    const finish = await beginTrace(tracerToken);
    command.signalGroup("SIGINT");
    await sleep(500);
    expect(await finish()).toBe(200);
    expect(linesOf((await command.ended).stderr)).toEqual([]);
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

  it.runIf(process.platform === "linux")(
    "survives a Postgres backend killed with -9 under load, and nothing acknowledged is lost or doubled",
    { timeout: 60_000 },
    async () => {
      const { command, token: tracerToken } = await start();
      const post = (path: string, body: object) =>
        fetch(url(path), {
          method: "POST",
          headers: { tracer_token: tracerToken, "Content-Type": "application/json" },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(5_000),
        }).catch(() => undefined);

      const acknowledged = new Set<string>();
      let sent = 0;
      let loaded = true;
      const client = async () => {
        while (loaded && sent < 450) {
          const model = `m${sent++}`;
          const response = await post("/v1/traces/llm", {
            session_id: `s${sent % 5}`,
            namespace: "load",
            model,
          });
          if (response?.status === 200) acknowledged.add(model);
          if (response?.status !== 200) await sleep(50);
        }
      };
      const clients = Promise.all(Array.from({ length: 8 }, client));
      expect(await waitUntil(() => acknowledged.size > 20, 20_000)).toBe(true);
      process.kill(aBackendOf(dataDir.path), "SIGKILL");

      const answers = async () => (await post("/v1/logs/query", { namespace: "load" }))?.status === 200;
      expect(await waitUntil(answers, 15_000)).toBe(true);
      await sleep(500);
      loaded = false;
      await clients;
      const read = (await post("/v1/record_query", {
        namespace: "load",
        query: { limit: 1000 },
      })) as Response;
      const models = (await read.json()).records.map((record: { model: string }) => record.model);
      expect(new Set(models).size).toBe(models.length);
      expect([...acknowledged].filter((model) => !models.includes(model))).toEqual([]);
      command.signalGroup("SIGINT");
      await command.ended;
    },
  );

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
    if (process.platform === "linux") await expectNoSecretOnCommandLines(dataDir.path);

    const listed = await token(env, "list", "--tenant", "acme");
    expect(listed.stdout).toMatch(/acme +test +active +never +kept,b/);
    expect(listed.stdout).not.toContain(plain);

    expect((await token(env, "revoke", plain)).code).toBe(0);
    expect(await (await query(plain)).json()).toMatchObject({ error: { code: "token_inactive" } });
    expect((await token(env, "revoke", plain.replace("tk_", "tk_0"))).code).toBe(1);
    expect((await token(env, "create")).code).toBe(2);
    const unnamed = (await token(env, "create", "--tenant", "acme")).stdout.trim();
    expect(unnamed).toMatch(/^tk_/);

    command.signalGroup("SIGINT");
    await command.ended;
    const { code, stderr } = await token(env, "list");
    expect([code, stderr]).toEqual([1, expect.stringContaining("npm run dev")]);

    const foreign = await dev({ ...env, MONKAI_TRACER_TOKEN: unnamed }).ended;
    expect([foreign.code, linesOf(foreign.stderr)]).toEqual([
      1,
      [expect.stringContaining("MONKAI_TRACER_TOKEN is the token of another tenant")],
    ]);

    for (const file of await readdir(dataDir.path, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const text = await readFile(`${file.parentPath}/${file.name}`, "latin1");
      for (const secret of [plain, unnamed, "tk_my_own"])
        expect([file.name, text.includes(secret)]).toEqual([file.name, false]);
    }
  });
});
