import { expect, it } from "vitest";
import { expectSentTwice } from "../support/lossy-network.ts";
import { readBack } from "../support/read-back.ts";
import { runClient } from "../support/run-client.ts";

it("Traceloop around openai", async () => {
  const { client, passed } = await runClient({ program: "traceloop", page: "traceloop" });
  expectSentTwice(passed, ["/v1/traces"]);
  const call = { agent: "weather-agent", model: "gpt-5", asked: "How warm is it in Paris?" };
  expect(await readBack(client)).toEqual({
    sessions: ["session-1"],
    users: ["user-1"],
    agents: ["weather-agent"],
    steps: 4,
    calls: [
      {
        ...call,
        tokens: [101, 21],
        answered: [{ type: "tool_call", id: "call_0", name: "get_weather", arguments: { city: "Paris" } }],
      },
      { ...call, tokens: [102, 22], answered: "It is 21 degrees in Paris." },
    ],
    tools: [
      {
        agent: "weather-agent",
        name: "get_weather",
        arguments: { args: [], kwargs: { city: "Paris" } },
        result: { city: "Paris", degrees: 21 },
      },
    ],
    handoffs: [],
    logs: [],
  });
});
