import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

/** It keeps settings and conversations there. */
let home: string;
beforeAll(async () => {
  home = await mkdtemp(`${tmpdir()}/claude-code-`);
});
afterAll(() => rm(home, { recursive: true }));

const run = (command: number) =>
  runClient({
    program: "claude-code",
    page: "claude-code",
    command,
    variables: { HOME: home, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
  });

const SESSION = expect.stringMatching(/^[0-9a-f-]{36}$/);
const MODEL = expect.stringContaining("claude");

it("Claude Code: log records alone", async () => {
  const { client, passed, stdout } = await run(0);
  expect(stdout).toContain("It is 21 degrees in Paris.");
  expectSentTwice(passed, ["/v1/logs"]);
  const call = { agent: "claude-code", model: MODEL };
  expect(await readBack(client)).toMatchObject({
    sessions: [SESSION],
    users: [expect.any(String)],
    agents: ["claude-code"],
    calls: [
      { ...call, tokens: [101, 21] },
      { ...call, tokens: [102, 22] },
    ],
    tools: [{ agent: "claude-code", name: "Bash", arguments: { command: "echo 21" } }],
    handoffs: [],
    logs: expect.arrayContaining(["info claude_code.user_prompt", "info claude_code.assistant_response"]),
  });
  const { body } = await client.post("/v1/logs/query", { namespace: "claude-code", limit: 100 });
  const said = body.logs.map((log: Log) => log.custom_object.attributes);
  expect(said.flatMap(({ prompt, response }: Said) => prompt ?? response ?? []).sort()).toEqual([
    "How warm is it in Paris?",
    "It is 21 degrees in Paris.",
  ]);
});

interface Log {
  custom_object: { attributes: Said };
}

interface Said {
  prompt?: string;
  response?: string;
}

it("Claude Code: spans too, and each call counts once", async () => {
  const { client, passed } = await run(1);
  expectSentTwice(passed, ["/v1/logs", "/v1/traces"]);
  const agent = "claude_code.interaction";
  expect(await readBack(client)).toMatchObject({
    sessions: [SESSION],
    agents: ["claude-code", agent],
    calls: [
      { agent, model: MODEL, tokens: [101, 21] },
      { agent, model: MODEL, tokens: [102, 22] },
    ],
    tools: [{ agent, name: "Bash", arguments: "echo 21", result: "21" }],
  });
});
