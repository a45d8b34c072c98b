import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("Langfuse: agents below one another, a tool, and one that fails", async () => {
  const { client, passed } = await runClient({ program: "langfuse", page: "langfuse" });
  expectSentTwice(passed, ["/api/public/otel/v1/traces"]);
  expect(await readBack(client)).toEqual({
    sessions: ["session-1"],
    users: ["user-1"],
    agents: ["support-agent", "support-agent/weather-agent"],
    steps: 5,
    calls: [
      {
        agent: "support-agent",
        model: "gpt-5",
        tokens: [101, 21],
        asked: "How warm is it in Paris?",
        answered: "It is 21 degrees in Paris.",
      },
    ],
    tools: [
      { agent: "weather-agent", name: "get_tides", arguments: {}, error: "There is no sea." },
      { agent: "weather-agent", name: "get_weather", arguments: { city: "Paris" }, result: { degrees: 21 } },
    ],
    handoffs: [],
    logs: [],
  });
});
