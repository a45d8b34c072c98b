import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("Vercel AI SDK 7: an agent as a tool, a tool and a call that fail", async () => {
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
  const asksFor = (id: string, name: string) => [
    { type: "tool_call", id, name, arguments: { city: "Paris" } },
  ];
  const ofConcierge = { agent: "concierge", model: "gpt-5", asked: "How warm is it in Paris?" };
  const ofForecaster = { agent: "forecaster", model: "gpt-5", asked: "How is it in Paris?" };
  expect(await readBack(client)).toEqual({
    sessions: ["session-1"],
    users: ["user-1"],
    agents: ["default", "default/broken", "default/concierge", "default/concierge/forecaster"],
    steps: 19,
    calls: [
      { ...ofConcierge, tokens: [101, 21], answered: asksFor("call_0", "ask_forecaster") },
      { ...ofForecaster, tokens: [102, 22], answered: asksFor("call_1", "get_weather") },
      { ...ofForecaster, tokens: [103, 23], answered: asksFor("call_2", "get_tides") },
      { ...ofForecaster, tokens: [104, 24], answered: "It is 21 degrees in Paris." },
      { ...ofConcierge, tokens: [105, 25], answered: "It is 21 degrees in Paris." },
      { agent: "broken", model: "gpt-broken", asked: "Are you there?", error: "There is no such model." },
    ],
    tools: [
      {
        agent: "concierge",
        name: "ask_forecaster",
        arguments: { city: "Paris" },
        result: "It is 21 degrees in Paris.",
      },
      {
        agent: "forecaster",
        name: "get_tides",
        arguments: { city: "Paris" },
        error: "There is no sea in Paris.",
      },
      {
        agent: "forecaster",
        name: "get_weather",
        arguments: { city: "Paris" },
        result: { city: "Paris", degrees: 21 },
      },
    ],
    handoffs: [],
    logs: [],
  });
});
