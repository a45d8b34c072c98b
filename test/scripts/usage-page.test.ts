import { readFileSync } from "node:fs";
import { expect, inject, it } from "vitest";
import { parseCurl } from "../support/curl.ts";
import { ROOT } from "../support/dev.ts";
import { newClient } from "../support/tenant.ts";

const api = (path: string, init?: RequestInit) => fetch(`${inject("workerdUrl")}${path}`, init);
const page = readFileSync(`${ROOT}/docs/usage.md`, "utf8");
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => (block as string).trim());

it("docs/usage.md: each of its curl lines finds what it is asked for", async () => {
  const client = await newClient(api);
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  const day = daysAgo(1);
  const placed = { session_id: "s", namespace: "n", agent: "support-bot", external_user_id: "5521999998888" };
  const usage = { prompt_tokens: 1_000_000, completion_tokens: 0 };
  await client.post("/v1/traces/llm", {
    ...placed,
    model: "gpt-4o",
    output: { usage },
    latency_ms: 1000,
    timestamp: `${day}T12:00:00Z`,
  });
  await client.post("/v1/traces/tool", {
    ...placed,
    tool_name: "search",
    error: "timeout",
    timestamp: `${daysAgo(2)}T12:00:00Z`,
  });

  const cost = { amount: "2.5", currency: "USD", unpriced_steps: 0 };
  const session = { session_id: "s", user_id: "5521999998888", step_count: 2, error_count: 1, cost };
  const answers = [
    { rows: [{ model: "gpt-4o", calls: 1, cost }], totals: { cost } },
    { rows: expect.arrayContaining([expect.objectContaining({ tool: "search", tool_calls: 1, errors: 1 })]) },
    {
      rows: expect.arrayContaining([
        expect.objectContaining({ hour: `${day}T12:00:00.000Z`, model: "gpt-4o", calls: 1 }),
      ]),
    },
    { sessions: [session], count: 1 },
    { totals: { tool_calls: 1, errors: 1 } },
    { sessions: [session], count: 1 },
    {
      agents: [{ value: "support-bot", count: 2 }],
      models: [{ value: "gpt-4o", count: 1 }],
      tools: [{ value: "search", count: 1 }],
      users: [{ value: "5521999998888", count: 1 }],
    },
  ];
  expect(commands).toHaveLength(answers.length);
  for (const [place, answer] of answers.entries()) {
    const { url, init } = parseCurl(commands[place] as string, {
      MONKAI_TRACER_TOKEN: client.token,
      DAY: day,
    });
    const response = await fetch(url.replace("http://127.0.0.1:8787", inject("workerdUrl")), init);
    expect([url, response.status]).toEqual([url, 200]);
    expect(await response.json()).toMatchObject(answer);
  }
});
