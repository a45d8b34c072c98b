import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("Vercel AI SDK 7", async () => {
  const { client, passed } = await runClient({ program: "vercel-ai-sdk", page: "vercel-ai-sdk" });
  const [metrics] = passed.filter(({ path }) => path === "/v1/metrics");
  expect([metrics?.status, metrics?.answer]).toEqual([
    404,
    expect.stringContaining("OTEL_METRICS_EXPORTER=none"),
  ]);
  expectSentTwice(
    passed.filter((request) => request !== metrics),
    ["/v1/traces"],
  );
  const call = { agent: "weather-agent", model: "gpt-5", asked: "How warm is it in Paris?" };
  expect(await readBack(client)).toEqual({
    sessions: ["session-1"],
    users: ["user-1"],
    agents: ["default", "default/broken-agent", "default/weather-agent"],
    steps: 10,
    calls: [
      {
        ...call,
        tokens: [101, 21],
        answered: [{ type: "tool_call", id: "call_0", name: "get_weather", arguments: { city: "Paris" } }],
      },
      { ...call, tokens: [102, 22], answered: "It is 21 degrees in Paris." },
      {
        agent: "broken-agent",
        model: "gpt-broken",
        asked: "Are you there?",
        error: "There is no such model.",
      },
    ],
    tools: [
      {
        agent: "weather-agent",
        name: "get_weather",
        arguments: { city: "Paris" },
        result: { city: "Paris", degrees: 21 },
      },
    ],
    handoffs: [],
    logs: [],
  });
});
