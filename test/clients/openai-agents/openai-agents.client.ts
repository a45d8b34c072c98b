import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("OpenAI Agents SDK: a handoff, a tool, and one that fails", async () => {
  const { client, passed } = await runClient({ program: "openai-agents", page: "openai-agents" });
  expectSentTwice(passed, ["/v1/traces/ingest"]);
  expect(await readBack(client)).toEqual({
    sessions: ["session-1"],
    users: [],
    agents: ["weather", "weather/Triage", "weather/Triage/Forecaster"],
    steps: 15,
    calls: [
      { agent: "Triage", tokens: [101, 21] },
      { agent: "Forecaster", tokens: [102, 22] },
      { agent: "Forecaster", tokens: [103, 23] },
      { agent: "Forecaster", tokens: [104, 24] },
    ],
    tools: [
      {
        agent: "Forecaster",
        name: "get_tides",
        arguments: { city: "Paris" },
        result: "An error occurred while running the tool. Please try again.",
        error: "Error running tool (non-fatal)",
      },
      {
        agent: "Forecaster",
        name: "get_weather",
        arguments: { city: "Paris" },
        result: { city: "Paris", degrees: 21 },
      },
    ],
    handoffs: ["Handoff from Triage to Forecaster"],
    logs: [],
  });
});
