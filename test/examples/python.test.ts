import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { afterAll, describe, expect, inject, it } from "vitest";
import { freePort } from "../../scripts/stack/ports.ts";
import { startLossyNetwork } from "../clients/support/lossy-network.ts";
import { listen } from "../clients/support/server.ts";
import { Command } from "../support/dev.ts";
import { newClient } from "../support/tenant.ts";

const WHY_NOT = pythonIsMissing();
if (WHY_NOT) console.warn(`examples/python is not tested: ${WHY_NOT}.`);

/** Why the client cannot run here; undefined if it can. */
function pythonIsMissing(): string | undefined {
  const { error, status } = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]);
  if (error) return "there is no python3 here";
  return status === 0 ? undefined : "python3 is older than 3.9 here";
}

const api = inject("workerdUrl");
const newTenant = () => newClient((path, init) => fetch(`${api}${path}`, init));

describe.skipIf(WHY_NOT)("examples/python", { timeout: 120_000 }, () => {
  const running: Command[] = [];

  afterAll(() => {
    for (const { process, signalGroup } of running) {
      if (process.exitCode === null && process.signalCode === null) signalGroup("SIGKILL");
    }
  });

  function python(script: string, token: string, url = api) {
    const command = new Command("python3", [script], {
      MONKAI_URL: `${url}/v1`,
      MONKAI_TRACER_TOKEN: token,
      // Python would ask the proxy of the environment, even for this address.
      no_proxy: "127.0.0.1",
      PYTHONDONTWRITEBYTECODE: "1",
    });
    running.push(command);
    return command.ended;
  }

  it("try_it.py traces and uploads, and reads the same back as trees, by query, JSON and CSV", async () => {
    const { token } = await newTenant();
    expect(await python("examples/python/try_it.py", token)).toEqual({
      code: 0,
      stdout: "uploaded 250 records and 120 log entries, read back equal by query, JSON and CSV\n",
      stderr: "",
    });
  });

  it("try_it.py says where nothing listens, and what to do", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout, stderr } = await python("examples/python/try_it.py", "tk_any", url);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(new RegExp(`no_answer: ${url}/v1: .*refused`));
    expect(stderr).toContain("`npm run dev` starts it");
  });

  it.each([
    ["wrong", "tk_unknown", "invalid_token"],
    ["missing", "", "missing_token"],
  ])("try_it.py says where tokens come from when it is %s", async (_, token, refusal) => {
    const { code, stdout, stderr } = await python("examples/python/try_it.py", token);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`failed: 401 ${refusal}`);
    expect(stderr).toContain("`npm run --silent token -- create --tenant demo` makes a token");
  });

  it("first_trace.py is short, and prints the tree of what it traced, each step once however often it was sent", async () => {
    const network = await startLossyNetwork(api);
    const { token } = await newTenant();
    const ended = await python("examples/python/first_trace.py", token, network.url).finally(network.stop);
    expect(ended).toEqual({
      code: 0,
      stdout: [
        "concierge",
        "  llm_call gpt-4: I'll ask our forecaster.",
        "  handoff forecaster",
        "    forecaster",
        '      tool_call get_weather: {"degrees": 21}',
        "      llm_call gpt-4: It is 21 degrees.",
        "",
      ].join("\n"),
      stderr: "",
    });
    expect(network.passed.filter(({ isLost }) => isLost).map(({ path }) => path)).toEqual(
      expect.arrayContaining(["/v1/traces/llm", "/v1/traces/handoff", "/v1/traces/tool"]),
    );
  });

  it("waits as long as it is told, and sends the same again", async () => {
    const busy = await startBusyApi(3);
    const { token } = await newTenant();
    const ended = await python("examples/python/first_trace.py", token, busy.url).finally(busy.stop);
    expect([ended.code, ended.stderr]).toEqual([0, ""]);
    const [refused, again] = busy.asked.filter(({ path }) => path === "/v1/traces/tool");
    expect(again?.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(again?.key).toBe(refused?.key);
    expect((again?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(3000);
  });
});

/** The API, which tells the first tool call to come again after so many seconds. */
async function startBusyApi(seconds: number) {
  const asked: { path: string; key: unknown; at: number }[] = [];
  const server = createServer(async (request, answer) => {
    const [path = "", method] = [request.url, request.method];
    const isRefused = path === "/v1/traces/tool" && asked.every((earlier) => earlier.path !== path);
    asked.push({ path, key: request.headers["idempotency-key"], at: Date.now() });
    const body = Buffer.concat(await request.toArray());
    if (isRefused) return answer.writeHead(429, { "Retry-After": `${seconds}` }).end();
    const headers = {
      Authorization: request.headers.authorization ?? "",
      "Content-Type": "application/json",
    };
    const answered = await fetch(`${api}${path}`, { method, headers, ...(body.length > 0 ? { body } : {}) });
    return answer.writeHead(answered.status).end(await answered.text());
  });
  return { ...(await listen(server)), asked };
}
