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

it("OpenAI Agents SDK: Chat Completions, an agent as a tool, a call that fails", async () => {
  const { client, passed } = await runClient({ program: "openai-agents", page: "openai-agents", command: 1 });
  expectSentTwice(passed, ["/v1/traces/ingest"]);
  expect(passed.length).toBeGreaterThan(2);
  expect(await readBack(client)).toEqual({
    sessions: ["session-1"],
    users: ["user-1"],
    agents: ["hotel", "hotel", "hotel/Broken", "hotel/Concierge", "hotel/Concierge/Forecaster"],
    steps: 20,
    calls: [
      {
        agent: "Concierge",
        model: "gpt-5",
        tokens: [101, 21],
        asked: "How warm is it in Paris?",
        answered: null,
      },
      { agent: "Forecaster", model: "gpt-5", tokens: [102, 22], asked: '{"city":"Paris"}', answered: null },
      {
        agent: "Forecaster",
        model: "gpt-5",
        tokens: [103, 23],
        asked: '{"city":"Paris"}',
        answered: "It is 21 degrees in Paris.",
      },
      {
        agent: "Concierge",
        model: "gpt-5",
        tokens: [104, 24],
        asked: "How warm is it in Paris?",
        answered: "It is 21 degrees in Paris.",
      },
      { agent: "Broken", model: "gpt-broken", asked: "Are you there?", error: "400 There is no such model." },
    ],
    tools: [
      {
        agent: "Concierge",
        name: "ask_forecaster",
        arguments: { city: "Paris" },
        result: "It is 21 degrees in Paris.",
      },
      {
        agent: "Forecaster",
        name: "get_weather",
        arguments: { city: "Paris" },
        result: { city: "Paris", degrees: 21 },
      },
    ],
    handoffs: [],
    logs: [],
  });
});
