import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("Mastra: an agent below another, a tool and a call that fail", async () => {
  const { client, passed } = await runClient({ program: "mastra", page: "mastra" });
  expectSentTwice(passed, ["/v1/traces"]);
  const ofConcierge = { agent: "concierge", model: "gpt-5", asked: "Help the guests." };
  const ofForecaster = { agent: "forecaster", model: "gpt-5", asked: "Look at the weather." };
  const inParis = { city: "Paris" };
  expect(await readBack(client)).toEqual({
    sessions: ["session-1"],
    users: ["user-1"],
    agents: ["broken", "concierge", "concierge/forecaster"],
    steps: 29,
    calls: [
      { ...ofConcierge, tokens: [101, 21], answered: "" },
      { ...ofForecaster, tokens: [102, 22], answered: "" },
      { ...ofForecaster, tokens: [103, 23], answered: "" },
      { ...ofForecaster, tokens: [104, 24], answered: "It is 21 degrees in Paris." },
      { ...ofConcierge, tokens: [105, 25], answered: "It is 21 degrees in Paris." },
      { agent: "broken", model: "gpt-broken", asked: "Answer.", answered: "" },
    ],
    tools: [
      {
        agent: "concierge",
        name: "agent-forecaster",
        arguments: { prompt: "How is it in Paris?" },
        result: expect.objectContaining({ text: "It is 21 degrees in Paris." }),
      },
      { agent: "forecaster", name: "get_tides", arguments: inParis, error: "There is no sea in Paris." },
      { agent: "forecaster", name: "get_weather", arguments: inParis, result: { ...inParis, degrees: 21 } },
    ],
    handoffs: [],
    logs: [],
  });
  const query = { namespace: "weather", query: { agent: "broken" } };
  const { body } = await client.post("/v1/record_query", query);
  const [{ status, msg }] = body.records;
  expect([status, msg[1]]).toEqual(["error", { role: "user", content: "Are you there?" }]);
});
